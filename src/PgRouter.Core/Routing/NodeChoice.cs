using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;

namespace PgRouter.Core.Routing;

/// <summary>Which of the eligible nodes: by weight, and only nodes that may serve reads now. Allocates nothing.</summary>
internal static class NodeChoice
{
    /// <summary>Weighted random among all eligible nodes, -1 when there is none.</summary>
    public static int Weighted(in RouteInput input) => Weighted(input, standbysOnly: false);

    public static int WeightedStandby(in RouteInput input) => Weighted(input, standbysOnly: true);

    /// <summary>The index of a node by its id when it can be used, else -1.</summary>
    public static int ById(in RouteInput input, int id)
    {
        foreach (var node in input.Cluster.Nodes)
        {
            if (node.Id == id)
                return node.IsUsable ? node.Index : -1;
        }
        return -1;
    }

    /// <summary>The first usable node whatever its weight and lag, suspects last; -1 when there is none.</summary>
    public static int AnyUsable(in RouteInput input)
    {
        var suspect = -1;
        foreach (var node in input.Cluster.Nodes)
        {
            if (!node.IsUsable || input.IsExcluded(node.Index))
                continue;
            if (node.State.Status != NodeStatus.Suspect)
                return node.Index;
            suspect = node.Index;
        }
        return suspect;
    }

    /// <summary>May this node serve a read now?</summary>
    public static bool IsEligible(NodeView node, RouterConfig config)
    {
        if (!node.IsUsable || node.State.Status == NodeStatus.Suspect || node.Config.Weight <= 0)
            return false;
        return node.State.Role switch
        {
            NodeRole.Primary => true,
            NodeRole.Standby => IsStreaming(node.State) && IsWithinDelay(node.State, config),
            _ => false,
        };
    }

    private static int Weighted(in RouteInput input, bool standbysOnly)
    {
        var total = 0.0;
        foreach (var node in input.Cluster.Nodes)
        {
            if (IsCandidate(node, input, standbysOnly))
                total += node.Config.Weight;
        }
        var target = input.Draw * total;
        var last = -1;
        foreach (var node in input.Cluster.Nodes)
        {
            if (!IsCandidate(node, input, standbysOnly))
                continue;
            last = node.Index;
            target -= node.Config.Weight;
            if (target < 0)
                return last;
        }
        return last;
    }

    private static bool IsCandidate(NodeView node, in RouteInput input, bool standbysOnly) =>
        !input.IsExcluded(node.Index) && !(standbysOnly && node.State.Role != NodeRole.Standby) && IsEligible(node, input.Config);

    /// <summary>A standby that the primary says is not streaming is out; nothing known (no primary, no right to see) is not held against it.</summary>
    private static bool IsStreaming(NodeState state) => state.ReplicationState is "" or "streaming";

    /// <summary>With a threshold set, an unknown lag is not eligible.</summary>
    private static bool IsWithinDelay(NodeState state, RouterConfig config)
    {
        if (config.DelayThresholdByTime > TimeSpan.Zero && !(state.ReplicationDelayTime <= config.DelayThresholdByTime))
            return false;
        return config.DelayThreshold <= 0 || state.ReplicationDelayBytes <= config.DelayThreshold;
    }
}
