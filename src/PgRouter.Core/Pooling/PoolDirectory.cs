using System.Collections.Concurrent;
using PgRouter.Core.Cluster;
using PgRouter.Core.Transport;
using PgRouter.Protocol;

namespace PgRouter.Core.Pooling;

/// <summary>All pools by (node, database, user), made when first asked for. Any thread.</summary>
internal sealed class PoolDirectory
{
    private readonly ConcurrentDictionary<PoolKey, ServerPool> _pools = new();

    public PoolDirectory(PoolContext context)
    {
        Context = context;
        context.MakeRoom = MakeRoom;
    }

    public PoolContext Context { get; }

    public IEnumerable<ServerPool> Pools => _pools.Values;

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

    /// <summary>After a reload: retires the pools of nodes that are gone or have moved.</summary>
    public void Reconfigure(IReadOnlyList<NodeConfig> nodes)
    {
        foreach (var (key, pool) in _pools)
        {
            if (nodes.Any(n => n.Id == key.NodeId && n.Host == pool.Node.Host && n.Port == pool.Node.Port))
                continue;
            pool.Retire(new PoolError(
                ErrorMessage.Error(SqlStates.CannotConnectNow, $"{pool.Node} was taken out of the configuration"), IsUnreachable: true));
            _pools.TryRemove(KeyValuePair.Create(key, pool));
            CloseIdle(pool);
        }
    }

    /// <summary>A node has just been given up: nobody waits for it any more, and what runs on it is answered or moved. Any thread.</summary>
    public void OnClusterChanged(ClusterView before, ClusterView after)
    {
        foreach (var node in after.Nodes)
        {
            if (node.State.Status == NodeStatus.Down && before.Find(node.Id) is { State.Status: not NodeStatus.Down })
                GiveUp(node.Config);
        }
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

    /// <summary>Closes what is too old or too long unused on one loop. That loop; called by its upkeep timer.</summary>
    public void CloseExpired(EventLoop loop)
    {
        foreach (var pool in _pools.Values)
            pool.CloseExpired(loop);
    }

    /// <summary>The node's limit is reached and a pool has waiters: another pool with an idle server gives it up.</summary>
    private void MakeRoom(ServerPool needy)
    {
        var donor = _pools.Values.Where(p => p.Key.NodeId == needy.Key.NodeId && p != needy).MaxBy(p => p.IdleCount);
        if (donor is not { IdleCount: > 0 })
            return;
        foreach (var loop in Context.Loops)
            loop.Post(static state => ((ServerPool)state!).CloseOneIdle(EventLoop.Current!), donor);
    }

    private void CloseIdle(ServerPool pool)
    {
        foreach (var loop in Context.Loops)
            loop.Post(static state => ((ServerPool)state!).CloseExpired(EventLoop.Current!), pool);
    }
}
