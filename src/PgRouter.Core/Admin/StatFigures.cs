namespace PgRouter.Core.Admin;

/// <summary>
/// PgBouncer's twelve figures of a database, in its units: counts, bytes and microseconds (averages of counts and bytes: per second).
/// </summary>
internal readonly record struct StatFigures
{
    public long Assignments { get; init; }

    public long Transactions { get; init; }

    public long Queries { get; init; }

    public long Received { get; init; }

    public long Sent { get; init; }

    public long TransactionTime { get; init; }

    public long QueryTime { get; init; }

    public long WaitTime { get; init; }

    public long ClientParses { get; init; }

    public long ServerParses { get; init; }

    public long Binds { get; init; }

    public long ClientLogins { get; init; }

    public static StatFigures From(DatabaseStatistics statistics) => new()
    {
        Assignments = statistics.ServerAssignments,
        Transactions = statistics.Transactions,
        Queries = statistics.Queries,
        Received = statistics.BytesReceived,
        Sent = statistics.BytesSent,
        TransactionTime = AdminText.Microseconds(statistics.TransactionTime),
        QueryTime = AdminText.Microseconds(statistics.QueryTime),
        WaitTime = AdminText.Microseconds(statistics.WaitTime),
        ClientParses = statistics.ClientParses,
        ServerParses = statistics.ServerParses,
        Binds = statistics.Binds,
        ClientLogins = statistics.ClientLogins,
    };

    public static StatFigures Sum(IEnumerable<StatFigures> figures) =>
        figures.Aggregate(default(StatFigures), static (sum, f) => Combine(sum, f, static (x, y) => x + y));

    /// <summary>
    /// Averages of what happened between two totals: counts and bytes per second, transaction time per transaction, query time per query,
    /// wait time per assignment. A total that went back (a database that was dropped and came again) counts as no progress.
    /// </summary>
    public static StatFigures Average(StatFigures before, StatFigures after, TimeSpan elapsed)
    {
        if (elapsed <= TimeSpan.Zero)
            return default;
        var grown = Combine(before, after, static (x, y) => Math.Max(0, y - x));
        var rates = Combine(grown, default, (x, _) => (long)(x / elapsed.TotalSeconds));
        return rates with
        {
            TransactionTime = Each(grown.TransactionTime, grown.Transactions),
            QueryTime = Each(grown.QueryTime, grown.Queries),
            WaitTime = Each(grown.WaitTime, grown.Assignments),
        };
    }

    private static long Each(long total, long count) => count == 0 ? 0 : total / count;

    private static StatFigures Combine(StatFigures a, StatFigures b, Func<long, long, long> combine) => new()
    {
        Assignments = combine(a.Assignments, b.Assignments),
        Transactions = combine(a.Transactions, b.Transactions),
        Queries = combine(a.Queries, b.Queries),
        Received = combine(a.Received, b.Received),
        Sent = combine(a.Sent, b.Sent),
        TransactionTime = combine(a.TransactionTime, b.TransactionTime),
        QueryTime = combine(a.QueryTime, b.QueryTime),
        WaitTime = combine(a.WaitTime, b.WaitTime),
        ClientParses = combine(a.ClientParses, b.ClientParses),
        ServerParses = combine(a.ServerParses, b.ServerParses),
        Binds = combine(a.Binds, b.Binds),
        ClientLogins = combine(a.ClientLogins, b.ClientLogins),
    };
}

/// <summary>A database's totals since start and its averages over the last window.</summary>
internal sealed record DatabaseFigures(string Database, StatFigures Total, StatFigures Average);

/// <summary>Figures of every database over one window, and of all together.</summary>
internal sealed record WindowFigures(IReadOnlyList<DatabaseFigures> Databases, StatFigures Total, StatFigures Average);
