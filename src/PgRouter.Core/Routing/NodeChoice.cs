using System.Numerics;
using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;

namespace PgRouter.Core.Routing;

/// <summary>
/// Which of the nodes that may serve a read now. Sets of nodes are bit sets of their indexes; the number drawn for the input decides what is left
/// to chance. Allocates nothing.
/// </summary>
internal static class NodeChoice
{
    /// <summary>For a read that may run anywhere; -1 when no node has weight and is fit.</summary>
    public static int ForRead(in RouteInput input)
    {
        if (KeptNode(input) is var kept and >= 0)
            return kept;
        if (input.Config.PreferLowerDelayStandby && AmongDelayed(input) is var chosen and >= 0)
            return chosen;
        return Pick(Eligible(input), input, input.Draw);
    }

    /// <summary>The same among the standbys alone.</summary>
    public static int ForReadOnStandby(in RouteInput input) => Pick(EligibleStandbys(input), input, input.Draw);

    /// <summary>What a redirect list prefers; <see cref="RouteRule.Pass"/> when that cannot be had and any node will do.</summary>
    public static int Preferred(in RouteInput input, NodePreference preference)
    {
        if (KeptNode(input) is var kept and >= 0)
            return kept;
        var isChosen = input.Draw < preference.Ratio;
        // What is left of the number drawn is as evenly spread as the whole.
        var draw = isChosen ? input.Draw / preference.Ratio : (input.Draw - preference.Ratio) / (1 - preference.Ratio);
        if (preference.Kind == PreferredKind.Standby)
        {
            if (!isChosen)
                return input.CanUsePrimary ? input.Cluster.PrimaryIndex : RouteRule.Pass;
            var standby = Pick(EligibleStandbys(input), input, draw);
            return standby >= 0 ? standby : RouteRule.Pass;
        }
        var index = preference.Kind == PreferredKind.Primary ? input.Cluster.PrimaryIndex : IndexOf(input.Cluster, preference.NodeId);
        if (index < 0 || input.IsExcluded(index))
            return RouteRule.Pass;
        var fitness = FitnessOf(input, input.Cluster.Nodes[index]);
        if (fitness != NodeFitness.Fit)
            return isChosen && fitness.IsDelayed() && input.Config.PreferLowerDelayStandby && LeastDelayed(input) is var least and >= 0 ? least : RouteRule.Pass;
        if (isChosen)
            return index;
        var other = Pick(Eligible(input) & ~(1UL << index), input, draw);
        return other >= 0 ? other : index;
    }

    /// <summary>The index of a node by its id when it can be used, else -1. With a limit on the lag it must also keep that.</summary>
    public static int ById(in RouteInput input, int id)
    {
        var index = IndexOf(input.Cluster, id);
        if (index < 0 || input.IsExcluded(index))
            return -1;
        var node = input.Cluster.Nodes[index];
        return node.IsUsable && (input.MaxLag is null || !FitnessOf(input, node).IsDelayed()) ? index : -1;
    }

    /// <summary>The first usable node that has what the read must see, whatever its weight and lag, suspects last; -1 when there is none.</summary>
    public static int AnyUsable(in RouteInput input)
    {
        var suspect = -1;
        foreach (var node in input.Cluster.Nodes)
        {
            if (!node.IsUsable || input.IsExcluded(node.Index) || !input.IsFresh(node.Index))
                continue;
            if (node.State.Status != NodeStatus.Suspect)
                return node.Index;
            suspect = node.Index;
        }
        return suspect;
    }

    /// <summary>The node that the session was given before, as long as it may serve its reads: statement_level_load_balance is off.</summary>
    private static int KeptNode(in RouteInput input)
    {
        if (input.KeptNode is not { } index || index >= input.Cluster.Nodes.Length || input.IsExcluded(index))
            return -1;
        var node = input.Cluster.Nodes[index];
        var hasShare = node.Config.Weight > 0 || input.Preference is { Kind: PreferredKind.Node } preference && preference.NodeId == node.Id
            || input.Preference is not null && index == input.Cluster.PrimaryIndex;
        return hasShare && FitnessOf(input, node) == NodeFitness.Fit ? index : -1;
    }

    /// <summary>
    /// prefer_lower_delay_standby: the choice is made as if no standby were too far behind, and when it falls on one that is, or the session's own
    /// is, the standby least behind takes its place. -1 when none is too far behind, or all are, or chance has no part in the policy.
    /// </summary>
    private static int AmongDelayed(in RouteInput input)
    {
        var delayed = 0UL;
        var all = 0UL;
        foreach (var node in input.Cluster.Nodes)
        {
            if (node.Config.Weight <= 0 || input.IsExcluded(node.Index))
                continue;
            var fitness = FitnessOf(input, node);
            if (fitness == NodeFitness.Fit || fitness.IsDelayed())
                all |= 1UL << node.Index;
            if (fitness.IsDelayed())
                delayed |= 1UL << node.Index;
        }
        if (delayed == 0)
            return -1;
        if (input.KeptNode is { } kept && (delayed & (1UL << kept)) != 0)
            return LeastDelayed(input);
        if (input.Config.BalancePolicy != BalancePolicy.WeightedRandom)
            return -1;
        var chosen = ByWeight(all, input, input.Draw);
        return (delayed & (1UL << chosen)) != 0 ? LeastDelayed(input) : chosen;
    }

