using System.Net;
using System.Net.Sockets;
using static PgRouter.Core.Transport.Native;

namespace PgRouter.Core.Transport;

/// <summary>The addresses of a socket, from the kernel's form to .NET's.</summary>
internal static unsafe class NativeAddress
{
    private static readonly IPEndPoint AnyV4 = new(IPAddress.Any, 0);
    private static readonly IPEndPoint AnyV6 = new(IPAddress.IPv6Any, 0);

    /// <summary>The local or remote address of a socket; null for a Unix-domain socket and for one that is not connected any more.</summary>
    public static EndPoint? Of(int fd, bool peer)
    {
        const int room = 128;
        var buffer = stackalloc byte[room];
        var length = room;
        if ((peer ? getpeername(fd, buffer, &length) : getsockname(fd, buffer, &length)) < 0 || length < 2)
            return null;
        var template = *(ushort*)buffer switch
        {
            2 => AnyV4,
            AF_INET6 => AnyV6,
            _ => null,
        };
        if (template is null)
            return null;
        var address = new SocketAddress(template.AddressFamily, length);
        new ReadOnlySpan<byte>(buffer, length).CopyTo(address.Buffer.Span);
        var endPoint = (IPEndPoint)template.Create(address);
        return endPoint.Address.IsIPv4MappedToIPv6 ? new IPEndPoint(endPoint.Address.MapToIPv4(), endPoint.Port) : endPoint;
    }
}
