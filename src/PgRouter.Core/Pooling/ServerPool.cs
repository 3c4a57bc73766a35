using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;
using PgRouter.Core.Servers;
using PgRouter.Core.Transport;
using PgRouter.Protocol;

namespace PgRouter.Core.Pooling;

/// <summary>
/// The servers of one (node, database, user): who gets which, and what happens to one that comes back. Idle servers stay on the loop that
/// used them last, newest first (<see cref="IdleServers"/>); waiters of all loops stand in one line, oldest first (<see
/// cref="WaiterLine"/>); new servers come from the <see cref="ServerOpener"/>. Taking an idle server and giving one back take no lock
/// while nobody waits. See docs/pooling.md.
/// </summary>
internal sealed class ServerPool
{
    private readonly PoolContext _context;
    private readonly IdleServers _idle;
    private readonly LimitsInForce _limits;
    private int _testing;
    private volatile PoolError? _retirement;
    private volatile PoolError? _out;

    public ServerPool(PoolKey key, NodeConfig node, PoolContext context, int loops)
    {
        Key = key;
        Node = node;
        _context = context;
        Gate = context.Gates.Get(key.Database);
        _limits = context.Limits.For(key.Database, key.User);
        _idle = new IdleServers(loops);
        Budgets = context.Budgets.For(key);
        Opener = new ServerOpener(this, context);
    }

    public PoolKey Key { get; }

    public NodeConfig Node { get; }

    public DatabaseGate Gate { get; }

    /// <summary>The limits of its database and user, as of the configuration in force.</summary>
    public SessionLimits Limits => _limits.Current;

    /// <summary>num_init_children x max_pool; 0 = no limit.</summary>
    public int MaxNodeConnections => _context.Config().MaxNodeConnections;

    public WaiterLine Line { get; } = new();

    public ServerOpener Opener { get; }

    /// <summary>The limits it shares with other pools.</summary>
    public Budget[] Budgets { get; }

    public int Size => Limits.PoolSize;

    public int Count => Opener.Count;

    public int Opening => Opener.Opening;

    /// <summary>Idle servers of all loops. Any thread; a moment old.</summary>
    public int IdleCount => _idle.Count;

    /// <summary>Servers that are reset or checked and belong to no client meanwhile.</summary>
    public int Testing => Volatile.Read(ref _testing);

    public int WaiterCount => Line.Count;

    /// <summary>
    /// Set when the node was taken out of the configuration or replaced: nothing is opened any more, what comes back is closed.
    /// </summary>
    public bool IsRetired => _retirement is not null;

    /// <summary>Its node is not to be used now: nothing is opened, what comes back is closed.</summary>
    public bool IsOut => _out is not null;

    /// <summary>Keeps and opens no servers, for good or for now.</summary>
    public bool IsClosed => _retirement is not null || _out is not null || Gate.IsPaused;

    /// <summary>Is a server to be closed when it is next idle, by RECONNECT or because its node is gone? Any thread.</summary>
    public bool IsOutdated(ServerConnection server) => IsRetired || IsOut || Gate.IsOutdated(server.Id);

    /// <summary>An idle server at once, or null: then <see cref="Wait"/>. Waiters go first.</summary>
    public ServerLease? TryTake(EventLoop loop) => Line.Count > 0 ? null : TakeIdle(loop);

    /// <summary>Stands in the line; the waiter's signal is set when there is a lease or an error. The waiter's loop.</summary>
    public void Wait(PoolWaiter waiter)
    {
        waiter.Reset();
        Line.Enter(waiter);
        if ((_retirement ?? _out) is { } reason)
        {
            FailWaiters(reason); // Closed since the caller looked: nobody else will come to say so.
            return;
        }
        ServeFrom(waiter.Loop);
        AskLoops(except: waiter.Loop);
        Opener.OpenAsNeeded(waiter.Loop);
    }

    /// <summary>Leaves the line; a lease granted meanwhile is given back. The waiter's loop.</summary>
    public void Cancel(PoolWaiter waiter)
    {
        Line.Leave(waiter);
        var lease = waiter.Lease;
        waiter.Reset();
        lease?.Release();
    }

    /// <summary>Takes over a server that was opened at a client's login, or closes it when the limits are reached. Its loop.</summary>
    public void Adopt(ServerConnection server)
    {
        if (Opener.TryAdopt())
            OnOpened(server);
        else
            server.Close();
    }

    /// <summary>The limit shared with other pools that keeps this one from opening a server; null when there is none.</summary>
    public Budget? FindSpentBudget() => _context.Budgets.FindSpent(this);

    /// <summary>How long the oldest waiter has waited. Any thread.</summary>
    public TimeSpan OldestWait() => Line.OldestSinceMs is < long.MaxValue and var since
        ? TimeSpan.FromMilliseconds(Environment.TickCount64 - since)
        : TimeSpan.Zero;

