using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using static PgRouter.Core.Transport.Native;

namespace PgRouter.Core.Transport;

/// <summary>
/// A listening address: one descriptor per loop where the kernel can share the port (TCP with SO_REUSEPORT), else one on the first loop.
/// Throws IOException with the address in its message when it cannot be had.
/// </summary>
internal static unsafe class ListenSocket
{
    private const int Backlog = 4096;

    /// <summary>Binds and listens; the descriptor is non-blocking and not yet on any loop.</summary>
    public static Descriptor Open(EndPoint endPoint, bool sharePort)
    {
        var address = endPoint.Serialize();
        var fd = socket(LoopSocket.NativeFamily(address.Family), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
            throw Failure("socket", endPoint);
        var descriptor = new Descriptor(fd);
        if (address.Family != AddressFamily.Unix)
        {
            Set(fd, SOL_SOCKET, SO_REUSEADDR);
            if (sharePort)
                Set(fd, SOL_SOCKET, SO_REUSEPORT);
            if (address.Family == AddressFamily.InterNetworkV6)
                Set(fd, IPPROTO_IPV6, IPV6_V6ONLY);
        }
        int result;
        fixed (byte* buffer = address.Buffer.Span)
            result = bind(fd, buffer, address.Size);
        if (result < 0 || listen(fd, Backlog) < 0)
        {
            var failure = Failure(result < 0 ? "bind" : "listen", endPoint);
            descriptor.Dispose();
            throw failure;
        }
        return descriptor;
    }

    /// <summary>Accepts one connection: its descriptor, or <see cref="LoopSocket.WouldBlock"/>, or minus the errno minus 1000.</summary>
    public static int Accept(int fd)
    {
        while (true)
        {
            var accepted = accept4(fd, null, null, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (accepted >= 0)
                return accepted;
            var errno = Marshal.GetLastPInvokeError();
            if (errno is EINTR or ECONNABORTED)
                continue;
            return errno == EAGAIN ? LoopSocket.WouldBlock : -1000 - errno;
        }
    }

    private static void Set(int fd, int level, int name)
    {
        var one = 1;
        setsockopt(fd, level, name, &one, sizeof(int));
    }

    private static IOException Failure(string call, EndPoint endPoint) =>
        new($"could not listen on {endPoint}: {call}: {Describe(Marshal.GetLastPInvokeError())}");
}
