namespace PgRouter.Core.Admin.PgBouncer;

/// <summary>SHOW CONFIG: every setting with its default and whether a reload takes a new value over.</summary>
internal sealed class ShowConfig() : TableCommand<SettingRow>(
    AdminDialect.PgBouncer, "SHOW CONFIG", "settings: value, default, changeable by reload or not")
{
    protected override AdminTable<SettingRow> Table { get; } = new AdminTable<SettingRow>()
        .Text("key", r => r.Name)
        .Text("value", r => r.Value)
        .Text("default", r => r.Default)
        .Text("changeable", r => r.Changeable ? "yes" : "no");

    protected override ValueTask<IEnumerable<SettingRow>> RowsAsync(AdminCall call) =>
        ValueTask.FromResult<IEnumerable<SettingRow>>(SettingMask.Apply(call.Services.Settings.Rows()));
}
