namespace PgRouter.Core.Admin.PgBouncer;

/// <summary>SHOW TOTALS: the figures of SHOW STATS for all databases together, one row per figure.</summary>
internal sealed class ShowTotals() : TableCommand<ShowTotals.Row>(
    AdminDialect.PgBouncer, "SHOW TOTALS", "the figures of SHOW STATS, all databases together")
{
    protected override AdminTable<Row> Table { get; } = new AdminTable<Row>()
        .Text("name", r => r.Name)
        .Numeric("value", r => r.Value);

    protected override async ValueTask<IEnumerable<Row>> RowsAsync(AdminCall call)
    {
        var figures = await ShowStats.FiguresAsync(call).ConfigureAwait(false);
        return Rows("total_", figures.Total).Concat(Rows("avg_", figures.Average));
    }

    private static IEnumerable<Row> Rows(string prefix, StatFigures f) =>
    [
        new(prefix + "server_assignment_count", f.Assignments),
        new(prefix + "xact_count", f.Transactions),
        new(prefix + "query_count", f.Queries),
        new(prefix + "client_bytes", f.Received),
        new(prefix + "server_bytes", f.Sent),
        new(prefix + "xact_time", f.TransactionTime),
        new(prefix + "query_time", f.QueryTime),
        new(prefix + "wait_time", f.WaitTime),
        new(prefix + "ps_client_parse_count", f.ClientParses),
        new(prefix + "ps_server_parse_count", f.ServerParses),
        new(prefix + "ps_bind_count", f.Binds),
        new(prefix + "client_login_count", f.ClientLogins),
    ];

    internal sealed record Row(string Name, long Value);
}
