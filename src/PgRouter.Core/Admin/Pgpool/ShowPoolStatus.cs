namespace PgRouter.Core.Admin.Pgpool;

/// <summary>SHOW POOL_STATUS: every setting in force with its meaning.</summary>
internal sealed class ShowPoolStatus() : TableCommand<SettingRow>(
    AdminDialect.Pgpool, "SHOW POOL_STATUS", "every setting in force with its meaning, then the nodes")
{
    protected override AdminTable<SettingRow> Table => SettingList.Table;

    protected override ValueTask<IEnumerable<SettingRow>> RowsAsync(AdminCall call) =>
        ValueTask.FromResult<IEnumerable<SettingRow>>(SettingList.All(call.Services));
}
