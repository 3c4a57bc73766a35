using System.Collections.Immutable;

namespace PgRouter.Core.Cluster;

/// <summary>
/// What nodes may not be together in one view. A pure function over all nodes, applied at every swap: a usable node that belongs to another
/// cluster, that follows an older timeline, or that is a second primary becomes <see cref="NodeStatus.Quarantine"/>. Health brings a node
/// back once it fits again. Detached nodes count for nothing: detaching a lost node is how an operator says that its timeline is given up.
/// </summary>
internal static class QuarantineRules
{
    /// <summary><paramref name="incumbentId"/>: id of the node that takes writes before this swap, -1 when none.</summary>
    public static ImmutableArray<NodeView> Apply(ImmutableArray<NodeView> nodes, int incumbentId)
    {
        var identifier = FindSystemIdentifier(nodes);
        nodes = Quarantine(nodes, node => Foreign(node, identifier));
        var newest = NewestTimeline(nodes, identifier);
        nodes = Quarantine(nodes, node => node.State.Role == NodeRole.Primary ? OlderTimeline(node, newest) : null);

        var primary = PrimarySelection.FindPrimary(nodes, incumbentId);
        nodes = Quarantine(nodes, node => SecondPrimary(node, nodes, primary));
        if (primary < 0 || nodes[primary].Id != incumbentId)
            nodes = ForgetReplication(nodes);
        return Quarantine(nodes, node => StrayStandby(node, newest));
    }

    /// <summary>
    /// The cluster's identifier: the one that most nodes have; of equals, the one of the lowest node id; 0 when none is known. Counting
    /// nodes instead of believing the first answer makes the outcome the same whatever node answers first, and in every router.
    /// </summary>
    public static ulong FindSystemIdentifier(ImmutableArray<NodeView> nodes)
    {
        var known = nodes.Where(n => n.State.Status != NodeStatus.Detached && n.State.SystemIdentifier != 0).ToList();
        return known.Count == 0
            ? 0
            : known.GroupBy(n => n.State.SystemIdentifier).OrderByDescending(g => g.Count()).ThenBy(g => g.Min(n => n.Id)).First().Key;
    }

    private static ImmutableArray<NodeView> Quarantine(ImmutableArray<NodeView> nodes, Func<NodeView, string?> misfit)
    {
        foreach (var node in nodes)
        {
            if (node.IsUsable && misfit(node) is { } reason)
                nodes = nodes.SetItem(node.Index, node.With(node.State with { Status = NodeStatus.Quarantine, Reason = reason }));
        }
        return nodes;
    }

    private static string? Foreign(NodeView node, ulong identifier) =>
        node.State.SystemIdentifier != 0 && node.State.SystemIdentifier != identifier
            ? $"its system identifier {node.State.SystemIdentifier} is not the cluster's ({identifier})"
            : null;

    private static uint NewestTimeline(ImmutableArray<NodeView> nodes, ulong identifier)
    {
        var newest = 0u;
        foreach (var node in nodes)
        {
            if (node.State.Status != NodeStatus.Detached && (identifier == 0 || node.State.SystemIdentifier == identifier))
                newest = Math.Max(newest, node.State.Timeline);
        }
        return newest;
    }

    private static string? OlderTimeline(NodeView node, uint newest) =>
        node.State.Timeline != 0 && node.State.Timeline < newest && !node.Config.Flags.HasFlag(NodeFlags.AlwaysPrimary)
            ? $"it is on timeline {node.State.Timeline} while the cluster is on timeline {newest}"
            : null;

    private static string? SecondPrimary(NodeView node, ImmutableArray<NodeView> nodes, int primary) =>
        node.State.Role == NodeRole.Primary && node.Index != primary && !node.Config.Flags.HasFlag(NodeFlags.AlwaysPrimary)
            ? $"it is a second primary beside node {nodes[primary].Id}"
            : null;

    // A standby left behind by a promotion may have replayed past the fork, so its positions say nothing about what it shows. One that the
    // primary is sending to has had its history checked by PostgreSQL and is only late.
    private static string? StrayStandby(NodeView node, uint newest) =>
        node.State.Role == NodeRole.Standby && node.State.ReplicationState.Length == 0 ? OlderTimeline(node, newest) : null;

    // Delays and states were told by, or measured against, a primary that is not the primary any more.
    private static ImmutableArray<NodeView> ForgetReplication(ImmutableArray<NodeView> nodes)
    {
        foreach (var node in nodes)
            nodes = nodes.SetItem(node.Index, node.With(node.State.WithoutReplication()));
        return nodes;
    }
}
