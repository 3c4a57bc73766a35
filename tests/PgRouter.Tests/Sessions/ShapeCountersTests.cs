using NUnit.Framework;
using PgRouter.Core.Routing;
using PgRouter.Core.Sessions;
using PgRouter.Sql;

namespace PgRouter.Tests.Sessions;

[TestFixture]
internal sealed class ShapeCountersTests
{
    [Test]
    public void A_shape_is_counted_with_its_last_route()
    {
        var counters = new ShapeCounters();
        var text = Text();
        counters.Count(text, RouteReason.Balanced, 1);
        counters.Count(text, RouteReason.Held, 0);
        counters.Count(Text(), RouteReason.Write, 0);
        Assert.That(counters.All, Has.Exactly(2).Items);
        Assert.That(counters.All, Has.Exactly(1).EqualTo(new ShapeCount(text, 2, RouteReason.Held, 0)));
    }

    [Test]
    public void Among_ever_new_shapes_the_busy_ones_stay_and_the_room_does_not_grow()
    {
        var counters = new ShapeCounters();
        StatementInfo[] busy = [.. Enumerable.Range(0, 20).Select(_ => Text())];
        for (var i = 0; i < 100_000; i++)
        {
            counters.Count(busy[i % busy.Length], RouteReason.Balanced, 1);
            counters.Count(Text(), RouteReason.Write, 0);
        }
        var all = counters.All.ToList();
        Assert.That(all, Has.Count.LessThanOrEqualTo(1024));
        var busiest = all.OrderByDescending(count => count.Count).Take(busy.Length).ToList();
        Assert.That(busiest.Select(count => count.Info), Is.EquivalentTo(busy));
        Assert.That(busiest.Select(count => count.Count), Is.All.InRange(4900, 5000), "about right");
    }

    [Test]
    public void Counting_allocates_nothing()
    {
        var counters = new ShapeCounters();
        StatementInfo[] texts = [.. Enumerable.Range(0, 2000).Select(_ => Text())];
        counters.Count(texts[0], RouteReason.Balanced, 1);
        var before = GC.GetAllocatedBytesForCurrentThread();
        foreach (var text in texts)
            counters.Count(text, RouteReason.Balanced, 1);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    private static StatementInfo Text() => new(StatementClass.Read, "SELECT", []);
}
