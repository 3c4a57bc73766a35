namespace PgRouter.Core.Admin.PgBouncer;

/// <summary>SHOW NODE_POOLS: the columns of SHOW POOLS, one row per (database, user, node).</summary>
internal sealed class ShowNodePools() : TableCommand<PoolRow>(
    AdminDialect.PgBouncer, "SHOW NODE_POOLS", "pools, one row per database, user and node")
{
    protected override AdminTable<PoolRow> Table => PoolRow.Table;

    protected override async ValueTask<IEnumerable<PoolRow>> RowsAsync(AdminCall call) => PoolRow.ByNode(
        await call.Services.Snapshots.PoolsAsync().ConfigureAwait(false),
        await call.Services.Snapshots.ClientsAsync().ConfigureAwait(false));
}
