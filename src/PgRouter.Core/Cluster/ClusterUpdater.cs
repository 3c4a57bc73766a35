using System.Collections.Immutable;

namespace PgRouter.Core.Cluster;

/// <summary>
/// The only writer of the cluster's state. Any thread may call it; updates are serialised by a lock, readers take the
/// current <see cref="View"/> without one.
/// </summary>
internal sealed class ClusterUpdater
{
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
                var known = old.Nodes.FirstOrDefault(n => n.Id == config.Id && n.Config.Host == config.Host && n.Config.Port == config.Port);
                views.Add(new NodeView(views.Count, config, known?.State ?? new NodeState()));
            }
            return views.ToImmutable();
        });
    }

    /// <summary>Replaces the state of one node; an id that is not configured (any more) is ignored.</summary>
    public void Update(int nodeId, Func<NodeState, NodeState> change)
    {
        Swap(old =>
        {
            var node = old.Nodes.FirstOrDefault(n => n.Id == nodeId);
            if (node is null)
                return old.Nodes;
            var state = change(node.State);
            return ReferenceEquals(state, node.State) ? old.Nodes : old.Nodes.SetItem(node.Index, new NodeView(node.Index, node.Config, state));
        });
    }

    private void Swap(Func<ClusterView, ImmutableArray<NodeView>> build)
    {
        ClusterView before, after;
        lock (_lock)
        {
            before = _view;
            var nodes = build(before);
            if (nodes == before.Nodes)
                return;
            after = new ClusterView(nodes, PrimarySelection.FindPrimary(nodes), before.Version + 1);
            _view = after;
        }
        Changed?.Invoke(before, after);
    }
}
