using PgRouter.Core.Cluster;
using PgRouter.Core.Servers;
using PgRouter.Core.Transport;
using PgRouter.Protocol;

namespace PgRouter.Core.Pooling;

/// <summary>
/// The servers of one (node, database, user). Idle servers stay on the loop that used them last, newest first; waiters of all loops stand in
/// one queue, oldest first. Taking an idle server and giving one back take no lock while nobody waits. See docs/pooling.md.
/// </summary>
internal sealed class ServerPool
{
    private static readonly TimeSpan ResetTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ReplayPause = TimeSpan.FromSeconds(1);
    private readonly PoolContext _context;
    private readonly NodeBudget _budget;
    private readonly Lock _lock = new();
    private readonly LinkedList<PoolWaiter> _waiters = [];
    private readonly PoolShard[] _shards;
    private int _waiterCount;
    private int _count;
    private int _opening;
    private PoolError? _lastError;
    private volatile PoolError? _retirement;
    private long _retryAtMs;

    public ServerPool(PoolKey key, NodeConfig node, PoolContext context, int loops)
    {
        Key = key;
        Node = node;
        _context = context;
        _budget = context.Budget(key.NodeId);
        _shards = new PoolShard[loops];
        for (var i = 0; i < loops; i++)
            _shards[i] = new PoolShard();
    }

    public PoolKey Key { get; }

    public NodeConfig Node { get; }

    public int Size => _context.Config().DefaultPoolSize;

    public int Count => Volatile.Read(ref _count);

    public int Opening => Volatile.Read(ref _opening);

    /// <summary>Idle servers of all loops. Any thread; a moment old.</summary>
    public int IdleCount
    {
        get
        {
            var count = 0;
            foreach (var shard in _shards)
                count += Volatile.Read(ref shard.Count);
            return count;
        }
    }

    public int WaiterCount => Volatile.Read(ref _waiterCount);

    /// <summary>Set when the node was taken out of the configuration or replaced: nothing is opened any more, what comes back is closed.</summary>
    public bool IsRetired => _retirement is not null;

    /// <summary>An idle server at once, or null: then <see cref="Wait"/>. Waiters go first.</summary>
    public ServerLease? TryTake(EventLoop loop)
    {
        if (Volatile.Read(ref _waiterCount) > 0)
            return null;
        return TakeIdle(_shards[loop.Index]);
    }

    /// <summary>Stands in the queue; the waiter's signal is set when there is a lease or an error. The waiter's loop.</summary>
    public void Wait(PoolWaiter waiter)
    {
        waiter.Reset();
        waiter.EnqueuedAtMs = Environment.TickCount64;
        lock (_lock)
        {
            waiter.Place = _waiters.AddLast(waiter);
            Interlocked.Increment(ref _waiterCount); // Full fence: from here on every release looks at the queue.
        }
        if (_retirement is { } retirement)
        {
            FailWaiters(retirement); // Retired since the caller looked: nobody else will come to say so.
            return;
        }
        ServeFrom(waiter.Loop);
        OpenAsNeeded(waiter.Loop);
        if (waiter.Lease is null && waiter.Error is null)
            AskOtherLoops(waiter.Loop);
    }

    /// <summary>Leaves the queue; a lease granted meanwhile is given back. The waiter's loop.</summary>
    public void Cancel(PoolWaiter waiter)
    {
        lock (_lock)
        {
            Unlink(waiter);
            waiter.Ticket++;
        }
        var lease = waiter.Lease;
        waiter.Reset();
        lease?.Release();
    }

    /// <summary>Takes over a server that was opened at a client's login. Its loop.</summary>
    public void Adopt(ServerConnection server)
    {
        lock (_lock)
            _count++;
        _budget.TakeOpened();
        server.Lease = new ServerLease(this, server);
        _context.Remember(server);
        PoolLog.ServerOpened(_context.Logger, server.Id, server.Pid, Node.Id, Key.Database, Key.User);
        PutBack(server);
    }

    /// <summary>How long the oldest waiter has waited. Any thread.</summary>
    public TimeSpan OldestWait()
    {
        lock (_lock)
            return _waiters.First is { } first ? TimeSpan.FromMilliseconds(Environment.TickCount64 - first.Value.EnqueuedAtMs) : TimeSpan.Zero;
    }

