using System.Net;
using System.Net.Sockets;
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
    private TlsLayer? _tls;

    private LoopSocket(EventLoop loop, Descriptor descriptor)
    {
        Loop = loop;
        _descriptor = descriptor;
        Number = descriptor.Number;
    }

    public EventLoop Loop { get; private set; }

    internal int Number { get; }

    /// <summary>Its place with the driver of its loop; -1 = none.</summary>
    internal int Slot { get; set; } = -1;

    /// <summary>What the driver keeps about it, if it keeps anything.</summary>
    internal UringSocket? Ring { get; set; }

    /// <summary>Set when the socket may be read or written again, or its peer went away.</summary>
    public IReadinessOwner? Owner { get; set; }

    /// <summary>A read may give something (bytes, the end, or an error).</summary>
    public bool IsReadable { get; internal set; }

    /// <summary>A write may be accepted.</summary>
    public bool IsWritable { get; internal set; } = true;

    public bool IsClosed { get; private set; }

    /// <summary>The peer has closed its side, or the connection broke; there may still be bytes to read.</summary>
    public bool PeerClosed { get; internal set; }

    /// <summary>The peer has torn the connection: what was not read is not worth reading. Not set by an orderly end.</summary>
    public bool IsReset { get; internal set; }

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
        loop.RegisterListening(socket);
        return socket;
    }

    /// <summary>A client that waited at this listening socket: its descriptor, <see cref="WouldBlock"/>, or minus the errno minus 1000.</summary>
    public int TryAccept() => Loop.Driver.Accept(this);

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
    internal int ReceiveRaw(Span<byte> into) => IsReadable ? Loop.Driver.Receive(this, into) : WouldBlock;

    /// <summary><see cref="TrySend"/> of the bytes on the wire.</summary>
    internal int SendRaw(ReadOnlySpan<byte> from) => IsWritable ? Loop.Driver.Send(this, from) : WouldBlock;

    /// <summary>Says that no more will be written; the peer reads the end.</summary>
    public void ShutdownSend() => Loop.Driver.Shutdown(this, SHUT_WR);

    /// <summary>Ends the connection on this side: the owner is woken and reads the end, as if the peer had closed.</summary>
    public void ShutdownBoth() => Loop.Driver.Shutdown(this, SHUT_RDWR);

    public void Close()
    {
        if (IsClosed)
            return;
        _tls?.Close();
        IsClosed = true;
        Owner = null;
        IsReadable = IsWritable = false;
        if (Slot >= 0)
            Loop.Close(this);
        else
            CloseDescriptor();
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

    /// <summary>Called by the driver when something has changed.</summary>
    internal void TellOwner()
    {
        _tls?.OnEvent();
        Owner?.OnReady();
    }

    /// <summary>The peer's end has been read.</summary>
    internal int NoteEnd()
    {
        IsReadable = false;
        PeerClosed = true;
        return 0;
    }

    internal int NoteBroken(int errno)
    {
        Error = errno;
        PeerClosed = true;
        return Broken;
    }

    /// <summary>Called by the driver, or in place of one: nothing is under way any more.</summary>
    internal void CloseDescriptor() => _descriptor.Dispose();

    private void SetOption(int level, int name, int value) => setsockopt(Number, level, name, &value, sizeof(int));

    private EndPoint? EndPointOf(bool peer) => IsClosed ? null : NativeAddress.Of(Number, peer);

    internal static int NativeFamily(AddressFamily family) => family switch
    {
        AddressFamily.InterNetwork => 2,
        AddressFamily.InterNetworkV6 => AF_INET6,
        AddressFamily.Unix => AF_UNIX,
        _ => throw new ArgumentOutOfRangeException(nameof(family), family, "not a stream address"),
    };
}
