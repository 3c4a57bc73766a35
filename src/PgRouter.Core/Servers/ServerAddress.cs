using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace PgRouter.Core.Servers;

/// <summary>
/// From backend_hostname and backend_port to addresses: a directory is a Unix-domain socket, a number is itself, a name is asked of the
/// resolver and remembered for a short time, so that a connect does not wait for DNS each time. Any thread.
/// </summary>
internal static class ServerAddress
{
    private static readonly TimeSpan Age = TimeSpan.FromSeconds(15);
    private static readonly ConcurrentDictionary<string, (IPAddress[] Addresses, long ResolvedAt)> Resolved = new();

    /// <summary>All addresses to try in order. Throws SocketException when the name is unknown.</summary>
    public static async ValueTask<IReadOnlyList<EndPoint>> ResolveAsync(string host, int port)
    {
        if (host.StartsWith('/'))
            return [new UnixDomainSocketEndPoint($"{host}/.s.PGSQL.{port}")];
        if (IPAddress.TryParse(host, out var address))
            return [new IPEndPoint(address, port)];
        var now = Environment.TickCount64;
        if (!Resolved.TryGetValue(host, out var entry) || now - entry.ResolvedAt > Age.TotalMilliseconds)
        {
            entry = (await Dns.GetHostAddressesAsync(host), now);
            Resolved[host] = entry;
        }
        return Array.ConvertAll(entry.Addresses, a => (EndPoint)new IPEndPoint(a, port));
    }
}
