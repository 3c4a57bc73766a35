using PgRouter.Core.Cluster;

namespace PgRouter.Core.Admin.Pgpool;

/// <summary>SHOW POOL_NODES: pgpool-II's 14 columns, one row per node.</summary>
internal sealed class ShowPoolNodes() : TableCommand<ShowPoolNodes.Row>(
    AdminDialect.Pgpool, "SHOW POOL_NODES", "nodes: status, role, weight, reads so far, replication delay")
{
    protected override AdminTable<Row> Table { get; } = new AdminTable<Row>()
        .Int4("node_id", r => r.Node.Id)
        .Text("hostname", r => r.Node.Config.Host)
        .Int4("port", r => r.Node.Config.Port)
        .Text("status", r => NodeWords.Status(r.Node.State.Status))
        .Text("pg_status", r => NodeWords.PgStatus(r.Node, r.Health))
        .Float8("lb_weight", r => NodeWords.NormalisedWeight(r.Cluster, r.Node))
        .Text("role", r => NodeWords.Role(r.Cluster, r.Node))
        .Text("pg_role", r => NodeWords.PgRole(r.Node.State.Role))
        .Int8("select_cnt", r => r.Selects)
        // Scripts compare with the word: a bool would print as t and f.
        .Text("load_balance_node", r => r.IsLoadBalanceNode ? "true" : "false")
        // Always bytes, so that the column has one type; SHOW NODES has the delay as time too.
        .Int8("replication_delay", r => Delay(r.Cluster, r.Node))
        .Text("replication_state", r => r.Node.State.ReplicationState)
        .Text("replication_sync_state", r => r.Node.State.ReplicationSyncState)
        .Timestamp("last_status_change", r => r.LastStatusChange);

    protected override async ValueTask<IEnumerable<Row>> RowsAsync(AdminCall call)
    {
        var snapshots = call.Services.Snapshots;
        var cluster = snapshots.Cluster;
        var health = snapshots.HealthChecks();
        var statistics = await snapshots.NodesAsync().ConfigureAwait(false);
        return cluster.Nodes.Select(node => new Row(
            cluster,
            node,
            health.FirstOrDefault(h => h.NodeId == node.Id),
            statistics.FirstOrDefault(s => s.NodeId == node.Id)?.Selects ?? 0,
            call.Context.LoadBalanceNodeId == node.Id,
            NodeWords.LastStatusChange(snapshots, node)));
    }

    // A primary has no delay; an unknown one is NULL, because 0 would say that the standby is up to date.
    private static long? Delay(ClusterView cluster, NodeView node) =>
        cluster.PrimaryIndex == node.Index ? 0 : node.State.ReplicationDelayBytes;

    internal sealed record Row(
        ClusterView Cluster, NodeView Node, HealthStatistics? Health, long Selects,
        bool IsLoadBalanceNode, DateTimeOffset LastStatusChange);
}