    /// <summary>Idle servers of one loop, for snapshots and upkeep. That loop.</summary>
    public IReadOnlyList<ServerConnection> Idle(EventLoop loop) => _shards[loop.Index].Servers;

    /// <summary>Closes idle servers that are too old or too long unused. The loop that owns the shard.</summary>
    public void CloseExpired(EventLoop loop)
    {
        var servers = _shards[loop.Index].Servers;
        for (var i = servers.Count - 1; i >= 0; i--)
        {
            if (IsRetired || IsExpired(servers[i], loop.NowMs) || IsIdleTooLong(servers[i], loop.NowMs))
                RemoveIdle(servers[i], "expired");
        }
    }

    /// <summary>Closes the idle server that was unused longest, to make room for another pool. The loop that owns the shard.</summary>
    public void CloseOneIdle(EventLoop loop)
    {
        if (_shards[loop.Index].Servers is [var oldest, ..])
            RemoveIdle(oldest, "another pool of the node needs the place");
    }

    /// <summary>No more servers: waiters get the error, idle ones are closed by the next upkeep.</summary>
    public void Retire(PoolError error)
    {
        _retirement = error;
        FailWaiters(error);
    }

    /// <summary>An idle server's socket became ready: its peer closed it or said something while nobody asked. Its loop.</summary>
    public void OnIdleReady(ServerConnection server)
    {
        if (!server.Partial.IsEmpty || server.Partial.Receive(server.Socket) != LoopSocket.WouldBlock)
        {
            if (OnlyAsynchronousMessages(server) && !server.Socket.PeerClosed)
                return;
            RemoveIdle(server, "closed by the server while idle");
        }
        else if (server.Socket.PeerClosed)
        {
            RemoveIdle(server, "closed by the server while idle");
        }
    }


    internal async Task ResetAndReturnAsync(ServerConnection server, IReadOnlyList<string> resetQueries)
    {
        var signal = new Signal(server.Socket.Loop);
        server.Socket.Owner = signal;
        while (server.CancelsUnderWay > 0)
        {
            server.AfterCancels = signal.Set; // Or it would hit the reset.
            await signal;
        }
        foreach (var query in resetQueries)
        {
            if (await server.ExecuteAsync(query, signal, ResetTimeout) is { } error)
            {
                Drop(server, $"reset failed: {error.Message}");
                return;
            }
        }
        server.Prepared.Clear();
        server.HasClientsNames = false;
        server.Settings = SettingsSet.Empty;
        PutBack(server);
    }

    /// <summary>A lease has ended, or a server was opened: to a waiter, else idle; closed when it is not clean.</summary>
    internal void PutBack(ServerConnection server)
    {
        var loop = server.Socket.Loop;
        if (IsRetired || !server.IsClean || IsExpired(server, loop.NowMs) || Count > Size)
        {
            Drop(server, server.IsClean ? "expired" : "not clean");
            return;
        }
        if (server.CancelsUnderWay > 0)
        {
            ParkUntilCancelled(server);
            return;
        }
        server.IdleSinceMs = loop.NowMs;
        if (_budget.IsOwedSince(this, OldestWaiterSinceMs()))
        {
            Drop(server, "another pool of the node has waited longer");
            return;
        }
        if (Volatile.Read(ref _waiterCount) > 0 && DequeueWaiter(out var ticket) is { } waiter)
        {
            Give(waiter, ticket, server.Lease!.Begin());
            return;
        }
        if (!_context.Config().ConnectionCache)
        {
            Drop(server, "connection_cache is off");
            return;
        }
        PutIdle(server);
        if (_shards.Length == 1)
            return;
        Interlocked.MemoryBarrier(); // Publish the idle server, then look at the queue once more: no waiter sleeps beside it.
        if (Volatile.Read(ref _waiterCount) > 0)
            ServeFrom(loop);
    }

    // In methods of their own: a lambda would make its closure at every call of the method it stands in.
    private void ParkUntilCancelled(ServerConnection server) => server.AfterCancels = () => PutBack(server);

    private void OpenLater(EventLoop loop) => _context.After(loop, _retryAtMs, () => OpenAsNeeded(loop));

    private long OldestWaiterSinceMs()
    {
        if (WaiterCount == 0)
            return long.MaxValue;
        lock (_lock)
            return _waiters.First?.Value.EnqueuedAtMs ?? long.MaxValue;
    }

