using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;

namespace PgRouter.Core.Routing;

/// <summary>May a node serve a read now, and if not, why.</summary>
internal enum NodeFitness : byte
{
    Fit,

    /// <summary>Down, detached, draining or in quarantine.</summary>
    NotUsable,

    /// <summary>A fault was seen and nothing better is known yet.</summary>
    Suspect,

    /// <summary>Neither primary nor standby, as far as is known.</summary>
    RoleUnknown,

    /// <summary>The primary says that it does anything but stream.</summary>
    NotStreaming,

    /// <summary>A limit on the delay is set, and the delay is not known.</summary>
    DelayUnknown,

    TooFarBehind,

    /// <summary>It has not replayed what this read must see.</summary>
    NotFresh,
}

/// <summary>Judges nodes. Pure, allocates nothing.</summary>
internal static class NodeFitnesses
{
    /// <param name="node">The node.</param>
    /// <param name="config">Its thresholds are for every read.</param>
    /// <param name="maxLag">max_lag of a hint or of the session, for this read; null = none.</param>
    public static NodeFitness Of(NodeView node, RouterConfig config, TimeSpan? maxLag)
    {
        if (!node.IsUsable)
            return NodeFitness.NotUsable;
        if (node.State.Status == NodeStatus.Suspect)
            return NodeFitness.Suspect;
        return node.State.Role switch
        {
            NodeRole.Primary => NodeFitness.Fit,
            // Nothing known (no primary, no right to see) is not held against it.
            NodeRole.Standby when node.State.ReplicationState is not ("" or "streaming") => NodeFitness.NotStreaming,
            NodeRole.Standby => ByDelay(node.State, config, maxLag),
            _ => NodeFitness.RoleUnknown,
        };
    }

    /// <summary>Only the delay speaks against it.</summary>
    public static bool IsDelayed(this NodeFitness fitness) => fitness is NodeFitness.DelayUnknown or NodeFitness.TooFarBehind;

    private static NodeFitness ByDelay(NodeState state, RouterConfig config, TimeSpan? maxLag)
    {
        var byTime = config.DelayThresholdByTime > TimeSpan.Zero ? config.DelayThresholdByTime : TimeSpan.MaxValue;
        if (maxLag < byTime)
            byTime = maxLag.Value;
        if (byTime < TimeSpan.MaxValue && !(state.ReplicationDelayTime <= byTime))
            return state.ReplicationDelayTime is null ? NodeFitness.DelayUnknown : NodeFitness.TooFarBehind;
        if (config.DelayThreshold > 0 && !(state.ReplicationDelayBytes <= config.DelayThreshold))
            return state.ReplicationDelayBytes is null ? NodeFitness.DelayUnknown : NodeFitness.TooFarBehind;
        return NodeFitness.Fit;
    }
}
