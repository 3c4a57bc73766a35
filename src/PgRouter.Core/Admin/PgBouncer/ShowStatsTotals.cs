namespace PgRouter.Core.Admin.PgBouncer;

/// <summary>SHOW STATS_TOTALS: totals since start, one row per database; times in microseconds.</summary>
internal sealed class ShowStatsTotals() : TableCommand<DatabaseFigures>(
    AdminDialect.PgBouncer, "SHOW STATS_TOTALS", "totals since start, per database")
{
    protected override AdminTable<DatabaseFigures> Table { get; } = new AdminTable<DatabaseFigures>()
        .Text("database", r => r.Database)
        .Numeric("server_assignment_count", r => r.Total.Assignments)
        .Numeric("xact_count", r => r.Total.Transactions)
        .Numeric("query_count", r => r.Total.Queries)
        .Numeric("bytes_received", r => r.Total.Received)
        .Numeric("bytes_sent", r => r.Total.Sent)
        .Numeric("xact_time", r => r.Total.TransactionTime)
        .Numeric("query_time", r => r.Total.QueryTime)
        .Numeric("wait_time", r => r.Total.WaitTime)
        .Numeric("client_parse_count", r => r.Total.ClientParses)
        .Numeric("server_parse_count", r => r.Total.ServerParses)
        .Numeric("bind_count", r => r.Total.Binds)
        .Numeric("client_login_count", r => r.Total.ClientLogins);

    protected override async ValueTask<IEnumerable<DatabaseFigures>> RowsAsync(AdminCall call) =>
        (await ShowStats.FiguresAsync(call).ConfigureAwait(false)).Databases;
}
