namespace PgRouter.Core.Admin.PgBouncer;

/// <summary>SHOW LISTS: how many of each thing there are, in PgBouncer's order.</summary>
internal sealed class ShowLists() : TableCommand<ShowLists.Row>(
    AdminDialect.PgBouncer, "SHOW LISTS", "how many databases, users, pools, clients and servers there are")
{
    protected override AdminTable<Row> Table { get; } = new AdminTable<Row>()
        .Text("list", r => r.List)
        .Int4("items", r => r.Items);

    protected override async ValueTask<IEnumerable<Row>> RowsAsync(AdminCall call)
    {
        var snapshots = call.Services.Snapshots;
        var databases = await DatabaseNames.InUseAsync(snapshots).ConfigureAwait(false);
        var pools = await snapshots.PoolsAsync().ConfigureAwait(false);
        var clients = await snapshots.ClientsAsync().ConfigureAwait(false);
        var servers = await snapshots.ServersAsync().ConfigureAwait(false);
        var users = pools.Select(p => p.User).Concat(clients.Where(c => c.State != "login").Select(c => c.User)).Distinct().Count();
        // Free entries are memory PgBouncer keeps for later, peers and DNS its own resolver and cluster: none of them exists here.
        return
        [
            new("databases", databases.Count),
            new("users", users),
            new("peers", 0),
            new("pools", pools.Count),
            new("peer_pools", 0),
            new("free_clients", 0),
            new("used_clients", clients.Count),
            new("login_clients", clients.Count(c => c.State == "login")),
            new("free_servers", 0),
            new("used_servers", servers.Count),
            new("dns_names", 0),
            new("dns_zones", 0),
            new("dns_queries", 0),
            new("dns_pending", 0),
        ];
    }

    internal sealed record Row(string List, int Items);
}
