using System.Collections.Immutable;

namespace PgRouter.Core.Cluster;

/// <summary>
/// The only writer of the cluster's state. Any thread may call it; updates are serialised by a lock, readers take the
/// current <see cref="View"/> without one. Each swap applies <see cref="QuarantineRules"/>, so no view ever shows two nodes that take
/// writes.
/// </summary>
internal sealed class ClusterUpdater(TimeProvider? time = null)
{
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly Lock _lock = new();
    private volatile ClusterView _view = ClusterView.Empty;

    /// <summary>The current view.</summary>
    public ClusterView View => _view;

    /// <summary>Raised after each swap, on the thread that caused it and outside the lock: (before, after).</summary>
    public event Action<ClusterView, ClusterView>? Changed;

    /// <summary>Takes over a new list of nodes; nodes whose id, host and port stay keep their state.</summary>
    public void Configure(IReadOnlyList<NodeConfig> nodes)
    {
        Swap(old =>
        {
            var views = ImmutableArray.CreateBuilder<NodeView>(nodes.Count);
            foreach (var config in nodes.OrderBy(n => n.Id))
            {
                var known = old.Nodes.FirstOrDefault(
                    n => n.Id == config.Id && n.Config.Host == config.Host && n.Config.Port == config.Port);
                views.Add(new NodeView(views.Count, config, known?.State ?? new NodeState { LastStatusChange = _time.GetUtcNow() }));
            }
            return views.ToImmutable();
        });
    }

    /// <summary>
    /// Replaces the state of one node; an id that is not configured (any more) is ignored. <paramref name="change"/> runs under the lock:
    /// it must be short and must not call back. Returning an equal state changes nothing.
    /// </summary>
    public void Update(int nodeId, Func<NodeState, NodeState> change)
    {
        Swap(old => old.Find(nodeId) is { } node ? Replace(old.Nodes, node, change(node.State)) : old.Nodes);
    }

    /// <summary>Replaces the states of all nodes in one swap, with the rule of <see cref="Update"/> for each.</summary>
    public void UpdateAll(Func<ClusterView, NodeView, NodeState> change)
    {
        Swap(old =>
        {
            var nodes = old.Nodes;
            foreach (var node in old.Nodes)
                nodes = Replace(nodes, node, change(old, node));
            return nodes;
        });
    }

    private static ImmutableArray<NodeView> Replace(ImmutableArray<NodeView> nodes, NodeView node, NodeState state) =>
        state.Equals(node.State) ? nodes : nodes.SetItem(node.Index, node.With(state));

    private void Swap(Func<ClusterView, ImmutableArray<NodeView>> build)
    {
        ClusterView before, after;
        lock (_lock)
        {
            before = _view;
            var nodes = build(before);
            if (nodes == before.Nodes)
                return;
            var incumbentId = before.Primary?.Id ?? -1;
            nodes = StampStatusChanges(before, QuarantineRules.Apply(nodes, incumbentId));
            after = new ClusterView(nodes, PrimarySelection.FindPrimary(nodes, incumbentId), before.Version + 1);
            _view = after;
        }
        Changed?.Invoke(before, after);
    }

    private ImmutableArray<NodeView> StampStatusChanges(ClusterView before, ImmutableArray<NodeView> nodes)
    {
        foreach (var node in nodes)
        {
            if (before.Find(node.Id) is { } old && old.State.Status != node.State.Status)
                nodes = nodes.SetItem(node.Index, node.With(node.State with { LastStatusChange = _time.GetUtcNow() }));
        }
        return nodes;
    }
}
