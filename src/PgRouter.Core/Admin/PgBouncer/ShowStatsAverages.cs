namespace PgRouter.Core.Admin.PgBouncer;

/// <summary>SHOW STATS_AVERAGES: averages over the last window, one row per database; times in microseconds.</summary>
internal sealed class ShowStatsAverages() : TableCommand<DatabaseFigures>(
    AdminDialect.PgBouncer, "SHOW STATS_AVERAGES", "averages over stats_period, per database")
{
    // The last four carry a prefix that the others lack: so they are named by PgBouncer itself.
    protected override AdminTable<DatabaseFigures> Table { get; } = new AdminTable<DatabaseFigures>()
        .Text("database", r => r.Database)
        .Numeric("server_assignment_count", r => r.Average.Assignments)
        .Numeric("xact_count", r => r.Average.Transactions)
        .Numeric("query_count", r => r.Average.Queries)
        .Numeric("bytes_received", r => r.Average.Received)
        .Numeric("bytes_sent", r => r.Average.Sent)
        .Numeric("xact_time", r => r.Average.TransactionTime)
        .Numeric("query_time", r => r.Average.QueryTime)
        .Numeric("wait_time", r => r.Average.WaitTime)
        .Numeric("avg_client_parse_count", r => r.Average.ClientParses)
        .Numeric("avg_server_parse_count", r => r.Average.ServerParses)
        .Numeric("avg_bind_count", r => r.Average.Binds)
        .Numeric("avg_client_login_count", r => r.Average.ClientLogins);

    protected override async ValueTask<IEnumerable<DatabaseFigures>> RowsAsync(AdminCall call) =>
        (await ShowStats.FiguresAsync(call).ConfigureAwait(false)).Databases;
}
