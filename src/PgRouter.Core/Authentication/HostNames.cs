using System.Net;
using System.Net.Sockets;

namespace PgRouter.Core.Authentication;

/// <summary>
/// The name of a client's address, for lines with host names. As in PostgreSQL, what the reverse look-up says counts only when the name leads back to
/// the address. Any thread.
/// </summary>
internal static class HostNames
{
    /// <summary>Empty when there is none.</summary>
    public static Task<string> OfAsync(IPAddress address) => Task.Run(async () =>
    {
        try
        {
            var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
            var name = (await Dns.GetHostEntryAsync(plain).ConfigureAwait(false)).HostName;
            // Without a name the resolver gives the address back as text.
            if (IPAddress.TryParse(name, out _))
                return "";
            var back = await Dns.GetHostAddressesAsync(name).ConfigureAwait(false);
            return back.Any(one => one.Equals(plain)) ? name : "";
        }
        catch (SocketException)
        {
            return ""; // Nobody knows the address: as for PostgreSQL, no line with a name is for it.
        }
    });
}
