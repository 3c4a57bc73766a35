using System.Net;
using System.Net.NetworkInformation;

namespace PgRouter.Core.Authentication;

/// <summary>The addresses of this machine, for samehost and samenet.</summary>
internal interface IHbaInterfaces
{
    IReadOnlyList<(IPAddress Address, int PrefixLength)> List();
}

/// <summary>Asks the operating system each time, since addresses come and go; only rules with samehost or samenet ask.</summary>
internal sealed class HbaInterfaces : IHbaInterfaces
{
    public static readonly HbaInterfaces Instance = new();

    public IReadOnlyList<(IPAddress Address, int PrefixLength)> List() =>
        [.. NetworkInterface.GetAllNetworkInterfaces()
            .SelectMany(card => card.GetIPProperties().UnicastAddresses)
            .Select(own => (own.Address, own.PrefixLength))];
}