    private void PutIdle(ServerConnection server)
    {
        server.Socket.Owner = server.Lease;
        var shard = _shards[server.Socket.Loop.Index];
        shard.Servers.Add(server);
        Volatile.Write(ref shard.Count, shard.Servers.Count);
    }

    private ServerLease? TakeIdle(PoolShard shard)
    {
        while (shard.Servers.Count > 0)
        {
            var server = shard.Servers[^1];
            shard.Servers.RemoveAt(shard.Servers.Count - 1);
            Volatile.Write(ref shard.Count, shard.Servers.Count);
            server.Socket.Owner = null;
            if (!server.IsClean || IsRetired)
            {
                Drop(server, "found closed at check-out");
                continue;
            }
            return server.Lease!.Begin();
        }
        return null;
    }

    private void RemoveIdle(ServerConnection server, string reason)
    {
        var shard = _shards[server.Socket.Loop.Index];
        if (!shard.Servers.Remove(server))
            return;
        Volatile.Write(ref shard.Count, shard.Servers.Count);
        Drop(server, reason);
    }

    /// <summary>Closes a server that is neither idle nor leased and opens another when somebody waits.</summary>
    internal void Drop(ServerConnection server, string reason)
    {
        var loop = server.Socket.Loop;
        PoolLog.ServerClosed(_context.Logger, server.Id, server.Pid, Node.Id, Key.Database, Key.User, reason);
        _context.Forget(server);
        server.Close();
        lock (_lock)
            _count--;
        GiveBackBudget(loop);
        OpenAsNeeded(loop);
    }

    /// <summary>
    /// A place on the node is free: the pool that waits for one opens its server; one whose waiters have left is passed over.
    /// </summary>
    private void GiveBackBudget(EventLoop loop)
    {
        _budget.Release();
        while (_budget.NextInLine() is { } needy)
            needy.OpenAsNeeded(loop);
    }

    /// <summary>Gives idle servers of this loop to waiters of any loop, oldest first.</summary>
    private void ServeFrom(EventLoop loop)
    {
        var shard = _shards[loop.Index];
        while (WaiterCount > 0 && TakeIdle(shard) is { } lease)
        {
            if (DequeueWaiter(out var ticket) is not { } waiter)
            {
                lease.Release();
                return;
            }
            Give(waiter, ticket, lease);
        }
    }

    private void AskOtherLoops(EventLoop own)
    {
        for (var i = 0; i < _shards.Length; i++)
        {
            if (i != own.Index && Volatile.Read(ref _shards[i].Count) > 0)
                _context.Loops[i].Post(static state => ((ServerPool)state!).ServeFrom(EventLoop.Current!), this);
        }
    }

    private static void Give(PoolWaiter waiter, int ticket, ServerLease lease)
    {
        var server = lease.Server;
        if (ReferenceEquals(waiter.Loop, server.Socket.Loop))
        {
            server.Socket.Owner = null;
            waiter.Lease = lease;
            waiter.Signal.Set();
            return;
        }
        HandOver(waiter, ticket, lease);
    }

    private static void HandOver(PoolWaiter waiter, int ticket, ServerLease lease)
    {
        lease.Server.Socket.Detach();
        waiter.Loop.Post(_ => TakeOver(waiter, ticket, lease), null);
    }

    /// <summary>Ends a hand-over between loops, on the waiter's loop.</summary>
    private static void TakeOver(PoolWaiter waiter, int ticket, ServerLease lease)
    {
        lease.Server.Socket.AttachTo(waiter.Loop);
        if (waiter.Ticket != ticket)
        {
            lease.Release();
            return;
        }
        waiter.Lease = lease;
        waiter.Signal.Set();
    }

    /// <summary>The oldest waiter, and its ticket at that moment: it may leave before what is given to it arrives on its loop.</summary>
    private PoolWaiter? DequeueWaiter(out int ticket)
    {
        lock (_lock)
        {
            var waiter = _waiters.First?.Value;
            ticket = waiter?.Ticket ?? 0;
            if (waiter is not null)
                Unlink(waiter);
            return waiter;
        }
    }

    private void Unlink(PoolWaiter waiter)
    {
        if (waiter.Place is null)
            return;
        _waiters.Remove(waiter.Place);
        waiter.Place = null;
        Interlocked.Decrement(ref _waiterCount);
    }

