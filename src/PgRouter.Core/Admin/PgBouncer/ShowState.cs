namespace PgRouter.Core.Admin.PgBouncer;

/// <summary>SHOW STATE: PgBouncer's three states. PAUSE and SUSPEND do not exist here, so the router is always active.</summary>
internal sealed class ShowState() : TableCommand<KeyValuePair<string, string>>(
    AdminDialect.PgBouncer, "SHOW STATE", "active, paused or suspended")
{
    private static readonly KeyValuePair<string, string>[] States = [new("active", "yes"), new("paused", "no"), new("suspended", "no")];

    protected override AdminTable<KeyValuePair<string, string>> Table { get; } = new AdminTable<KeyValuePair<string, string>>()
        .Text("key", r => r.Key)
        .Text("value", r => r.Value);

    protected override ValueTask<IEnumerable<KeyValuePair<string, string>>> RowsAsync(AdminCall call) =>
        ValueTask.FromResult<IEnumerable<KeyValuePair<string, string>>>(States);
}
