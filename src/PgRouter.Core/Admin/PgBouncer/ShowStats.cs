namespace PgRouter.Core.Admin.PgBouncer;

/// <summary>SHOW STATS: totals since start and averages over the last window, one row per database; times in microseconds.</summary>
internal sealed class ShowStats() : TableCommand<DatabaseFigures>(
    AdminDialect.PgBouncer, "SHOW STATS", "totals since start and averages over stats_period, per database")
{
    protected override AdminTable<DatabaseFigures> Table { get; } = new AdminTable<DatabaseFigures>()
        .Text("database", r => r.Database)
        .Numeric("total_server_assignment_count", r => r.Total.Assignments)
        .Numeric("total_xact_count", r => r.Total.Transactions)
        .Numeric("total_query_count", r => r.Total.Queries)
        .Numeric("total_received", r => r.Total.Received)
        .Numeric("total_sent", r => r.Total.Sent)
        .Numeric("total_xact_time", r => r.Total.TransactionTime)
        .Numeric("total_query_time", r => r.Total.QueryTime)
        .Numeric("total_wait_time", r => r.Total.WaitTime)
        .Numeric("total_client_parse_count", r => r.Total.ClientParses)
        .Numeric("total_server_parse_count", r => r.Total.ServerParses)
        .Numeric("total_bind_count", r => r.Total.Binds)
        .Numeric("total_client_login_count", r => r.Total.ClientLogins)
        .Numeric("avg_server_assignment_count", r => r.Average.Assignments)
        .Numeric("avg_xact_count", r => r.Average.Transactions)
        .Numeric("avg_query_count", r => r.Average.Queries)
        .Numeric("avg_recv", r => r.Average.Received)
        .Numeric("avg_sent", r => r.Average.Sent)
        .Numeric("avg_xact_time", r => r.Average.TransactionTime)
        .Numeric("avg_query_time", r => r.Average.QueryTime)
        .Numeric("avg_wait_time", r => r.Average.WaitTime)
        .Numeric("avg_client_parse_count", r => r.Average.ClientParses)
        .Numeric("avg_server_parse_count", r => r.Average.ServerParses)
        .Numeric("avg_bind_count", r => r.Average.Binds)
        .Numeric("avg_client_login_count", r => r.Average.ClientLogins);

    protected override async ValueTask<IEnumerable<DatabaseFigures>> RowsAsync(AdminCall call) =>
        (await FiguresAsync(call).ConfigureAwait(false)).Databases;

    /// <summary>Every database's figures, in order of name, and all together.</summary>
    public static async ValueTask<WindowFigures> FiguresAsync(AdminCall call)
    {
        var totals = await call.Services.Snapshots.DatabasesAsync().ConfigureAwait(false);
        return call.Services.Averages.Observe(totals.OrderBy(t => t.Database, StringComparer.Ordinal).ToList());
    }
}
