namespace PgRouter.Core.Admin.PgBouncer;

/// <summary>
/// SHOW POOLS: one row per (database, user), as PgBouncer's exporters need it, figures added up over the nodes; SHOW NODE_POOLS takes them
/// apart.
/// </summary>
internal sealed class ShowPools() : TableCommand<PoolRow>(
    AdminDialect.PgBouncer, "SHOW POOLS", "pools, one row per database and user, all nodes together")
{
    protected override AdminTable<PoolRow> Table => PoolRow.Table;

    protected override async ValueTask<IEnumerable<PoolRow>> RowsAsync(AdminCall call) => PoolRow.ByUser(
        await call.Services.Snapshots.PoolsAsync().ConfigureAwait(false),
        await call.Services.Snapshots.ClientsAsync().ConfigureAwait(false));
}
