using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using static PgRouter.Core.Transport.Native;

namespace PgRouter.Core.Transport;

/// <summary>
/// A connected stream socket on one loop. Reads and writes never block: they do what can be done now and the loop sets
/// <see cref="Owner"/> when more may be possible. Loop thread only.
/// </summary>
internal sealed unsafe class LoopSocket
{
    /// <summary>Nothing to read, or no room to write, now.</summary>
    public const int WouldBlock = -1;

    /// <summary>The connection is broken; see <see cref="Error"/>.</summary>
    public const int Broken = -2;

    private readonly Descriptor _descriptor;
    private bool _peerClosed;
    private TlsLayer? _tls;

    private LoopSocket(EventLoop loop, Descriptor descriptor)
    {
        Loop = loop;
        _descriptor = descriptor;
        Number = descriptor.Number;
    }

    public EventLoop Loop { get; private set; }

    internal int Number { get; }

    internal int Slot { get; set; } = -1;

    /// <summary>Set when the socket may be read or written again, or its peer went away.</summary>
    public IReadinessOwner? Owner { get; set; }

    /// <summary>A read may give something (bytes, the end, or an error).</summary>
    public bool IsReadable { get; private set; }

    /// <summary>A write may be accepted.</summary>
    public bool IsWritable { get; private set; } = true;

    public bool IsClosed => _descriptor.IsClosed;

    /// <summary>The peer has closed its side, or the connection broke; there may still be bytes to read.</summary>
    public bool PeerClosed => _peerClosed;

    /// <summary>errno of what broke the connection, 0 while it is whole.</summary>
    public int Error { get; private set; }

    /// <summary>The encryption of the connection; null = clear text.</summary>
    public TlsLayer? Tls => _tls;

    /// <summary>Takes over an accepted or created descriptor (non-blocking) and registers it.</summary>
    public static LoopSocket Adopt(EventLoop loop, int fd, bool isTcp)
    {
        var socket = new LoopSocket(loop, new Descriptor(fd));
        if (isTcp)
        {
            socket.SetOption(IPPROTO_TCP, TCP_NODELAY, 1);
            socket.SetOption(SOL_SOCKET, SO_KEEPALIVE, 1);
        }
        loop.Register(socket);
        return socket;
    }

    /// <summary>Registers a listening descriptor: readable = clients wait to be accepted.</summary>
    public static LoopSocket AdoptListening(EventLoop loop, Descriptor descriptor)
    {
        var socket = new LoopSocket(loop, descriptor);
        loop.Register(socket);
        return socket;
    }

