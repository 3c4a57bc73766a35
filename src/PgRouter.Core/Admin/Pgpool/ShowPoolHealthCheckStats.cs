using PgRouter.Core.Cluster;

namespace PgRouter.Core.Admin.Pgpool;

/// <summary>SHOW POOL_HEALTH_CHECK_STATS: pgpool-II's 20 columns; durations in milliseconds.</summary>
internal sealed class ShowPoolHealthCheckStats() : TableCommand<ShowPoolHealthCheckStats.Row>(
    AdminDialect.Pgpool, "SHOW POOL_HEALTH_CHECK_STATS", "health checks of each node: counts, retries, durations, last times")
{
    protected override AdminTable<Row> Table { get; } = new AdminTable<Row>()
        .Int4("node_id", r => r.Node.Id)
        .Text("hostname", r => r.Node.Config.Host)
        .Int4("port", r => r.Node.Config.Port)
        .Text("status", r => NodeWords.Status(r.Node.State.Status))
        .Text("role", r => NodeWords.Role(r.Cluster, r.Node))
        .Timestamp("last_status_change", r => r.LastStatusChange)
        .Int8("total_count", r => r.Health.Total)
        .Int8("success_count", r => r.Health.Success)
        .Int8("fail_count", r => r.Health.Fail)
        .Int8("skip_count", r => r.Health.Skip)
        .Int8("retry_count", r => r.Health.Retry)
        .Float8("average_retry_count", r => r.Health.AverageRetry)
        .Int8("max_retry_count", r => r.Health.MaxRetry)
        .Int8("max_duration", r => Milliseconds(r.Health.MaxDuration))
        .Int8("min_duration", r => Milliseconds(r.Health.MinDuration))
        .Float8("average_duration", r => r.Health.AverageDuration.TotalMilliseconds)
        .Timestamp("last_health_check", r => r.Health.LastCheck)
        .Timestamp("last_successful_health_check", r => r.Health.LastSuccess)
        .Timestamp("last_skip_health_check", r => r.Health.LastSkip)
        .Timestamp("last_failed_health_check", r => r.Health.LastFail);

    protected override ValueTask<IEnumerable<Row>> RowsAsync(AdminCall call)
    {
        var snapshots = call.Services.Snapshots;
        var cluster = snapshots.Cluster;
        var health = snapshots.HealthChecks();
        return ValueTask.FromResult(cluster.Nodes.Select(node => new Row(
            cluster,
            node,
            health.FirstOrDefault(h => h.NodeId == node.Id) ?? new HealthStatistics { NodeId = node.Id },
            NodeWords.LastStatusChange(snapshots, node))));
    }

    private static long Milliseconds(TimeSpan value) => (long)Math.Round(value.TotalMilliseconds);

    internal sealed record Row(ClusterView Cluster, NodeView Node, HealthStatistics Health, DateTimeOffset LastStatusChange);
}
