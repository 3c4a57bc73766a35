using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Numerics;

namespace PgRouter.Core.Authentication;

/// <summary>ADDRESS of pool_hba.conf. Addresses of IPv4 inside IPv6 (::ffff:a.b.c.d) count as IPv4 on both sides.</summary>
internal sealed class HbaAddress
{
    private const int MappedPrefixLength = 96;

    private readonly Kind _kind;
    private readonly IPNetwork _network;
    private readonly string _hostName;

    private HbaAddress(Kind kind, IPNetwork network = default, string hostName = "")
    {
        _kind = kind;
        _network = network;
        _hostName = hostName;
    }

    private enum Kind : byte
    {
        All,
        SameHost,
        SameNet,
        Network,
        HostName,
    }

    public static HbaAddress All { get; } = new(Kind.All);

    public static HbaAddress SameHost { get; } = new(Kind.SameHost);

    public static HbaAddress SameNet { get; } = new(Kind.SameNet);

    /// <summary>A host name, or with a dot in front every name that ends so.</summary>
    public static HbaAddress OfHostName(string name) => new(Kind.HostName, hostName: name);

    /// <summary>Reads "address/length"; the bits behind the prefix do not count, as in PostgreSQL.</summary>
    public static bool TryParseCidr(string text, out HbaAddress address)
    {
        address = All;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        return slash > 0
            && TryParseIp(text[..slash], out var ip)
            && int.TryParse(text[(slash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var prefix)
            && TryCreate(ip, prefix, out address);
    }

    /// <summary>Reads an address and a mask of the same family, as 10.0.0.0 255.0.0.0; false when the mask has holes.</summary>
    public static bool TryParseMasked(string ipText, string maskText, out HbaAddress address)
    {
        address = All;
        if (!TryParseIp(ipText, out var ip) || !TryParseIp(maskText, out var mask) || ip.AddressFamily != mask.AddressFamily)
            return false;
        var prefix = PrefixLength(mask.GetAddressBytes());
        return prefix >= 0 && TryCreate(ip, prefix, out address);
    }

    /// <summary>A full IPv4 or IPv6 address; short forms such as "10.1" are refused.</summary>
    public static bool TryParseIp(string text, out IPAddress address)
    {
        address = IPAddress.None;
        if (!IPAddress.TryParse(text, out var parsed) || text.Contains('[', StringComparison.Ordinal))
            return false;
        // .NET reads "10.1" and "167772161" as IPv4 too, which nobody means here.
        if (parsed.AddressFamily == AddressFamily.InterNetwork && text.Split('.').Length != 4)
            return false;
        address = parsed;
        return true;
    }

    public HbaAnswer Match(HbaRequest request, IHbaInterfaces interfaces)
    {
        if (request.Address is null)
            return HbaAnswer.No;
        if (_kind != Kind.HostName)
            return Contains(request.Address, interfaces) ? HbaAnswer.Yes : HbaAnswer.No;
        if (request.HostName is not { } name)
            return HbaAnswer.NeedsHostName;
        var fits = _hostName[0] == '.'
            ? name.EndsWith(_hostName, StringComparison.OrdinalIgnoreCase)
            : name.Equals(_hostName, StringComparison.OrdinalIgnoreCase);
        return fits ? HbaAnswer.Yes : HbaAnswer.No;
    }

    public bool Contains(IPAddress address, IHbaInterfaces interfaces)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return _kind switch
        {
            Kind.All => true,
            Kind.HostName => false,
            Kind.Network => Contains(_network, plain),
            Kind.SameHost => interfaces.List().Any(own => own.Address.GetAddressBytes().AsSpan().SequenceEqual(plain.GetAddressBytes())),
            _ => interfaces.List().Any(own => TryCreate(own.Address, own.PrefixLength, out var net) && Contains(net._network, plain)),
        };
    }

    private static bool Contains(IPNetwork network, IPAddress address) =>
        // A scope (fe80::1%eth0) says nothing of the network.
        network.Contains(address.AddressFamily == AddressFamily.InterNetworkV6 ? new IPAddress(address.GetAddressBytes()) : address);

    private static bool TryCreate(IPAddress ip, int prefix, out HbaAddress address)
    {
        address = All;
        if (ip.IsIPv4MappedToIPv6 && prefix is >= MappedPrefixLength and <= 128)
        {
            ip = ip.MapToIPv4();
            prefix -= MappedPrefixLength;
        }
        var bytes = ip.GetAddressBytes();
        if (prefix < 0 || prefix > bytes.Length * 8)
            return false;
        for (var bit = prefix; bit < bytes.Length * 8; bit++)
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        address = new HbaAddress(Kind.Network, new IPNetwork(new IPAddress(bytes), prefix));
        return true;
    }

    private static int PrefixLength(byte[] mask)
    {
        var ones = mask.Sum(part => BitOperations.PopCount(part));
        for (var bit = 0; bit < ones; bit++)
        {
            if ((mask[bit / 8] & (0x80 >> (bit % 8))) == 0)
                return -1;
        }
        return ones;
    }
}
