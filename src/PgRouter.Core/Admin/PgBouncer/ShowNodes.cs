using System.Globalization;
using PgRouter.Core.Cluster;

namespace PgRouter.Core.Admin.PgBouncer;

/// <summary>SHOW NODES: what health knows of each node in the router's own words, which SHOW POOL_NODES maps to pgpool-II's.</summary>
internal sealed class ShowNodes() : TableCommand<NodeView>(
    AdminDialect.PgBouncer, "SHOW NODES", "nodes as health sees them, with the reason of each status")
{
    protected override AdminTable<NodeView> Table { get; } = new AdminTable<NodeView>()
        .Int4("node_id", n => n.Id)
        .Text("host", n => n.Config.Host)
        .Int4("port", n => n.Config.Port)
        .Text("status", n => n.State.Status.ToString().ToLowerInvariant())
        .Text("reason", n => n.State.Reason)
        .Bool("reachable", n => n.State.Reachable)
        .Text("role", n => n.State.Role.ToString().ToLowerInvariant())
        .Text("lsn", n => n.State.Lsn == 0 ? null : Lsn(n.State.Lsn))
        .Int8("timeline", n => n.State.Timeline == 0 ? null : n.State.Timeline)
        .Text("system_identifier",
            n => n.State.SystemIdentifier == 0 ? null : n.State.SystemIdentifier.ToString(CultureInfo.InvariantCulture))
        .Int8("replication_delay_bytes", n => n.State.ReplicationDelayBytes)
        .Int8("replication_delay_us", n => n.State.ReplicationDelayTime is { } delay ? AdminText.Microseconds(delay) : null)
        .Int4("server_version_num", n => n.State.ServerVersion == 0 ? null : n.State.ServerVersion)
        .UtcText("last_status_change", n => n.State.LastStatusChange);

    protected override ValueTask<IEnumerable<NodeView>> RowsAsync(AdminCall call) =>
        ValueTask.FromResult<IEnumerable<NodeView>>(call.Services.Snapshots.Cluster.Nodes);

    /// <summary>pg_lsn's text: two hexadecimal halves.</summary>
    private static string Lsn(ulong position) => string.Create(CultureInfo.InvariantCulture, $"{position >> 32:X}/{(uint)position:X}");
}
