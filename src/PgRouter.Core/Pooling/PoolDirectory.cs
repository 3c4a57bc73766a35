using System.Collections.Concurrent;
using PgRouter.Core.Cluster;
using PgRouter.Core.Transport;
using PgRouter.Protocol;

namespace PgRouter.Core.Pooling;

/// <summary>All pools by (node, database, user), made when first asked for, and what concerns several of them. Any thread.</summary>
internal sealed class PoolDirectory
{
    private readonly ConcurrentDictionary<PoolKey, ServerPool> _pools = new();
    private readonly NodeExits _exits;
    private readonly Lock _viewLock = new();
    private volatile ClusterView _view = ClusterView.Empty;

    public PoolDirectory(PoolContext context)
    {
        Context = context;
        context.MakeRoom = MakeRoom;
        _exits = new NodeExits(this);
        context.OnClosedWhileOut = _exits.OnServerClosed;
        Warmth = new PoolWarmth(this);
    }

    public PoolContext Context { get; }

    public IEnumerable<ServerPool> Pools => _pools.Values;

    /// <summary>The newest state of the cluster that the pools were told.</summary>
    public ClusterView View => _view;

    /// <summary>Keeps min_pool_size.</summary>
    public PoolWarmth Warmth { get; }

    /// <summary>Called with the id of a draining node when its last server is closed.</summary>
    public Action<int> Drained { get; set; } = _ => { };

    /// <summary>The pool of a node for a database and a user.</summary>
    public ServerPool Get(NodeConfig node, string database, string user)
    {
        var key = new PoolKey(node.Id, database, user);
        while (true)
        {
            var pool = _pools.GetOrAdd(key, static (k, a) => new ServerPool(k, a.node, a.Context, a.Context.Loops.Count), (node, Context));
            if (!pool.IsRetired && pool.Node.Host == node.Host && pool.Node.Port == node.Port)
                return pool;
            _pools.TryRemove(KeyValuePair.Create(key, pool)); // The id has been given to another host since.
        }
    }

    /// <summary>After a reload: retires the pools of nodes that are gone or have moved; logins that were refused are tried again.</summary>
    public void Reconfigure(IReadOnlyList<NodeConfig> nodes)
    {
        foreach (var (key, pool) in _pools)
        {
            pool.Opener.EndPause();
            if (nodes.Any(n => n.Id == key.NodeId && n.Host == pool.Node.Host && n.Port == pool.Node.Port && n.Tls == pool.Node.Tls))
                continue;
            pool.Retire(new PoolError(
                ErrorMessage.Error(SqlStates.CannotConnectNow, $"{pool.Node} was changed or taken out of the configuration"), IsUnreachable: true));
            _pools.TryRemove(KeyValuePair.Create(key, pool));
            CloseIdle(pool);
        }
    }

    /// <summary>Nodes have changed: some were given up, some drain, some are back. Any thread.</summary>
    public void OnClusterChanged(ClusterView before, ClusterView after)
    {
        foreach (var node in after.Nodes)
        {
            if (node.State.Status == NodeStatus.Down && before.Find(node.Id) is { State.Status: not NodeStatus.Down })
                GiveUp(node.Config);
        }
        lock (_viewLock)
        {
            if (after.Version > _view.Version) // Two threads may bring two changes in either order.
                _view = after;
        }
        _exits.OnClusterChanged();
    }

    /// <summary>
    /// Closes what is too old or too long unused on one loop, and keeps pools warm. That loop; called by its upkeep timer.
    /// </summary>
    public void Upkeep(EventLoop loop)
    {
        foreach (var pool in _pools.Values)
            pool.CloseExpired(loop);
        Warmth.Upkeep(loop);
    }

    /// <summary>Closes the idle servers of a pool that is retired or out.</summary>
    internal void CloseIdle(ServerPool pool)
    {
        foreach (var loop in Context.Loops)
            loop.Post(static state => ((ServerPool)state!).CloseExpired(EventLoop.Current!), pool);
    }

    /// <summary>Ends the connections to a node: one that hangs would never say anything by itself.</summary>
    private void GiveUp(NodeConfig node)
    {
        var error = new PoolError(ErrorMessage.Error(SqlStates.ConnectionFailure, $"{node} is down"), IsUnreachable: true);
        foreach (var pool in _pools.Values.Where(p => p.Key.NodeId == node.Id))
            pool.FailWaiters(error);
        foreach (var loop in Context.Loops)
            loop.Post(state => ShutDown((EventLoop)state!, node.Id), loop);
    }

    private void ShutDown(EventLoop loop, int nodeId)
    {
        foreach (var server in Context.Servers.Where(s => s.Node.Id == nodeId && s.Socket.Loop == loop && !s.Socket.IsClosed))
            server.Socket.ShutdownBoth();
    }

    /// <summary>
    /// A limit shared by several pools is reached and one of them has waiters: the one with most idle servers closes one, on the loop
    /// with most of them. If it has been taken by then, the next is asked; with none left the first server that comes back makes room.
    /// </summary>
    private void MakeRoom(ServerPool needy, Budget spent)
    {
        var donor = _pools.Values.Where(p => p != needy && p.Budgets.Contains(spent)).MaxBy(p => p.IdleCount);
        if (donor is not { IdleCount: > 0 })
            return;
        var loop = Context.Loops.MaxBy(donor.IdleOn)!;
        loop.Post(
            _ =>
            {
                if (!donor.CloseOneIdle(loop) && needy.WaiterCount > 0)
                    MakeRoom(needy, spent);
            },
            null);
    }
}
