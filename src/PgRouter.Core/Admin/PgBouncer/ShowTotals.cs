namespace PgRouter.Core.Admin.PgBouncer;

/// <summary>SHOW TOTALS: the figures of SHOW STATS for all databases together, one row per figure.</summary>
internal sealed class ShowTotals() : TableCommand<ShowTotals.Row>(AdminDialect.PgBouncer, "SHOW TOTALS", "the figures of SHOW STATS, all databases together")
{
    protected override AdminTable<Row> Table { get; } = new AdminTable<Row>()
        .Text("name", r => r.Name)
        .Numeric("value", r => r.Value);

    protected override async ValueTask<IEnumerable<Row>> RowsAsync(AdminCall call)
    {
        var figures = await ShowStats.FiguresAsync(call).ConfigureAwait(false);
        var total = figures.Aggregate(default(StatFigures), (sum, f) => sum + f.Total);
        return Rows("total_", total).Concat(Rows("avg_", Together(figures)));
    }

    /// <summary>
    /// Rates add up; a time per transaction, query or assignment is weighted by the rate of these, so that a busy database counts for what
    /// it did.
    /// </summary>
    private static StatFigures Together(IReadOnlyList<DatabaseFigures> figures)
    {
        var averages = figures.Select(f => f.Average).ToList();
        return averages.Aggregate(default(StatFigures), (sum, f) => sum + f) with
        {
            TransactionTime = Weighted(averages, f => f.TransactionTime, f => f.Transactions),
            QueryTime = Weighted(averages, f => f.QueryTime, f => f.Queries),
            WaitTime = Weighted(averages, f => f.WaitTime, f => f.Assignments),
        };
    }

    private static long Weighted(List<StatFigures> averages, Func<StatFigures, long> time, Func<StatFigures, long> rate)
    {
        var weight = averages.Sum(rate);
        return weight == 0 ? 0 : averages.Sum(f => time(f) * rate(f)) / weight;
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
