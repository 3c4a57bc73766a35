namespace PgRouter.Core.Admin.PgBouncer;

/// <summary>SHOW VERSION: name first, then number, the form of PgBouncer's answer.</summary>
internal sealed class ShowVersion() : TableCommand<string>(AdminDialect.PgBouncer, "SHOW VERSION", "name and version of the router")
{
    protected override AdminTable<string> Table { get; } = new AdminTable<string>().Text("version", version => $"PgRouter {version}");

    protected override ValueTask<IEnumerable<string>> RowsAsync(AdminCall call) =>
        ValueTask.FromResult<IEnumerable<string>>([call.Services.Version]);
}
