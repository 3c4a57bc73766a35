using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace PgRouter.Core.Transport;

/// <summary>
/// One thread that owns some sockets: a driver that waits for them (<see cref="LoopDriver"/>), a run queue of resumed handlers, an inbox for
/// other threads, one timer wheel. Handlers are async methods that resume inline on this thread; nothing on it may block or run longer than
/// about a millisecond. Members are for the loop's own thread unless they say otherwise.
/// </summary>
internal sealed class EventLoop : IDisposable
{
    [ThreadStatic]
    private static EventLoop? _current;

    private readonly ConcurrentQueue<(Action<object?> Run, object? State)> _inbox = new();
    private readonly ILogger _logger;
    private readonly Thread _thread;
    private readonly LoopContext _context;
    private Queue<Signal> _ready = new(256);
    private Queue<Signal> _running = new(256);
    private int _wakeupPending;
    private volatile bool _stopping;

    public EventLoop(int index, ILogger logger, LoopDriver? driver = null)
    {
        Index = index;
        _logger = logger;
        Driver = driver ?? new EpollDriver();
        NowMs = Environment.TickCount64;
        Timers = new TimerWheel(NowMs);
        _context = new LoopContext(this);
        _thread = new Thread(Run) { IsBackground = true, Name = $"loop {index}" };
    }

    public int Index { get; }

    internal LoopDriver Driver { get; }

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
        if (_current != this && Interlocked.Exchange(ref _wakeupPending, 1) == 0)
            Driver.Wake();
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
        SocketCount++;
        Driver.Add(socket);
    }

    internal void RegisterListening(LoopSocket socket)
    {
        SocketCount++;
        Driver.AddListening(socket);
    }

    /// <summary>Forgets a socket, which lives on.</summary>
    internal void Unregister(LoopSocket socket)
    {
        SocketCount--;
        Driver.Remove(socket);
    }

    /// <summary>Forgets a socket and closes its descriptor.</summary>
    internal void Close(LoopSocket socket)
    {
        SocketCount--;
        Driver.Close(socket);
    }

    private void Run()
    {
        _current = this;
        SynchronizationContext.SetSynchronizationContext(_context);
        Driver.Start();
        while (!_stopping)
        {
            RunInbox();
            RunReady();
            Wait();
            Timers.Advance(NowMs);
        }
        Driver.CloseAll();
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
        Driver.Wait(idle ? Timers.NextTimeoutMs(NowMs) : 0);
        NowMs = Environment.TickCount64;
        Driver.Dispatch();
    }

    /// <summary>Brings the continuations of ordinary tasks (DNS, snapshots) back to the loop.</summary>
    private sealed class LoopContext(EventLoop loop) : SynchronizationContext
    {
        public override void Post(SendOrPostCallback d, object? state) => loop.Post(new Action<object?>(d), state);

        public override void Send(SendOrPostCallback d, object? state) => throw new NotSupportedException("A loop is never waited for.");

        public override SynchronizationContext CreateCopy() => this;
    }
}