    /// <summary>Opens as many servers as there are waiters without one on its way, up to the size of the pool.</summary>
    private void OpenAsNeeded(EventLoop loop)
    {
        while (true)
        {
            lock (_lock)
            {
                if (_waiters.Count <= _opening || _count >= Size || IsRetired)
                    return;
                if (_lastError is not null && Environment.TickCount64 < _retryAtMs)
                    break;
                _count++;
                _opening++;
            }
            if (!_budget.TryTake(this))
            {
                lock (_lock)
                {
                    _count--;
                    _opening--;
                }
                _context.MakeRoom(this);
                return;
            }
            _ = OpenAsync(loop);
        }
        if (Count == 0)
            FailWaiters(_lastError);
        else
            OpenLater(loop);
    }

    private async Task OpenAsync(EventLoop loop)
    {
        var result = await _context.Connector.ConnectAsync(loop, Node, Key.Database, Key.User);
        lock (_lock)
        {
            _opening--;
            if (result.Server is null)
                _count--;
            else
                _lastError = null;
        }
        if (result.Server is null)
            GiveBackBudget(loop);
        if (result.Server is { } server)
        {
            server.Lease = new ServerLease(this, server);
            _context.Remember(server);
            PoolLog.ServerOpened(_context.Logger, server.Id, server.Pid, Node.Id, Key.Database, Key.User);
            PutBack(server);
            OpenAsNeeded(loop);
        }
        else
        {
            OnOpenFailed(loop, result.Error!);
        }
    }

    private void OnOpenFailed(EventLoop loop, PoolError error)
    {
        PoolLog.OpenFailed(_context.Logger, Node.Id, Key.Database, Key.User, error.Message.Message);
        lock (_lock)
        {
            _lastError = error;
            _retryAtMs = Environment.TickCount64 + (long)PauseAfter(error).TotalMilliseconds;
        }
        if (error.IsUnreachable)
            _context.ReportFault(Node.Id, error.Fault);
        // A server that has no slot left is like a full pool: those who wait go on waiting for the servers there are.
        if (error.Message.Code == SqlStates.TooManyConnections && Count > 0)
            OpenLater(loop);
        else
            FailWaiters(error);
    }

    /// <summary>
    /// A node that is not there has no pause: health decides when it is used again. What may only be not replayed yet has a short one.
    /// </summary>
    private TimeSpan PauseAfter(PoolError error)
    {
        var retry = _context.Config().ServerLoginRetry;
        if (error.IsUnreachable)
            return TimeSpan.Zero;
        return error.MayBeBehind && retry > ReplayPause ? ReplayPause : retry;
    }

    /// <summary>Gives every waiter the error. Any thread.</summary>
    internal void FailWaiters(PoolError? error)
    {
        while (error is not null && DequeueWaiter(out var ticket) is { } waiter)
        {
            if (ReferenceEquals(waiter.Loop, EventLoop.Current))
            {
                waiter.Error = error;
                waiter.Signal.Set();
                continue;
            }
            waiter.Loop.Post(
                _ =>
                {
                    if (waiter.Ticket != ticket)
                        return;
                    waiter.Error = error;
                    waiter.Signal.Set();
                },
                null);
        }
    }

    private bool IsExpired(ServerConnection server, long nowMs) =>
        _context.Config().ServerLifetime is { Ticks: > 0 } lifetime && nowMs - server.ConnectedAtMs > lifetime.TotalMilliseconds;

    private bool IsIdleTooLong(ServerConnection server, long nowMs) =>
        _context.Config().ServerIdleTimeout is { Ticks: > 0 } limit && nowMs - server.IdleSinceMs > limit.TotalMilliseconds;

    /// <summary>Takes out notices, parameter reports and notifications; false when anything else came.</summary>
    private static bool OnlyAsynchronousMessages(ServerConnection server)
    {
        while (server.TakeMessage(out var type, out var body))
        {
            if (type == BackendMessage.ParameterStatus)
                server.NoteParameter(body);
            else if (type is not (BackendMessage.NoticeResponse or BackendMessage.NotificationResponse))
                return false;
        }
        return true;
    }

    /// <summary>The idle servers of one loop. The list is for that loop only, the count may be read by others.</summary>
    private sealed class PoolShard
    {
        public readonly List<ServerConnection> Servers = [];
        public int Count;
    }
}
