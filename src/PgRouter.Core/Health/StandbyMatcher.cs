using PgRouter.Core.Cluster;

namespace PgRouter.Core.Health;

/// <summary>
/// Finds the row of pg_stat_replication that belongs to a standby. Certain names first; an address or a name that several share matches
/// nobody, because figures of another standby would be worse than none.
/// </summary>
internal static class StandbyMatcher
{
    /// <summary><paramref name="others"/>: facts of the other nodes that are standbys.</summary>
    public static ReplicationRow? Find(
        NodeConfig node, NodeFacts facts, IReadOnlyList<ReplicationRow> rows, IReadOnlyCollection<NodeFacts> others)
    {
        if (node.ApplicationName.Length > 0)
            return rows.FirstOrDefault(r => r.ApplicationName == node.ApplicationName);
        return BySlot(facts, rows)
            ?? Unique(rows, others, facts.ReceiverApplicationName, r => r.ApplicationName, f => f.ReceiverApplicationName)
            ?? Unique(rows, others, facts.ServerAddress, r => r.ClientAddress, f => f.ServerAddress);
    }

    private static ReplicationRow? BySlot(NodeFacts facts, IReadOnlyList<ReplicationRow> rows) =>
        facts.ReceiverSlot.Length > 0 ? rows.FirstOrDefault(r => r.Slot == facts.ReceiverSlot) : null;

    private static ReplicationRow? Unique(
        IReadOnlyList<ReplicationRow> rows,
        IReadOnlyCollection<NodeFacts> others,
        string key,
        Func<ReplicationRow, string> keyOfRow,
        Func<NodeFacts, string> keyOfNode)
    {
        if (key.Length == 0 || others.Any(f => keyOfNode(f) == key))
            return null;
        var matches = rows.Where(r => keyOfRow(r) == key).Take(2).ToList();
        return matches.Count == 1 ? matches[0] : null;
    }
}
