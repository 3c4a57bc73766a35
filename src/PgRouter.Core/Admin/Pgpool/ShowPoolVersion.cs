namespace PgRouter.Core.Admin.Pgpool;

/// <summary>SHOW POOL_VERSION: number first and name in brackets, the form of pgpool-II's answer.</summary>
internal sealed class ShowPoolVersion() : TableCommand<string>(AdminDialect.Pgpool, "SHOW POOL_VERSION", "version of the router")
{
    protected override AdminTable<string> Table { get; } = new AdminTable<string>()
        .Text("pool_version", version => $"{version} (PgRouter)");

    protected override ValueTask<IEnumerable<string>> RowsAsync(AdminCall call) =>
        ValueTask.FromResult<IEnumerable<string>>([call.Services.Version]);
}
