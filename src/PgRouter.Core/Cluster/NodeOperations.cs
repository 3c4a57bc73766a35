namespace PgRouter.Core.Cluster;

/// <summary>
/// The operator's verbs on nodes. Any thread. A detached node stays out until it is attached, whatever health sees; <paramref
/// name="probeNow"/> is called with the id of a node that was attached.
/// </summary>
internal sealed class NodeOperations(ClusterUpdater updater, Action<int> probeNow)
{
    /// <summary>
    /// Takes a node out. Graceful: no new leases, open ones end by themselves (<see cref="NodeStatus.Draining"/>) until
    /// <see cref="CompleteDrain"/>; otherwise at once.
    /// </summary>
    public NodeOperationResult Detach(int nodeId, bool graceful) => Change(nodeId, state => state.Status switch
    {
        NodeStatus.Detached => state,
        NodeStatus.Draining when graceful => state,
        _ => state with
        {
            Status = graceful ? NodeStatus.Draining : NodeStatus.Detached,
            Reason = graceful ? "drained by an operator" : "detached by an operator",
        },
    });

    /// <summary>
    /// The data plane holds no lease on a draining node any more: it becomes detached. Ignored for a node that does not drain.
    /// </summary>
    public NodeOperationResult CompleteDrain(int nodeId) => Change(nodeId, state => state.Status == NodeStatus.Draining
        ? state with { Status = NodeStatus.Detached, Reason = "detached by an operator" }
        : state);

    /// <summary>
    /// Gives a detached or draining node back to health: waiting when its last probe was answered, else down until probes succeed. A node
    /// that is out for another reason cannot be forced in; it is only probed now.
    /// </summary>
    public NodeOperationResult Attach(int nodeId)
    {
        var result = Change(nodeId, state => state.Status is NodeStatus.Detached or NodeStatus.Draining
            ? state with { Status = state.Reachable ? NodeStatus.Waiting : NodeStatus.Down, Reason = "attached by an operator" }
            : state);
        if (result != NodeOperationResult.UnknownNode)
            probeNow(nodeId);
        return result;
    }

    private NodeOperationResult Change(int nodeId, Func<NodeState, NodeState> change)
    {
        var result = NodeOperationResult.UnknownNode;
        updater.Update(nodeId, state =>
        {
            var changed = change(state);
            result = ReferenceEquals(changed, state) ? NodeOperationResult.Unchanged : NodeOperationResult.Done;
            return changed;
        });
        return result;
    }
}

/// <summary>What a verb of <see cref="NodeOperations"/> did.</summary>
internal enum NodeOperationResult : byte
{
    Done,

    /// <summary>The node was so already, or the verb does not apply to its status.</summary>
    Unchanged,

    /// <summary>No node with this id is configured.</summary>
    UnknownNode,
}
