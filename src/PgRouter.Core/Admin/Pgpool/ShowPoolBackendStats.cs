using PgRouter.Core.Cluster;

namespace PgRouter.Core.Admin.Pgpool;

/// <summary>SHOW POOL_BACKEND_STATS: pgpool-II's 14 columns, statements and errors per node since start.</summary>
internal sealed class ShowPoolBackendStats() : TableCommand<ShowPoolBackendStats.Row>(
    AdminDialect.Pgpool, "SHOW POOL_BACKEND_STATS", "statements sent to each node by kind, and the errors it answered")
{
    protected override AdminTable<Row> Table { get; } = new AdminTable<Row>()
        .Int4("node_id", r => r.Node.Id)
        .Text("hostname", r => r.Node.Config.Host)
        .Int4("port", r => r.Node.Config.Port)
        .Text("status", r => NodeWords.Status(r.Node.State.Status))
        .Text("role", r => NodeWords.Role(r.Cluster, r.Node))
        .Int8("select_cnt", r => r.Statistics.Selects)
        .Int8("insert_cnt", r => r.Statistics.Inserts)
        .Int8("update_cnt", r => r.Statistics.Updates)
        .Int8("delete_cnt", r => r.Statistics.Deletes)
        .Int8("ddl_cnt", r => r.Statistics.Ddls)
        .Int8("other_cnt", r => r.Statistics.Others)
        .Int8("panic_cnt", r => r.Statistics.Panics)
        .Int8("fatal_cnt", r => r.Statistics.Fatals)
        .Int8("error_cnt", r => r.Statistics.Errors);

    protected override async ValueTask<IEnumerable<Row>> RowsAsync(AdminCall call)
    {
        var cluster = call.Services.Snapshots.Cluster;
        var statistics = await call.Services.Snapshots.NodesAsync().ConfigureAwait(false);
        return cluster.Nodes.Select(node => new Row(
            cluster, node, statistics.FirstOrDefault(s => s.NodeId == node.Id) ?? new NodeStatistics { NodeId = node.Id }));
    }

    internal sealed record Row(ClusterView Cluster, NodeView Node, NodeStatistics Statistics);
}
