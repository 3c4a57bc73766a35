using System.Net.Sockets;
using System.Text;

namespace PgRouter.Server.Processes;

/// <summary>
/// Tells the service manager how the process is doing, by sd_notify(3)'s protocol: one datagram per message to the socket named by
/// NOTIFY_SOCKET. Without that variable it does nothing.
/// </summary>
internal sealed class ServiceNotifier(string? notifySocket)
{
    /// <summary>The socket of the environment.</summary>
    public static ServiceNotifier FromEnvironment() => new(Environment.GetEnvironmentVariable("NOTIFY_SOCKET"));

    public void Ready() => Send("READY=1");

    /// <summary>A reload begins; systemd asks for the monotonic time with it (Type=notify-reload).</summary>
    public void Reloading() => Send($"RELOADING=1\nMONOTONIC_USEC={Environment.TickCount64 * 1000}");

    public void Stopping() => Send("STOPPING=1");

    /// <summary>Throws <see cref="SocketException"/> when the service manager cannot be reached.</summary>
    private void Send(string message)
    {
        if (string.IsNullOrEmpty(notifySocket))
            return;
        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        // '@' stands for the zero byte with which an abstract name begins.
        var name = notifySocket[0] == '@' ? "\0" + notifySocket[1..] : notifySocket;
        socket.SendTo(Encoding.UTF8.GetBytes(message), new UnixDomainSocketEndPoint(name));
    }
}
