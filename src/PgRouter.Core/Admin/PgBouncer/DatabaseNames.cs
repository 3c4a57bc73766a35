namespace PgRouter.Core.Admin.PgBouncer;

/// <summary>Databases known to the router: those with statistics, a pool or a client, and those an operator has stopped.</summary>
internal static class DatabaseNames
{
    /// <summary>Each name once, in order.</summary>
    public static async ValueTask<IReadOnlyList<string>> InUseAsync(IRouterSnapshots snapshots)
    {
        var statistics = await snapshots.DatabasesAsync().ConfigureAwait(false);
        var pools = await snapshots.PoolsAsync().ConfigureAwait(false);
        var clients = await snapshots.ClientsAsync().ConfigureAwait(false);
        return statistics.Select(s => s.Database)
            .Concat(pools.Select(p => p.Database))
            .Concat(clients.Where(c => c.State != "login").Select(c => c.Database))
            .Concat(snapshots.Stops().Databases.Where(s => s.IsPaused || s.IsDisabled).Select(s => s.Database))
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal)
            .ToList();
    }
}