    /// <summary>Idle servers of one loop, for snapshots and upkeep. That loop.</summary>
    public IReadOnlyList<ServerConnection> Idle(EventLoop loop) => _idle.On(loop);

    /// <summary>Idle servers of one loop as others see them. Any thread; a moment old.</summary>
    public int IdleOn(EventLoop loop) => _idle.CountOn(loop.Index);

    /// <summary>
    /// Closes idle servers that are too old or too long unused, but keeps min_pool_size of the latter. The loop that owns them.
    /// </summary>
    public void CloseExpired(EventLoop loop)
    {
        var limits = Limits;
        var maxUses = _context.Config().ServerMaxUses;
        var servers = _idle.On(loop);
        for (var i = servers.Count - 1; i >= 0; i--)
        {
            var server = servers[i];
            if (IsClosed || IsExpired(server, limits, maxUses, loop.NowMs))
                RemoveIdle(server, "expired");
            else if (Count > limits.MinPoolSize && ServerLife.IsIdleTooLong(server, limits, loop.NowMs))
                RemoveIdle(server, "unused for server_idle_timeout");
            else if (Count > limits.PoolSize)
                RemoveIdle(server, "the pool is smaller now");
        }
    }

    /// <summary>
    /// Closes the idle server that was unused longest, to make room for another pool; false when there is none. The loop that owns it.
    /// </summary>
    public bool CloseOneIdle(EventLoop loop)
    {
        if (_idle.On(loop) is not [var oldest, ..])
            return false;
        RemoveIdle(oldest, "another pool needs the place");
        return true;
    }

    /// <summary>Do this pool's clients ask for what their sequences gave?</summary>
    public SequenceWatch Sequences { get; } = new();

    /// <summary>No more servers: waiters get the error, idle ones are closed by the next upkeep.</summary>
    public void Retire(PoolError error)
    {
        _retirement = error;
        FailWaiters(error);
    }

    /// <summary>The node drains, or has been detached: as <see cref="Retire"/>, until <see cref="TakeIn"/>.</summary>
    public void TakeOut(PoolError error)
    {
        _out = error;
        FailWaiters(error);
    }

    /// <summary>The node may be used again.</summary>
    public void TakeIn() => _out = null;

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

    /// <summary>A server has just logged in. Its loop.</summary>
    internal void OnOpened(ServerConnection server)
    {
        server.Lease = new ServerLease(this, server);
        _context.Remember(server);
        PoolLog.ServerOpened(_context.Logger, server.Id, server.Pid, Node.Id, Key.Database, Key.User);
        PutBack(server);
    }

    internal async Task ResetAndReturnAsync(ServerConnection server, IReadOnlyList<string> resetQueries) =>
        await TestAsync(server, ServerCare.ResetAsync(server, resetQueries));

    /// <summary>A lease has ended, or a server was opened: to a waiter, else idle; closed when it is not clean.</summary>
    internal void PutBack(ServerConnection server)
    {
        var loop = server.Socket.Loop;
        var limits = Limits;
        var config = _context.Config();
        var isExpired = IsExpired(server, limits, config.ServerMaxUses, loop.NowMs);
        if (isExpired || IsClosed || !server.IsClean || Count > limits.PoolSize + limits.ReservePoolSize)
        {
            var reason = isExpired ? "expired" : IsClosed ? "the pool is closed" : "the pool is smaller now";
            Drop(server, server.IsClean ? reason : "not clean");
            return;
        }
        if (server.CancelsUnderWay > 0)
        {
            ParkUntilCancelled(server);
            return;
        }
        if (server.TidyUp is { } tidyUp)
        {
            server.TidyUp = null;
            _ = TestAsync(server, tidyUp(server));
            return;
        }
        server.IdleSinceMs = loop.NowMs;
        if (_context.Budgets.IsOwed(this))
        {
            Drop(server, "another pool has waited longer");
            return;
        }
        if (Line.Count > 0 && Line.Take(out var ticket) is { } waiter)
        {
            Give(waiter, ticket, server.Lease!.Begin());
            return;
        }
        if (!config.ConnectionCache || Count > limits.PoolSize)
        {
            Drop(server, config.ConnectionCache ? "the reserve is not needed any more" : "connection_cache is off");
            return;
        }
        PutIdle(server);
    }

    /// <summary>Closes a server that is neither idle nor leased and opens another when somebody waits.</summary>
    internal void Drop(ServerConnection server, string reason)
    {
        var loop = server.Socket.Loop;
        PoolLog.ServerClosed(_context.Logger, server.Id, server.Pid, Node.Id, Key.Database, Key.User, reason);
        _context.Forget(server);
        server.Close();
        Opener.NoteClosed(loop);
        AskLoops(except: null); // One who counted on this server may have to count on an idle one that must be checked.
        if (IsOut)
            _context.OnClosedWhileOut(this);
    }

