using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;

namespace PgRouter.Core.Admin.PgBouncer;

/// <summary>
/// SHOW DATABASES: PgBouncer's 17 columns for each database in use or with lines of its own in the configuration; others come with their
/// clients.
/// </summary>
internal sealed class ShowDatabases() : TableCommand<ShowDatabases.Row>(
    AdminDialect.PgBouncer, "SHOW DATABASES", "databases in use, their limits and connections")
{
    protected override AdminTable<Row> Table { get; } = new AdminTable<Row>()
        .Text("name", r => r.Database)
        .Text("host", r => string.Join(',', r.Cluster.Nodes.Select(n => n.Config.Host)))
        .Int4("port", r => CommonPort(r.Cluster))
        .Text("database", r => r.Database)
        .Text("force_user", _ => null)
        .Int4("pool_size", r => r.Limits.PoolSize)
        .Int4("min_pool_size", r => r.Limits.MinPoolSize)
        .Int4("reserve_pool_size", r => r.Limits.ReservePoolSize)
        .Int4("server_lifetime", r => (int)r.Limits.ServerLifetime.TotalSeconds)
        .Text("pool_mode", r => BouncerWords.Mode(r.Limits.PoolMode))
        .Text("load_balance_hosts", _ => null)
        .Int4("max_connections", r => r.Limits.MaxDbConnections)
        .Int4("current_connections", r => r.Servers)
        .Int4("max_client_connections", r => r.Limits.MaxDbClientConnections)
        .Int4("current_client_connections", r => r.Clients)
        .Int4("paused", r => r.Stop is { IsPaused: true } ? 1 : 0)
        .Int4("disabled", r => r.Stop is { IsDisabled: true } ? 1 : 0);

    protected override async ValueTask<IEnumerable<Row>> RowsAsync(AdminCall call)
    {
        var snapshots = call.Services.Snapshots;
        var servers = (await snapshots.ServersAsync().ConfigureAwait(false)).ToLookup(s => s.Database);
        var clients = (await snapshots.ClientsAsync().ConfigureAwait(false)).Where(c => c.State != "login").ToLookup(c => c.Database);
        var names = (await DatabaseNames.InUseAsync(snapshots).ConfigureAwait(false))
            .Union(snapshots.Config.Overrides.Databases, StringComparer.Ordinal).Order(StringComparer.Ordinal);
        var config = snapshots.Config;
        var stops = snapshots.Stops().Databases.ToDictionary(s => s.Database, StringComparer.Ordinal);
        return names.Select(name => new Row(
            name, snapshots.Cluster, SessionLimits.OfDatabase(config, name), servers[name].Count(), clients[name].Count())
        {
            Stop = stops.GetValueOrDefault(name),
        });
    }

    /// <summary>The port of every node; NULL when they differ, because a list is no int4.</summary>
    private static int? CommonPort(ClusterView cluster)
    {
        var ports = cluster.Nodes.Select(n => n.Config.Port).Distinct().ToList();
        return ports.Count == 1 ? ports[0] : null;
    }

    internal sealed record Row(string Database, ClusterView Cluster, SessionLimits Limits, int Servers, int Clients)
    {
        /// <summary>What operators have decided about it; null = nothing.</summary>
        public DatabaseStop? Stop { get; init; }
    }
}
