using System.Collections.Immutable;

namespace PgRouter.Core.Cluster;

/// <summary>
/// Which node takes writes: the usable node out of recovery on the newest timeline (ties: the further position, then the lower id). ALWAYS_PRIMARY
/// is believed without asking, unless PostgreSQL says that the node is in recovery and another node is not.
/// </summary>
internal static class PrimarySelection
{
    public static int FindPrimary(ImmutableArray<NodeView> nodes)
    {
        var best = -1;
        for (var i = 0; i < nodes.Length; i++)
        {
            if (nodes[i].IsUsable && nodes[i].State.Role == NodeRole.Primary && (best < 0 || IsBetter(nodes[i].State, nodes[best].State)))
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

    private static bool IsBetter(NodeState candidate, NodeState best) =>
        candidate.Timeline != best.Timeline ? candidate.Timeline > best.Timeline : candidate.Lsn > best.Lsn;
}