    private static int LeastDelayed(in RouteInput input)
    {
        var best = -1;
        var least = double.PositiveInfinity;
        for (var rest = EligibleStandbys(input); rest != 0; rest &= rest - 1)
        {
            var state = input.Cluster.Nodes[BitOperations.TrailingZeroCount(rest)].State;
            var delay = input.Config.DelayThresholdByTime > TimeSpan.Zero || input.MaxLag is not null
                ? state.ReplicationDelayTime?.TotalMilliseconds
                : state.ReplicationDelayBytes;
            if (best >= 0 && !(delay < least))
                continue;
            best = BitOperations.TrailingZeroCount(rest);
            least = delay ?? double.PositiveInfinity;
        }
        return best;
    }

    private static ulong Eligible(in RouteInput input)
    {
        var nodes = 0UL;
        foreach (var node in input.Cluster.Nodes)
        {
            if (node.Config.Weight > 0 && !input.IsExcluded(node.Index) && FitnessOf(input, node) == NodeFitness.Fit)
                nodes |= 1UL << node.Index;
        }
        return nodes;
    }

    private static ulong EligibleStandbys(in RouteInput input)
    {
        var nodes = Eligible(input);
        for (var rest = nodes; rest != 0; rest &= rest - 1)
        {
            var index = BitOperations.TrailingZeroCount(rest);
            if (input.Cluster.Nodes[index].State.Role != NodeRole.Standby)
                nodes &= ~(1UL << index);
        }
        return nodes;
    }

    private static NodeFitness FitnessOf(in RouteInput input, NodeView node)
    {
        var fitness = NodeFitnesses.Of(node, input.Config, input.MaxLag);
        return fitness == NodeFitness.Fit && !input.IsFresh(node.Index) ? NodeFitness.NotFresh : fitness;
    }

    /// <summary>There are standbys for reads, and none of them has what this read must see.</summary>
    public static bool HasOnlyStaleStandbys(in RouteInput input)
    {
        var hasStale = false;
        foreach (var node in input.Cluster.Nodes)
        {
            if (node.Config.Weight <= 0 || input.IsExcluded(node.Index) || node.State.Role != NodeRole.Standby)
                continue;
            var fitness = FitnessOf(input, node);
            if (fitness == NodeFitness.Fit)
                return false;
            hasStale |= fitness == NodeFitness.NotFresh;
        }
        return hasStale;
    }

    private static int IndexOf(ClusterView cluster, int id)
    {
        foreach (var node in cluster.Nodes)
        {
            if (node.Id == id)
                return node.Index;
        }
        return -1;
    }

    /// <summary>One of a set by the policy; -1 when it is empty.</summary>
    private static int Pick(ulong nodes, in RouteInput input, double draw)
    {
        if (input.Config.BalancePolicy == BalancePolicy.WeightedRandom || input.Loads.Length < input.Cluster.Nodes.Length)
            return ByWeight(nodes, input, draw);
        var best = 0UL;
        var least = double.PositiveInfinity;
        for (var rest = nodes; rest != 0; rest &= rest - 1)
        {
            var index = BitOperations.TrailingZeroCount(rest);
            var cost = CostOf(input, index);
            if (cost < least)
                (best, least) = (0, cost);
            if (cost <= least)
                best |= 1UL << index;
        }
        return ByWeight(best, input, draw);
    }

    /// <summary>
    /// What one more request there would cost. A latency is multiplied by what is under way: it is that of requests that have ended, and all that
    /// come before the next one ends would go to the same node.
    /// </summary>
    private static double CostOf(in RouteInput input, int index)
    {
        var load = input.Loads[index];
        return input.Config.BalancePolicy == BalancePolicy.LowestLatency
            ? load.Latency * (load.InFlight + 1)
            : load.InFlight / input.Cluster.Nodes[index].Config.Weight;
    }

    private static int ByWeight(ulong nodes, in RouteInput input, double draw)
    {
        var total = 0.0;
        for (var rest = nodes; rest != 0; rest &= rest - 1)
            total += input.Cluster.Nodes[BitOperations.TrailingZeroCount(rest)].Config.Weight;
        var target = draw * total;
        var last = -1;
        for (var rest = nodes; rest != 0; rest &= rest - 1)
        {
            last = BitOperations.TrailingZeroCount(rest);
            target -= input.Cluster.Nodes[last].Config.Weight;
            if (target < 0)
                return last;
        }
        return last;
    }
}
