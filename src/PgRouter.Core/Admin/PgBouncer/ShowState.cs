namespace PgRouter.Core.Admin.PgBouncer;

/// <summary>SHOW STATE: PgBouncer's three states of the router as a whole; those of one database are in SHOW DATABASES.</summary>
internal sealed class ShowState() : TableCommand<KeyValuePair<string, string>>(
    AdminDialect.PgBouncer, "SHOW STATE", "active, paused or suspended")
{
    protected override AdminTable<KeyValuePair<string, string>> Table { get; } = new AdminTable<KeyValuePair<string, string>>()
        .Text("key", r => r.Key)
        .Text("value", r => r.Value);

    protected override ValueTask<IEnumerable<KeyValuePair<string, string>>> RowsAsync(AdminCall call)
    {
        var stops = call.Services.Snapshots.Stops();
        return ValueTask.FromResult<IEnumerable<KeyValuePair<string, string>>>(
        [
            Row("active", !stops.IsPaused && !stops.IsSuspended),
            Row("paused", stops.IsPaused),
            Row("suspended", stops.IsSuspended),
        ]);
    }

    private static KeyValuePair<string, string> Row(string key, bool value) => new(key, value ? "yes" : "no");
}
