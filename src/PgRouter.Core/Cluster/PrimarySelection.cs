using System.Collections.Immutable;

namespace PgRouter.Core.Cluster;

/// <summary>
/// Which node takes writes: the usable node out of recovery on the newest timeline (ties: the one that already takes them, then the further
/// position, then the lower id). When there is none, an ALWAYS_PRIMARY node is believed without asking, unless PostgreSQL says that it is
/// in recovery.
/// </summary>
internal static class PrimarySelection
{
    /// <summary>
    /// Index of the node that takes writes, -1 when there is none. <paramref name="incumbentId"/> is the id of the node that takes them now
    /// (-1 = none): on one timeline it is never replaced by a node that merely wrote more, or two primaries would take turns.
    /// </summary>
    public static int FindPrimary(ImmutableArray<NodeView> nodes, int incumbentId = -1)
    {
        var best = -1;
        for (var i = 0; i < nodes.Length; i++)
        {
            if (nodes[i].IsUsable && nodes[i].State.Role == NodeRole.Primary && (best < 0 || IsBetter(nodes[i], nodes[best], incumbentId)))
                best = i;
        }
        if (best >= 0)
            return best;
        for (var i = 0; i < nodes.Length; i++)
        {
            if (nodes[i].IsUsable && nodes[i].Config.Flags.HasFlag(NodeFlags.AlwaysPrimary) && nodes[i].State.Role != NodeRole.Standby)
                return i;
        }
        return -1;
    }

    private static bool IsBetter(NodeView candidate, NodeView best, int incumbentId)
    {
        if (candidate.State.Timeline != best.State.Timeline)
            return candidate.State.Timeline > best.State.Timeline;
        if (best.Id == incumbentId || candidate.Id == incumbentId)
            return candidate.Id == incumbentId;
        return candidate.State.Lsn > best.State.Lsn;
    }
}
