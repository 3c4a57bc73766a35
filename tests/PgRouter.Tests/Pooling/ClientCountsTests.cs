using NUnit.Framework;
using PgRouter.Core.Configuration;
using PgRouter.Core.Pooling;

namespace PgRouter.Tests.Pooling;

[TestFixture]
internal sealed class ClientCountsTests
{
    private static readonly SessionLimits Limits = SessionLimits.For(
        new RouterConfig { MaxDbClientConnections = 2, MaxUserClientConnections = 1 }, "d", "u");

    [Test]
    public void A_limit_says_whose_it_is()
    {
        var counts = new ClientCounts();
        Assert.That(counts.TryEnter("d", "a", Limits), Is.Null);
        Assert.That(counts.TryEnter("d", "a", Limits), Is.EqualTo(ScopeKind.User));
        Assert.That(counts.TryEnter("d", "b", Limits), Is.Null);
        Assert.That(counts.TryEnter("d", "c", Limits), Is.EqualTo(ScopeKind.Database));
        Assert.That((counts.Of("d", "a"), counts.Of("d", "b"), counts.Of("d", "c")), Is.EqualTo((1, 1, 0)));
    }

    [Test]
    public void Who_leaves_makes_room_and_who_was_refused_took_none()
    {
        var counts = new ClientCounts();
        counts.TryEnter("d", "a", Limits);
        counts.TryEnter("d", "a", Limits);
        counts.Leave("d", "a");
        Assert.That(counts.Of("d", "a"), Is.Zero);
        Assert.That(new[] { counts.TryEnter("d", "b", Limits), counts.TryEnter("d", "a", Limits) }, Is.All.Null);
    }

    [Test]
    public void Many_threads_never_let_in_more_than_the_limit()
    {
        var counts = new ClientCounts();
        var limits = Limits with { MaxUserClientConnections = 0, MaxDbClientConnections = 3 };
        Parallel.For(0, 4, _ =>
        {
            for (var i = 0; i < 5_000; i++)
            {
                if (counts.TryEnter("d", "u", limits) is not null)
                    continue;
                Assert.That(counts.Of("d", "u"), Is.LessThanOrEqualTo(3));
                counts.Leave("d", "u");
            }
        });
        Assert.That(counts.Of("d", "u"), Is.Zero);
    }
}
