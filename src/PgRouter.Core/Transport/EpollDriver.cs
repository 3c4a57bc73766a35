using System.Runtime.InteropServices;
using static PgRouter.Core.Transport.Native;

namespace PgRouter.Core.Transport;

/// <summary>
/// Edge-triggered epoll: each descriptor is registered once, and read and written by ordinary calls. Source: epoll(7).
/// </summary>
internal sealed unsafe class EpollDriver : LoopDriver
{
    private const int MaxEvents = 512;
    private const ulong WakeupData = ulong.MaxValue;

    private readonly Descriptor _epoll;
    private readonly Descriptor _wakeup;
    private readonly byte* _events;
    private readonly Stack<int> _freeSlots = new();
    private LoopSocket?[] _sockets = new LoopSocket?[1024];
    private uint[] _generations = new uint[1024];
    private int _usedSlots;
    private int _count;

    public EpollDriver()
    {
        _epoll = new Descriptor(Check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1"));
        _wakeup = new Descriptor(Check(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd"));
        _events = (byte*)NativeMemory.AllocZeroed((nuint)(MaxEvents * EpollEvents.Size));
        Register(_wakeup.Number, EPOLLIN | EPOLLET, WakeupData);
    }

    public override string Name => "epoll";

    public override void Start()
    {
    }

    public override void Wait(int timeoutMs)
    {
        _count = epoll_wait(_epoll.Number, _events, MaxEvents, timeoutMs);
    }

    public override void Dispatch()
    {
        for (var i = 0; i < _count; i++)
        {
            var entry = _events + (i * EpollEvents.Size);
            Dispatch(EpollEvents.Data(entry), EpollEvents.Events(entry));
        }
    }

    public override void Wake()
    {
        ulong one = 1;
        write(_wakeup.Number, &one, sizeof(ulong));
    }

    public override void Add(LoopSocket socket) => AddToEpoll(socket);

    public override void AddListening(LoopSocket socket) => AddToEpoll(socket);

    /// <summary>Events already fetched for it are dropped by its generation.</summary>
    public override void Remove(LoopSocket socket)
    {
        epoll_ctl(_epoll.Number, EPOLL_CTL_DEL, socket.Number, null);
        _sockets[socket.Slot] = null;
        _generations[socket.Slot]++;
        _freeSlots.Push(socket.Slot);
        socket.Slot = -1;
    }

    public override void Close(LoopSocket socket)
    {
        Remove(socket);
        socket.CloseDescriptor();
    }

    public override int Receive(LoopSocket socket, Span<byte> into)
    {
        while (true)
        {
            nint count;
            fixed (byte* buffer = into)
                count = recv(socket.Number, buffer, (nuint)into.Length, 0);
            if (count > 0)
            {
                // A short read has emptied the socket: the next bytes make a new edge. After the peer's end only another read tells.
                if (count < into.Length && !socket.PeerClosed)
                    socket.IsReadable = false;
                return (int)count;
            }
            if (count == 0)
                return socket.NoteEnd();
            var errno = Marshal.GetLastPInvokeError();
            if (errno == EINTR)
                continue;
            socket.IsReadable = false;
            return errno == EAGAIN ? LoopSocket.WouldBlock : socket.NoteBroken(errno);
        }
    }

    public override int Send(LoopSocket socket, ReadOnlySpan<byte> from)
    {
        var count = SendNow(socket.Number, from);
        if (count >= 0)
        {
            if (count < from.Length)
                socket.IsWritable = false;
            return count;
        }
        socket.IsWritable = false;
        return count == -EAGAIN ? LoopSocket.WouldBlock : socket.NoteBroken(-count);
    }

    public override int Accept(LoopSocket socket) => ListenSocket.Accept(socket.Number);

    public override void Shutdown(LoopSocket socket, int how) => shutdown(socket.Number, how);

    public override void CloseAll()
    {
        foreach (var socket in _sockets)
            socket?.Close();
        _epoll.Dispose(); // Not the wake-up descriptor: others may still post, and its number must not be somebody else's by then.
        NativeMemory.Free(_events);
    }

    private void Dispatch(ulong data, uint events)
    {
        if (data == WakeupData)
        {
            ulong ignored;
            read(_wakeup.Number, &ignored, sizeof(ulong));
            return;
        }
        var slot = (int)(uint)data;
        if (_generations[slot] == (uint)(data >> 32) && _sockets[slot] is { } socket)
            Note(socket, events);
    }

    private static void Note(LoopSocket socket, uint events)
    {
        if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
            socket.PeerClosed = true;
        if ((events & EPOLLERR) != 0)
            socket.IsReset = true;
        if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
            socket.IsReadable = true;
        if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0)
            socket.IsWritable = true;
        socket.TellOwner();
    }

    private void AddToEpoll(LoopSocket socket)
    {
        if (!_freeSlots.TryPop(out var slot))
            slot = NewSlot();
        _sockets[slot] = socket;
        socket.Slot = slot;
        Register(socket.Number, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, ((ulong)_generations[slot] << 32) | (uint)slot);
    }

    private int NewSlot()
    {
        if (_usedSlots == _sockets.Length)
        {
            Array.Resize(ref _sockets, _sockets.Length * 2);
            Array.Resize(ref _generations, _generations.Length * 2);
        }
        return _usedSlots++;
    }

    private void Register(int fd, uint events, ulong data)
    {
        var buffer = stackalloc byte[16];
        EpollEvents.Write(buffer, events, data);
        Check(epoll_ctl(_epoll.Number, EPOLL_CTL_ADD, fd, buffer), "epoll_ctl");
    }
}
