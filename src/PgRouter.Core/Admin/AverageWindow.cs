namespace PgRouter.Core.Admin;

/// <summary>
/// Averages over stats_period, from the last two samples of the totals. It owns no timer: a sample is taken when statistics are shown and
/// whenever the host calls <see cref="Tick"/>; with a tick every period each window is one period long, without it a window reaches
/// from one showing to another. Until the first period has passed the window is the time since construction. Safe from any thread.
/// </summary>
internal sealed class AverageWindow
{
    /// <summary>PgBouncer's default for stats_period.</summary>
    public static readonly TimeSpan DefaultPeriod = TimeSpan.FromSeconds(60);

    private readonly Lock _lock = new();
    private readonly TimeProvider _clock;
    private readonly TimeSpan _shortestWindow;
    private Sample _older;
    private Sample? _newer;

    public AverageWindow(TimeProvider clock, TimeSpan period)
    {
        _clock = clock;
        // A host's timer that fires a little early must not stretch its window to two periods.
        _shortestWindow = period * 0.9;
        _older = new Sample(clock.GetTimestamp(), new Dictionary<string, StatFigures>());
    }

    /// <summary>Takes a sample if the last one is a period old.</summary>
    public void Tick(IReadOnlyList<DatabaseStatistics> totals)
    {
        var now = Take(totals);
        lock (_lock)
            Keep(now);
    }

    /// <summary>The totals with their averages: each database in the order given, and all together.</summary>
    public WindowFigures Observe(IReadOnlyList<DatabaseStatistics> totals)
    {
        var now = Take(totals);
        Sample from, to;
        lock (_lock)
        {
            Keep(now);
            from = _older;
            to = _newer ?? now;
        }
        var elapsed = _clock.GetElapsedTime(from.Timestamp, to.Timestamp);
        var databases = totals
            .Select(t => new DatabaseFigures(t.Database, StatFigures.From(t),
                StatFigures.Average(from[t.Database], to[t.Database], elapsed)))
            .ToList();
        return new WindowFigures(databases, StatFigures.Sum(databases.Select(d => d.Total)),
            StatFigures.Average(from.Sum, to.Sum, elapsed));
    }

    private Sample Take(IReadOnlyList<DatabaseStatistics> totals) =>
        new(_clock.GetTimestamp(), totals.ToDictionary(t => t.Database, StatFigures.From, StringComparer.Ordinal));

    private void Keep(Sample now)
    {
        if (_clock.GetElapsedTime((_newer ?? _older).Timestamp, now.Timestamp) < _shortestWindow)
            return;
        _older = _newer ?? _older;
        _newer = now;
    }

    private sealed record Sample(long Timestamp, IReadOnlyDictionary<string, StatFigures> Databases)
    {
        /// <summary>Totals of a database at this moment; zero before it was first used.</summary>
        public StatFigures this[string database] => Databases.GetValueOrDefault(database);

        public StatFigures Sum => StatFigures.Sum(Databases.Values);
    }
}
