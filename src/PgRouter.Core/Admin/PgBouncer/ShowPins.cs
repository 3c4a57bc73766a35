namespace PgRouter.Core.Admin.PgBouncer;

/// <summary>SHOW PINS: why clients keep their servers between transactions, how often they did, and how many do now.</summary>
internal sealed class ShowPins() : TableCommand<ShowPins.Row>(
    AdminDialect.PgBouncer, "SHOW PINS", "why clients keep their servers between transactions")
{
    protected override AdminTable<Row> Table { get; } = new AdminTable<Row>()
        .Text("database", r => r.Database)
        .Text("reason", r => r.Reason)
        .Int8("total_pins", r => r.Total)
        .Int4("clients", r => r.Clients.Count)
        .UtcText("oldest_since", r => r.Clients.Min(c => c.PinnedSince));

    protected override async ValueTask<IEnumerable<Row>> RowsAsync(AdminCall call)
    {
        var totals = (await call.Services.Snapshots.DatabasesAsync().ConfigureAwait(false))
            .SelectMany(d => d.Pins.Select(p => (Key: (d.Database, Reason: p.Key), Total: p.Value)))
            .ToDictionary(p => p.Key, p => p.Total);
        var clients = (await call.Services.Snapshots.ClientsAsync().ConfigureAwait(false))
            .SelectMany(c => Reasons(c).Select(reason => (Key: (c.Database, Reason: reason), Client: c)))
            .ToLookup(c => c.Key, c => c.Client);
        return totals.Keys.Union(clients.Select(c => c.Key))
            .OrderBy(key => key.Database, StringComparer.Ordinal)
            .ThenBy(key => key.Reason, StringComparer.Ordinal)
            .Select(key => new Row(key.Database, key.Reason, totals.GetValueOrDefault(key), [.. clients[key]]));
    }

    private static string[] Reasons(ClientSnapshot client) =>
        client.Pinned.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    internal sealed record Row(string Database, string Reason, long Total, IReadOnlyList<ClientSnapshot> Clients);
}
