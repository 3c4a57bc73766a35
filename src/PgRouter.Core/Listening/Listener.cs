using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using PgRouter.Core.Authentication;
using PgRouter.Core.Configuration;
using PgRouter.Core.Sessions;
using PgRouter.Core.Transport;

namespace PgRouter.Core.Listening;

/// <summary>
/// All listening addresses. TCP: one socket per loop and address, sharing the port, so that the kernel spreads the clients; Unix domain: one
/// socket, on the first loop, which deals the clients out in turn.
/// </summary>
internal sealed class Listener(IReadOnlyList<LoopServices> hosts, ServerConnector connector, Func<RouterConfig> config, ILogger logger)
{
    private static readonly TimeSpan AcceptPause = TimeSpan.FromMilliseconds(100);
    private readonly List<LoopSocket> _sockets = [];
    private readonly List<string> _unixPaths = [];
    private int _nextHost;

    /// <summary>Opens every address; throws IOException naming the one that cannot be had. Not on a loop's thread.</summary>
    public async Task StartAsync()
    {
        // TCP last: whoever waits for the router to come up waits for that.
        foreach (var directory in config().UnixSocketDirectories)
            await ListenUnixAsync(directory);
        foreach (var endPoint in await TcpEndPointsAsync())
        {
            foreach (var host in hosts)
                await ListenAsync(host, endPoint, sharePort: hosts.Count > 1, isTcp: true);
        }
    }

    /// <summary>No new clients. Not on a loop's thread.</summary>
    public async Task StopAsync()
    {
        // Taken before the first wait: a second, more urgent stop may come meanwhile.
        var (sockets, paths) = (_sockets.ToArray(), _unixPaths.ToArray());
        _sockets.Clear();
        _unixPaths.Clear();
        foreach (var socket in sockets)
        {
            await socket.Loop.InvokeAsync(() =>
            {
                socket.Close();
                return true;
            });
        }
        foreach (var path in paths)
            File.Delete(path);
    }

    private async Task<List<EndPoint>> TcpEndPointsAsync()
    {
        var endPoints = new List<EndPoint>();
        var port = config().Port;
        foreach (var name in config().ListenAddresses)
        {
            if (name == "*")
            {
                endPoints.Add(new IPEndPoint(IPAddress.Any, port));
                if (Socket.OSSupportsIPv6)
                    endPoints.Add(new IPEndPoint(IPAddress.IPv6Any, port));
            }
            else if (IPAddress.TryParse(name, out var address))
            {
                endPoints.Add(new IPEndPoint(address, port));
            }
            else
            {
                endPoints.AddRange((await Dns.GetHostAddressesAsync(name)).Select(a => new IPEndPoint(a, port)));
            }
        }
        return endPoints.Distinct().ToList();
    }

    private async Task ListenUnixAsync(string directory)
    {
        var path = Path.Combine(directory, $".s.PGSQL.{config().Port}");
        await RemoveStaleAsync(path);
        await ListenAsync(hosts[0], new UnixDomainSocketEndPoint(path), sharePort: false, isTcp: false);
        _unixPaths.Add(path);
        File.SetUnixFileMode(path, (UnixFileMode)config().UnixSocketPermissions);
    }

    /// <summary>A socket file that nobody answers on is left from a process that died; one that answers belongs to another server.</summary>
    private static async Task RemoveStaleAsync(string path)
    {
        if (!File.Exists(path))
            return;
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await probe.ConnectAsync(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException)
        {
            File.Delete(path);
            return;
        }
        throw new IOException($"could not listen on {path}: another server is using it; change port or unix_socket_directories");
    }

    private async Task ListenAsync(LoopServices host, EndPoint endPoint, bool sharePort, bool isTcp)
    {
        Descriptor descriptor;
        try
        {
            descriptor = ListenSocket.Open(endPoint, sharePort);
        }
        catch (IOException) when (endPoint is IPEndPoint { AddressFamily: AddressFamily.InterNetworkV6 } && _sockets.Count > 0)
        {
            return; // A machine without IPv6: the IPv4 address is enough for "localhost" and "*".
        }
        _sockets.Add(await host.Loop.InvokeAsync(() =>
        {
            var socket = LoopSocket.AdoptListening(host.Loop, descriptor);
            _ = AcceptAsync(host, socket, endPoint, isTcp);
            return socket;
        }));
    }

    private async Task AcceptAsync(LoopServices host, LoopSocket listening, EndPoint endPoint, bool isTcp)
    {
        var signal = new Signal(host.Loop);
        listening.Owner = signal;
        using var pause = new Deadline(signal);
        while (!listening.IsClosed)
        {
            var fd = listening.TryAccept();
            if (fd >= 0)
            {
                Serve(isTcp ? host : hosts[_nextHost++ % hosts.Count], fd, isTcp);
                continue;
            }
            if (fd != LoopSocket.WouldBlock)
            {
                TransportLog.AcceptFailed(logger, endPoint.ToString()!, Native.Describe(-fd - 1000), (int)AcceptPause.TotalMilliseconds);
                pause.Start(AcceptPause); // Out of descriptors or memory: others may end meanwhile.
            }
            await signal;
        }
    }

    private void Serve(LoopServices host, int fd, bool isTcp)
    {
        if (ReferenceEquals(EventLoop.Current, host.Loop))
            _ = ClientLogin.ServeAsync(host, connector, LoopSocket.Adopt(host.Loop, fd, isTcp));
        else
            host.Loop.Post(_ => { _ = ClientLogin.ServeAsync(host, connector, LoopSocket.Adopt(host.Loop, fd, isTcp)); }, null);
    }
}