    /// <summary>Gives every waiter the error. Any thread.</summary>
    internal void FailWaiters(PoolError? error)
    {
        while (error is not null && Line.Take(out var ticket) is { } waiter)
            waiter.Fail(error, ticket);
    }

    private bool IsExpired(ServerConnection server, SessionLimits limits, int maxUses, long nowMs) =>
        Gate.IsOutdated(server.Id) || ServerLife.IsExpired(server, limits, maxUses, nowMs);

    // In a method of its own: a lambda would make its closure at every call of the method it stands in.
    private void ParkUntilCancelled(ServerConnection server) => server.AfterCancels = () => PutBack(server);

    private void PutIdle(ServerConnection server)
    {
        server.Socket.Owner = server.Lease;
        _idle.Push(server);
        if (_idle.Loops == 1)
            return;
        Interlocked.MemoryBarrier(); // Publish the idle server, then look at the line once more: no waiter sleeps beside it.
        if (Line.Count > 0)
            ServeFrom(server.Socket.Loop);
    }

    /// <summary>
    /// The idle server used last, unless it must be asked first whether it lives: then null, and so it is for all below it.
    /// </summary>
    private ServerLease? TakeIdle(EventLoop loop)
    {
        while (_idle.Peek(loop) is { } server)
        {
            if (ServerLife.NeedsCheck(server, _context.Config().ServerCheckDelay, loop.NowMs) && server.IsClean)
                return null;
            _idle.Pop(loop);
            server.Socket.Owner = null;
            if (server.IsClean && !IsClosed)
                return server.Lease!.Begin();
            Drop(server, "found closed at check-out");
        }
        return null;
    }

    private void RemoveIdle(ServerConnection server, string reason)
    {
        if (_idle.Remove(server))
            Drop(server, reason);
    }

    /// <summary>
    /// Gives idle servers of this loop to waiters of any loop, oldest first; those unused for long are asked first whether they live.
    /// </summary>
    private void ServeFrom(EventLoop loop)
    {
        while (Line.Count > 0 && TakeIdle(loop) is { } lease)
        {
            if (Line.Take(out var ticket) is not { } waiter)
            {
                lease.Release();
                return;
            }
            Give(waiter, ticket, lease);
        }
        while (Line.Count > Testing && _idle.Peek(loop) is { } server)
        {
            _idle.Pop(loop);
            _ = CheckAsync(server);
        }
    }

    private async Task CheckAsync(ServerConnection server)
    {
        var loop = server.Socket.Loop;
        var since = server.IdleSinceMs;
        if (await TestAsync(server, ServerCare.CheckAsync(server, _context.Config().ServerCheckQuery)))
            return;
        // What took this one takes those that were unused as long: nobody waits for each of them to be found out.
        foreach (var other in _idle.On(loop).Where(other => other.IdleSinceMs <= since).ToList())
            RemoveIdle(other, "another one that was unused as long is dead");
    }

    /// <summary>Waits for the end of a test and puts the server back, or closes it; true when it was good.</summary>
    private async Task<bool> TestAsync(ServerConnection server, Task<string?> test)
    {
        Interlocked.Increment(ref _testing);
        var problem = await test;
        Interlocked.Decrement(ref _testing);
        if (problem is null)
            PutBack(server);
        else
            Drop(server, problem);
        return problem is null;
    }

    /// <summary>Somebody waits, and there may be idle servers on loops other than the one given.</summary>
    private void AskLoops(EventLoop? except)
    {
        if (Line.Count == 0)
            return;
        for (var i = 0; i < _context.Loops.Count; i++) // An enumerator would be allocated each time.
        {
            var loop = _context.Loops[i];
            if (loop != except && _idle.CountOn(loop.Index) > 0)
                loop.Post(static state => ((ServerPool)state!).ServeAsked(EventLoop.Current!), this);
        }
    }

    /// <summary>
    /// Another loop has counted on an idle server of this one. If it has been taken meanwhile, one is opened instead.
    /// </summary>
    private void ServeAsked(EventLoop loop)
    {
        ServeFrom(loop);
        if (Line.Count > 0)
            Opener.OpenAsNeeded(loop);
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
        lease.OnItsWay = (waiter, ticket);
        waiter.Loop.Post(static state => TakeOver((ServerLease)state!), lease);
    }

    /// <summary>Ends a hand-over between loops, on the waiter's loop.</summary>
    private static void TakeOver(ServerLease lease)
    {
        var (waiter, ticket) = lease.OnItsWay;
        lease.OnItsWay = default;
        lease.Server.Socket.AttachTo(waiter.Loop);
        if (waiter.Ticket != ticket)
        {
            lease.Release();
            return;
        }
        waiter.Lease = lease;
        waiter.Signal.Set();
    }

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
        return !server.IsLost;
    }
}
