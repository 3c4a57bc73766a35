namespace PgRouter.Core.Admin.Pgpool;

/// <summary>
/// SHOW POOL_POOLS: pgpool-II's 21 columns, one row per connection to PostgreSQL. Columns of the client are those of the session that holds
/// it, NULL while it is idle.
/// </summary>
internal sealed class ShowPoolPools() : TableCommand<ShowPoolPools.Row>(
    AdminDialect.Pgpool, "SHOW POOL_POOLS", "connections to PostgreSQL and the client that holds each")
{
    private const int ProtocolMajor = 3;

    protected override AdminTable<Row> Table { get; } = new AdminTable<Row>()
        .Int4("pool_pid", r => r.Client?.Pid)
        .Timestamp("start_time", r => r.Client?.ConnectTime)
        .Int8("client_connection_count", r => r.Client is null ? null : 1)
        .Int8("pool_id", r => r.Server.Id)
        .Int4("backend_id", r => r.Server.NodeId)
        .Text("database", r => r.Server.Database)
        .Text("username", r => r.Server.User)
        .Timestamp("backend_connection_time", r => r.Server.ConnectTime)
        .Timestamp("client_connection_time", r => r.Client?.ConnectTime)
        .Timestamp("client_disconnection_time", r => r.Client is null ? r.Server.ReleaseTime : null)
        .Int8("client_idle_duration", r => r.Client?.IdleSince is { } since ? Seconds(r.Now - since) : null)
        .Int4("majorversion", _ => ProtocolMajor)
        .Int4("minorversion", r => r.Server.ProtocolMinor)
        .Int8("pool_counter", r => r.Server.UseCount)
        .Int4("pool_backendpid", r => r.Server.Pid)
        .Int4("pool_connected", r => r.Client is null ? 0 : 1)
        .Text("status", r => r.Client is null ? SessionWords.Free : SessionWords.Status(r.Client.State))
        .Int4("load_balance_node", r => r.Client?.LoadBalanceNodeId == r.Server.NodeId ? 1 : 0)
        .Text("client_host", r => r.Client?.Address)
        .Int4("client_port", r => r.Client?.Port)
        // The text of another user's statement may hold secrets; pg_stat_activity shows it to those who may see it.
        .Text("statement", _ => null);

    protected override async ValueTask<IEnumerable<Row>> RowsAsync(AdminCall call)
    {
        // Clients that still log in may have no pid yet, and the 0 of an idle server must not find them.
        var clients = (await call.Services.Snapshots.ClientsAsync().ConfigureAwait(false)).Where(c => c.Pid != 0).ToLookup(c => c.Pid);
        var servers = await call.Services.Snapshots.ServersAsync().ConfigureAwait(false);
        var now = call.Services.Clock.GetUtcNow();
        return servers.OrderBy(s => s.NodeId).ThenBy(s => s.Id).Select(s => new Row(s, clients[s.ClientPid].FirstOrDefault(), now));
    }

    private static long Seconds(TimeSpan value) => Math.Max(0, (long)value.TotalSeconds);

    internal sealed record Row(ServerSnapshot Server, ClientSnapshot? Client, DateTimeOffset Now);
}
