using System.Collections.Immutable;

namespace PgRouter.Core.Cluster;

/// <summary>
/// All nodes at one moment: read once per statement, carried through it, never changed. Swapped whole by
/// <see cref="ClusterUpdater"/>; readers take no lock.
/// </summary>
internal sealed class ClusterView
{
    public static readonly ClusterView Empty = new([], -1, 0);

    public ClusterView(ImmutableArray<NodeView> nodes, int primaryIndex, long version)
    {
        Nodes = nodes;
        PrimaryIndex = primaryIndex;
        Version = version;
    }

    public ImmutableArray<NodeView> Nodes { get; }

    /// <summary>Index in <see cref="Nodes"/> of the node that takes writes, -1 when none is known and up.</summary>
    public int PrimaryIndex { get; }

    /// <summary>Grows by one with each swap.</summary>
    public long Version { get; }

    public NodeView? Primary => PrimaryIndex < 0 ? null : Nodes[PrimaryIndex];

    /// <summary>The node with this id, null when it is not configured.</summary>
    public NodeView? Find(int nodeId)
    {
        foreach (var node in Nodes)
        {
            if (node.Id == nodeId)
                return node;
        }
        return null;
    }
}

/// <summary>One node in a view: its configuration and its state.</summary>
internal sealed class NodeView(int index, NodeConfig config, NodeState state)
{
    /// <summary>Position in <see cref="ClusterView.Nodes"/>; not the node id.</summary>
    public int Index { get; } = index;

    public NodeConfig Config { get; } = config;

    public NodeState State { get; } = state;

    public int Id => Config.Id;

    /// <summary>May new leases be taken on it?</summary>
    public bool IsUsable { get; } = state.Status is NodeStatus.Up or NodeStatus.Waiting or NodeStatus.Suspect;

    /// <summary>The same node with another state.</summary>
    public NodeView With(NodeState state) => new(Index, Config, state);
}
