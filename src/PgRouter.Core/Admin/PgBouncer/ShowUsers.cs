namespace PgRouter.Core.Admin.PgBouncer;

/// <summary>SHOW USERS: PgBouncer's 8 columns for each user with a pool or a client.</summary>
internal sealed class ShowUsers() : TableCommand<ShowUsers.Row>(AdminDialect.PgBouncer, "SHOW USERS", "users, their limits and connections")
{
    protected override AdminTable<Row> Table { get; } = new AdminTable<Row>()
        .Text("name", r => r.User)
        // NULL = no setting of the user's own. PgBouncer's type is text for both sizes.
        .Text("pool_size", _ => null)
        .Text("reserve_pool_size", _ => null)
        .Text("pool_mode", _ => null)
        .Int4("max_user_connections", r => r.Settings.Int("max_user_connections"))
        .Int4("current_connections", r => r.Servers)
        .Int4("max_user_client_connections", r => r.Settings.Int("max_user_client_connections"))
        .Int4("current_client_connections", r => r.Clients);

    protected override async ValueTask<IEnumerable<Row>> RowsAsync(AdminCall call)
    {
        var snapshots = call.Services.Snapshots;
        var servers = (await snapshots.ServersAsync().ConfigureAwait(false)).ToLookup(s => s.User);
        var clients = (await snapshots.ClientsAsync().ConfigureAwait(false)).Where(c => c.State != "login").ToLookup(c => c.User);
        var pools = await snapshots.PoolsAsync().ConfigureAwait(false);
        var settings = new SettingLookup(call.Services.Settings.Rows());
        return pools.Select(p => p.User)
            .Concat(clients.Select(g => g.Key))
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal)
            .Select(user => new Row(user, settings, servers[user].Count(), clients[user].Count()));
    }

    internal sealed record Row(string User, SettingLookup Settings, int Servers, int Clients);
}