    /// <summary>
    /// Begins to connect; the result is known when the socket becomes writable (<see cref="FinishConnect"/>). Throws IOException when the
    /// kernel refuses at once.
    /// </summary>
    public static LoopSocket BeginConnect(EventLoop loop, EndPoint endPoint)
    {
        var address = endPoint.Serialize();
        var fd = socket(NativeFamily(address.Family), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
            throw new IOException($"could not create a socket: {Describe(Marshal.GetLastPInvokeError())}");
        var isTcp = address.Family != AddressFamily.Unix;
        var descriptor = new Descriptor(fd);
        fixed (byte* buffer = address.Buffer.Span)
        {
            if (connect(fd, buffer, address.Size) < 0)
            {
                var errno = Marshal.GetLastPInvokeError();
                if (errno != EINPROGRESS)
                {
                    descriptor.Dispose();
                    throw new IOException(Describe(errno));
                }
            }
        }
        var result = new LoopSocket(loop, descriptor) { IsWritable = false };
        if (isTcp)
        {
            result.SetOption(IPPROTO_TCP, TCP_NODELAY, 1);
            result.SetOption(SOL_SOCKET, SO_KEEPALIVE, 1);
        }
        loop.Register(result);
        return result;
    }

    /// <summary>The outcome of <see cref="BeginConnect"/> once the socket is writable: 0 or an errno.</summary>
    public int FinishConnect()
    {
        int error = 0, length = sizeof(int);
        getsockopt(Number, SOL_SOCKET, SO_ERROR, &error, &length);
        Error = error;
        return error;
    }

    /// <summary>
    /// Reads what is there: the number of bytes, 0 at the end of the stream, <see cref="WouldBlock"/> or <see cref="Broken"/>.
    /// </summary>
    public int TryReceive(Span<byte> into) => _tls is null ? ReceiveRaw(into) : _tls.TryReceive(into);

    /// <summary>Writes what the kernel takes now: the number of bytes (maybe fewer than asked), <see cref="WouldBlock"/> or <see cref="Broken"/>.</summary>
    public int TrySend(ReadOnlySpan<byte> from) => _tls is null ? SendRaw(from) : _tls.TrySend(from);

    /// <summary>From now on everything read and written is encrypted: the handshake is done.</summary>
    public void Encrypt(TlsLayer tls)
    {
        _tls = tls;
        tls.AttachTo(this);
    }

    /// <summary><see cref="TryReceive"/> of the bytes on the wire.</summary>
    internal int ReceiveRaw(Span<byte> into)
    {
        if (!IsReadable)
            return WouldBlock;
        while (true)
        {
            nint count;
            fixed (byte* buffer = into)
                count = recv(Number, buffer, (nuint)into.Length, 0);
            if (count > 0)
            {
                // A short read has emptied the socket: the next bytes make a new edge. After the peer's end only another read tells.
                if (count < into.Length && !_peerClosed)
                    IsReadable = false;
                return (int)count;
            }
            if (count == 0)
            {
                IsReadable = false;
                _peerClosed = true;
                return 0;
            }
            var errno = Marshal.GetLastPInvokeError();
            if (errno == EINTR)
                continue;
            IsReadable = false;
            return errno == EAGAIN ? WouldBlock : Fail(errno);
        }
    }

    /// <summary><see cref="TrySend"/> of the bytes on the wire.</summary>
    internal int SendRaw(ReadOnlySpan<byte> from)
    {
        if (!IsWritable)
            return WouldBlock;
        while (true)
        {
            nint count;
            fixed (byte* buffer = from)
                count = send(Number, buffer, (nuint)from.Length, MSG_NOSIGNAL);
            if (count >= 0)
            {
                if (count < from.Length)
                    IsWritable = false;
                return (int)count;
            }
            var errno = Marshal.GetLastPInvokeError();
            if (errno == EINTR)
                continue;
            IsWritable = false;
            return errno == EAGAIN ? WouldBlock : Fail(errno);
        }
    }

    /// <summary>Says that no more will be written; the peer reads the end.</summary>
    public void ShutdownSend() => shutdown(Number, SHUT_WR);

    /// <summary>Ends the connection on this side: the owner is woken and reads the end, as if the peer had closed.</summary>
    public void ShutdownBoth() => shutdown(Number, SHUT_RDWR);

    public void Close()
    {
        if (_descriptor.IsClosed)
            return;
        _tls?.Close();
        if (Slot >= 0)
            Loop.Unregister(this);
        _descriptor.Dispose();
        Owner = null;
        IsReadable = IsWritable = false;
    }

    /// <summary>Leaves this loop, to be taken over by another with <see cref="AttachTo"/>. On the old loop's thread.</summary>
    public void Detach()
    {
        Owner = null;
        Loop.Unregister(this);
    }

    /// <summary>Joins a loop after <see cref="Detach"/>; registering reports what is ready. On the new loop's thread.</summary>
    public void AttachTo(EventLoop loop)
    {
        Loop = loop;
        loop.Register(this);
    }

    public EndPoint? LocalEndPoint => EndPointOf(peer: false);

    public EndPoint? RemoteEndPoint => EndPointOf(peer: true);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void OnEvent(uint events)
    {
        if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
            _peerClosed = true;
        if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
            IsReadable = true;
        if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0)
            IsWritable = true;
        _tls?.OnEvent();
        Owner?.OnReady();
    }

    private int Fail(int errno)
    {
        Error = errno;
        _peerClosed = true;
        return Broken;
    }

    private void SetOption(int level, int name, int value) => setsockopt(Number, level, name, &value, sizeof(int));

    private EndPoint? EndPointOf(bool peer) => _descriptor.IsClosed ? null : NativeAddress.Of(Number, peer);

    internal static int NativeFamily(AddressFamily family) => family switch
    {
        AddressFamily.InterNetwork => 2,
        AddressFamily.InterNetworkV6 => AF_INET6,
        AddressFamily.Unix => AF_UNIX,
        _ => throw new ArgumentOutOfRangeException(nameof(family), family, "not a stream address"),
    };
}
