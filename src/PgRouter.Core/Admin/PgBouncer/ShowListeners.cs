namespace PgRouter.Core.Admin.PgBouncer;

/// <summary>SHOW LISTENERS: the channels that clients listen to over the shared connection of their database. PgBouncer has no such thing.</summary>
internal sealed class ShowListeners() : TableCommand<ListenerSnapshot>(
    AdminDialect.PgBouncer, "SHOW LISTENERS", "channels that clients listen to, and the connections that do it for them")
{
    protected override AdminTable<ListenerSnapshot> Table { get; } = new AdminTable<ListenerSnapshot>()
        .Text("database", r => r.Database)
        .Text("channel", r => r.Channel)
        .Int4("subscribers", r => r.Subscribers)
        .Text("state", r => r.State)
        .Int4("node_id", r => r.NodeId < 0 ? null : r.NodeId)
        .Int4("remote_pid", r => r.ServerPid == 0 ? null : r.ServerPid)
        .Text("user", r => r.User)
        .Int8("delivered", r => r.Delivered)
        .UtcText("since", r => r.Since);

    protected override async ValueTask<IEnumerable<ListenerSnapshot>> RowsAsync(AdminCall call)
    {
        var listeners = await call.Services.Snapshots.ListenersAsync().ConfigureAwait(false);
        return listeners.OrderBy(l => l.Database, StringComparer.Ordinal).ThenBy(l => l.Channel, StringComparer.Ordinal);
    }
}
