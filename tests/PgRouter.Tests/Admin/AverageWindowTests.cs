using NUnit.Framework;
using PgRouter.Core.Admin;

namespace PgRouter.Tests.Admin;

internal sealed class AverageWindowTests
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(60);

    private readonly ManualClock _clock = new(FakeRouter.Start);

    [Test]
    public void Before_the_first_period_the_window_is_the_time_since_start()
    {
        var window = new AverageWindow(_clock, Period);
        _clock.Advance(TimeSpan.FromSeconds(10));

        Assert.That(Queries(window, 50), Is.EqualTo(5));
    }

    [Test]
    public void No_time_gives_no_average() => Assert.That(Queries(new AverageWindow(_clock, Period), 50), Is.Zero);

    [Test]
    public void After_a_period_the_average_stays_until_the_next()
    {
        var window = new AverageWindow(_clock, Period);
        _clock.Advance(Period);
        window.Tick([Total(600)]);
        _clock.Advance(TimeSpan.FromSeconds(30));

        Assert.That(Queries(window, 6000), Is.EqualTo(10));
    }

    [Test]
    public void Each_window_counts_only_what_happened_in_it()
    {
        var window = new AverageWindow(_clock, Period);
        _clock.Advance(Period);
        window.Tick([Total(600)]);
        _clock.Advance(Period);
        window.Tick([Total(720)]);

        Assert.That(Queries(window, 720), Is.EqualTo(2));
    }

    [Test]
    public void Without_ticks_a_window_reaches_from_one_showing_to_another()
    {
        var window = new AverageWindow(_clock, Period);
        _clock.Advance(Period);
        _ = Queries(window, 600);
        _clock.Advance(TimeSpan.FromSeconds(600));

        Assert.That(Queries(window, 1200), Is.EqualTo(1));
    }

    [Test]
    public void A_tick_a_little_early_still_counts()
    {
        var window = new AverageWindow(_clock, Period);
        _clock.Advance(TimeSpan.FromSeconds(59.9));
        window.Tick([Total(599)]);
        _clock.Advance(TimeSpan.FromSeconds(1));

        Assert.That(Queries(window, 10_000), Is.EqualTo(10));
    }

    [Test]
    public void Totals_that_went_back_count_as_no_progress()
    {
        var window = new AverageWindow(_clock, Period);
        _clock.Advance(Period);
        window.Tick([Total(600)]);
        _clock.Advance(Period);

        Assert.That(Queries(window, 0), Is.Zero);
    }

    [Test]
    public void A_database_seen_for_the_first_time_starts_from_zero()
    {
        var window = new AverageWindow(_clock, Period);
        _clock.Advance(Period);
        window.Tick([]);
        _clock.Advance(Period);

        Assert.That(Queries(window, 60), Is.EqualTo(1));
    }

    [Test]
    public void A_time_is_averaged_over_what_took_it_even_when_that_is_rare()
    {
        var window = new AverageWindow(_clock, Period);
        _clock.Advance(Period);

        var figures = window.Observe([Total(3)]);

        Assert.That(figures.Databases[0].Average.Queries, Is.Zero);
        Assert.That(figures.Databases[0].Average.QueryTime, Is.EqualTo(7000));
        Assert.That(figures.Average.QueryTime, Is.EqualTo(7000));
    }

    private static long Queries(AverageWindow window, long total) => window.Observe([Total(total)]).Databases[0].Average.Queries;

    private static DatabaseStatistics Total(long queries) =>
        new() { Database = "shop", Queries = queries, QueryTime = TimeSpan.FromMilliseconds(7 * queries) };
}
