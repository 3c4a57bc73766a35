using System.Globalization;
using PgRouter.Core.Configuration;

namespace PgRouter.Core.Admin.PgBouncer;

/// <summary>SHOW USERS: PgBouncer's 8 columns for each user with a pool, a client or lines of its own in the configuration.</summary>
internal sealed class ShowUsers() : TableCommand<ShowUsers.Row>(AdminDialect.PgBouncer, "SHOW USERS", "users, their limits and connections")
{
    protected override AdminTable<Row> Table { get; } = new AdminTable<Row>()
        .Text("name", r => r.User)
        // NULL = no setting of the user's own. PgBouncer's type is text for both sizes.
        .Text("pool_size", r => r.Own.PoolSize?.ToString(CultureInfo.InvariantCulture))
        .Text("reserve_pool_size", r => r.Own.ReservePoolSize?.ToString(CultureInfo.InvariantCulture))
        .Text("pool_mode", r => r.Own.PoolMode is { } mode ? BouncerWords.Mode(mode) : null)
        .Int4("max_user_connections", r => r.Limits.MaxUserConnections)
        .Int4("current_connections", r => r.Servers)
        .Int4("max_user_client_connections", r => r.Limits.MaxUserClientConnections)
        .Int4("current_client_connections", r => r.Clients);

    protected override async ValueTask<IEnumerable<Row>> RowsAsync(AdminCall call)
    {
        var snapshots = call.Services.Snapshots;
        var servers = (await snapshots.ServersAsync().ConfigureAwait(false)).ToLookup(s => s.User);
        var clients = (await snapshots.ClientsAsync().ConfigureAwait(false)).Where(c => c.State != "login").ToLookup(c => c.User);
        var pools = await snapshots.PoolsAsync().ConfigureAwait(false);
        var config = snapshots.Config;
        return pools.Select(p => p.User)
            .Concat(clients.Select(g => g.Key))
            .Concat(config.Overrides.Users)
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal)
            .Select(user => new Row(
                user, config.Overrides.OwnOf(ScopeKind.User, user), SessionLimits.For(config, "", user), servers[user].Count(), clients[user].Count()));
    }

    internal sealed record Row(string User, LimitOverrides Own, SessionLimits Limits, int Servers, int Clients);
}
