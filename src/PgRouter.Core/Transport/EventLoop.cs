using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using static PgRouter.Core.Transport.Native;

namespace PgRouter.Core.Transport;

/// <summary>
/// One thread that owns some sockets: edge-triggered epoll, a run queue of resumed handlers, an inbox for other threads, one timer wheel.
/// Handlers are async methods that resume inline on this thread; nothing on it may block or run longer than about a millisecond.
/// Members are for the loop's own thread unless they say otherwise. Source: epoll(7).
/// </summary>
internal sealed unsafe class EventLoop : IDisposable
{
    private const int MaxEvents = 512;
    private const ulong WakeupData = ulong.MaxValue;

    [ThreadStatic]
    private static EventLoop? _current;

    private readonly Descriptor _epoll;
    private readonly Descriptor _wakeup;
    private readonly byte* _events;
    private readonly ConcurrentQueue<(Action<object?> Run, object? State)> _inbox = new();
    private readonly ILogger _logger;
    private readonly Thread _thread;
    private readonly LoopContext _context;
    private Queue<Signal> _ready = new(256);
    private Queue<Signal> _running = new(256);
    private LoopSocket?[] _sockets = new LoopSocket?[1024];
    private uint[] _generations = new uint[1024];
    private readonly Stack<int> _freeSlots = new();
    private int _usedSlots;
    private int _wakeupPending;
    private volatile bool _stopping;

    public EventLoop(int index, ILogger logger)
    {
        Index = index;
        _logger = logger;
        _epoll = new Descriptor(Check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1"));
        _wakeup = new Descriptor(Check(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd"));
        _events = (byte*)NativeMemory.AllocZeroed((nuint)(MaxEvents * EpollEvents.Size));
        AddToEpoll(_wakeup.Number, EPOLLIN | EPOLLET, WakeupData);
        NowMs = Environment.TickCount64;
        Timers = new TimerWheel(NowMs);
        _context = new LoopContext(this);
        _thread = new Thread(Run) { IsBackground = true, Name = $"loop {index}" };
    }

    public int Index { get; }

    /// <summary>The loop of the calling thread, null on any other thread.</summary>
    public static EventLoop? Current => _current;

    /// <summary>The one receive buffer of this loop: valid until the handler awaits.</summary>
    public byte[] ReceiveBuffer { get; } = GC.AllocateUninitializedArray<byte>(128 * 1024, pinned: true);

    /// <summary>A second buffer to build messages in: valid until the handler awaits.</summary>
    public byte[] ScratchBuffer { get; } = GC.AllocateUninitializedArray<byte>(256 * 1024, pinned: true);

    /// <summary>Monotonic milliseconds (Environment.TickCount64), read once per wake-up.</summary>
    public long NowMs { get; private set; }

    public TimerWheel Timers { get; }

    /// <summary>Sockets registered now.</summary>
    public int SocketCount { get; private set; }

    public void Start() => _thread.Start();

    /// <summary>Runs something on the loop's thread, in order, after what it does now. Any thread.</summary>
    public void Post(Action<object?> run, object? state)
    {
        _inbox.Enqueue((run, state));
        if (Interlocked.Exchange(ref _wakeupPending, 1) == 0)
        {
            ulong one = 1;
            write(_wakeup.Number, &one, sizeof(ulong));
        }
    }

    /// <summary>Runs something on the loop's thread and gives its result. Any thread but the loop's own.</summary>
    public Task<T> InvokeAsync<T>(Func<T> run)
    {
        var completion = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(
            _ =>
            {
                try
                {
                    completion.SetResult(run());
                }
                catch (Exception e)
                {
                    completion.SetException(e);
                }
            },
            null);
        return completion.Task;
    }

    /// <summary>Ends the thread after what it runs now; sockets that are still open are closed. Any thread.</summary>
    public void Stop()
    {
        _stopping = true;
        Post(static _ => { }, null);
    }

    public void Join() => _thread.Join();

    public void Dispose()
    {
        Stop();
        if (_thread.IsAlive && Current != this)
            _thread.Join();
    }

    internal void Schedule(Signal signal) => _ready.Enqueue(signal);

    internal void Register(LoopSocket socket)
    {
        if (!_freeSlots.TryPop(out var slot))
            slot = NewSlot();
        _sockets[slot] = socket;
        socket.Slot = slot;
        SocketCount++;
        AddToEpoll(socket.Number, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, ((ulong)_generations[slot] << 32) | (uint)slot);
    }

    /// <summary>Forgets a socket; events already fetched for it are dropped by its generation.</summary>
    internal void Unregister(LoopSocket socket)
    {
        epoll_ctl(_epoll.Number, EPOLL_CTL_DEL, socket.Number, null);
        _sockets[socket.Slot] = null;
        _generations[socket.Slot]++;
        _freeSlots.Push(socket.Slot);
        socket.Slot = -1;
        SocketCount--;
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

    private void Run()
    {
        _current = this;
        SynchronizationContext.SetSynchronizationContext(_context);
        while (!_stopping)
        {
            RunInbox();
            RunReady();
            Wait();
            Timers.Advance(NowMs);
        }
        CloseAll();
    }

    private void RunReady()
    {
        while (_ready.Count > 0)
        {
            (_ready, _running) = (_running, _ready);
            while (_running.TryDequeue(out var signal))
                signal.Resume();
            if (!_inbox.IsEmpty || _ready.Count > 0)
                return; // Fairness: look at sockets and inbox between rounds.
        }
    }

    private void RunInbox()
    {
        Volatile.Write(ref _wakeupPending, 0);
        Interlocked.MemoryBarrier();
        var budget = 1024;
        while (budget-- > 0 && _inbox.TryDequeue(out var item))
        {
            try
            {
                item.Run(item.State);
            }
            catch (Exception e)
            {
                TransportLog.PostedWorkFailed(_logger, e, Index);
            }
        }
    }

    private void Wait()
    {
        var idle = _ready.Count == 0 && _inbox.IsEmpty;
        var count = epoll_wait(_epoll.Number, _events, MaxEvents, idle ? Timers.NextTimeoutMs(NowMs) : 0);
        NowMs = Environment.TickCount64;
        for (var i = 0; i < count; i++)
        {
            var entry = _events + (i * EpollEvents.Size);
            Dispatch(EpollEvents.Data(entry), EpollEvents.Events(entry));
        }
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
        if (_generations[slot] == (uint)(data >> 32))
            _sockets[slot]?.OnEvent(events);
    }

    private void AddToEpoll(int fd, uint events, ulong data)
    {
        var buffer = stackalloc byte[16];
        EpollEvents.Write(buffer, events, data);
        Check(epoll_ctl(_epoll.Number, EPOLL_CTL_ADD, fd, buffer), "epoll_ctl");
    }

    private void CloseAll()
    {
        foreach (var socket in _sockets)
            socket?.Close();
        _epoll.Dispose(); // Not the wake-up descriptor: others may still post, and its number must not be somebody else's by then.
        NativeMemory.Free(_events);
    }

    private static int Check(int result, string call) =>
        result >= 0 ? result : throw new IOException($"{call} failed: {Describe(Marshal.GetLastPInvokeError())}");

    /// <summary>Brings the continuations of ordinary tasks (DNS, snapshots) back to the loop.</summary>
    private sealed class LoopContext(EventLoop loop) : SynchronizationContext
    {
        public override void Post(SendOrPostCallback d, object? state) => loop.Post(new Action<object?>(d), state);

        public override void Send(SendOrPostCallback d, object? state) => throw new NotSupportedException("A loop is never waited for.");

        public override SynchronizationContext CreateCopy() => this;
    }
}
