using System.Collections.Concurrent;
using PgRouter.Core.Cluster;

namespace PgRouter.Core.Health;

/// <summary>
/// The last answer of each node and the delays that follow from them. Any thread. Positions are compared only when both were sampled in
/// one round, because a difference between moments is not a delay.
/// </summary>
internal sealed class ReplicationPositions
{
    /// <summary>Answers no further apart than this belong to one round.</summary>
    public static readonly TimeSpan RoundWidth = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<int, Sample> _samples = new();

    /// <summary>Keeps the answer of a node, given at <paramref name="at"/> (monotonic).</summary>
    public void Record(int nodeId, NodeFacts facts, TimeSpan at) => _samples[nodeId] = new Sample(facts, at);

    /// <summary>Forgets a node that gave no answer or is not configured any more.</summary>
    public void Forget(int nodeId) => _samples.TryRemove(nodeId, out _);

    /// <summary>The state of a node with its replication figures brought up to date; the same state when there is nothing new.</summary>
    public NodeState Figure(ClusterView view, NodeView node)
    {
        if (view.Primary is not { } primary || primary.Id == node.Id || node.State.Role != NodeRole.Standby || !node.State.Reachable)
            return node.State.WithoutReplication();
        if (!_samples.TryGetValue(primary.Id, out var source) || !_samples.TryGetValue(node.Id, out var own))
            return node.State;
        if ((source.At - own.At).Duration() > RoundWidth)
            return node.State;
        var row = StandbyMatcher.Find(node.Config, own.Facts, source.Facts.Replication, OtherStandbys(node.Id));
        return node.State with
        {
            ReplicationDelayBytes = Behind(source.Facts.Lsn, own.Facts.Lsn),
            ReplicationDelayTime = row is null ? null : row.ReplayLag ?? CaughtUp(row),
            ReplicationState = row?.State ?? "",
            ReplicationSyncState = row?.SyncState ?? "",
        };
    }

    private List<NodeFacts> OtherStandbys(int nodeId) =>
        [.. _samples.Where(s => s.Key != nodeId && s.Value.Facts.InRecovery).Select(s => s.Value.Facts)];

    // The standby may have been asked a moment after the primary and be ahead of that answer.
    private static long? Behind(ulong primary, ulong standby)
    {
        if (primary == 0 || standby == 0)
            return null;
        return standby >= primary ? 0 : (long)(primary - standby);
    }

    // PostgreSQL shows no lag (NULL) when a standby that caught up has nothing to measure.
    private static TimeSpan? CaughtUp(ReplicationRow row) =>
        row.State == "streaming" && row.SentLsn != 0 && row.ReplayLsn >= row.SentLsn ? TimeSpan.Zero : null;

    private sealed record Sample(NodeFacts Facts, TimeSpan At);
}
