namespace PgRouter.Core.Admin.Pgpool;

/// <summary>SHOW POOL_PROCESSES: pgpool-II's 8 columns; a client session stands in the place of one of its processes.</summary>
internal sealed class ShowPoolProcesses() : TableCommand<ShowPoolProcesses.Row>(
    AdminDialect.Pgpool, "SHOW POOL_PROCESSES", "client sessions, each in the place of a pgpool-II process")
{
    protected override AdminTable<Row> Table { get; } = new AdminTable<Row>()
        .Int4("pool_pid", r => r.Client.Pid)
        .Timestamp("start_time", r => r.Client.ConnectTime)
        // A session serves the one client it was started for.
        .Int8("client_connection_count", _ => 1)
        .Text("database", r => r.Client.Database)
        .Text("username", r => r.Client.User)
        .Timestamp("backend_connection_time", r => r.Server?.ConnectTime)
        .Int8("pool_counter", r => r.Server?.UseCount)
        .Text("status", r => SessionWords.Status(r.Client.State));

    protected override async ValueTask<IEnumerable<Row>> RowsAsync(AdminCall call)
    {
        var clients = await call.Services.Snapshots.ClientsAsync().ConfigureAwait(false);
        var servers = await call.Services.Snapshots.ServersAsync().ConfigureAwait(false);
        var held = servers.Where(s => s.ClientPid != 0).ToLookup(s => s.ClientPid);
        return clients.OrderBy(c => c.Pid).Select(c => new Row(c, held[c.Pid].FirstOrDefault()));
    }

    internal sealed record Row(ClientSnapshot Client, ServerSnapshot? Server);
}
