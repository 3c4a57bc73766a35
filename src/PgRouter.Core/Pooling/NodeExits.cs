using PgRouter.Core.Cluster;
using PgRouter.Protocol;

namespace PgRouter.Core.Pooling;

/// <summary>
/// Nodes that an operator takes out: their pools give out no server any more and keep none that comes back; when the last one of a draining
/// node is closed, its drain is over. Any thread.
/// </summary>
internal sealed class NodeExits(PoolDirectory directory)
{
    public void OnClusterChanged()
    {
        var view = directory.View;
        foreach (var pool in directory.Pools)
        {
            if (view.Find(pool.Key.NodeId) is { } node)
                Apply(pool, node);
        }
        foreach (var node in view.Nodes.Where(node => node.State.Status == NodeStatus.Draining))
            CheckDrained(node.Id);
    }

    /// <summary>A server of a pool that is out was closed.</summary>
    public void OnServerClosed(ServerPool pool) => CheckDrained(pool.Key.NodeId);

    private void Apply(ServerPool pool, NodeView node)
    {
        if (node.State.Status is NodeStatus.Draining or NodeStatus.Detached)
        {
            if (pool.IsOut)
                return;
            pool.TakeOut(new PoolError(
                ErrorMessage.Error(SqlStates.CannotConnectNow, $"{node.Config} was taken out by an operator"), IsUnreachable: true));
            directory.CloseIdle(pool);
        }
        else if (pool.IsOut)
        {
            pool.TakeIn();
        }
    }

    private void CheckDrained(int nodeId)
    {
        if (directory.View.Find(nodeId) is { State.Status: NodeStatus.Draining }
            && directory.Pools.All(p => p.Key.NodeId != nodeId || p.Count == 0))
            directory.Drained(nodeId);
    }
}
