using NUnit.Framework;
using PgRouter.Core.Configuration;
using PgRouter.Core.Pooling;
using PgRouter.Tests.Transport;

namespace PgRouter.Tests.Pooling;

/// <summary>When servers are closed for their age or the number of their clients.</summary>
[TestFixture]
internal sealed class ServerLifeTests
{
    [Test]
    public void Servers_opened_together_do_not_all_end_together()
    {
        var ends = Enumerable.Range(1, 20).Select(id => ServerLife.LifetimeMs(id, TimeSpan.FromSeconds(1000))).Order().ToList();
        Assert.That(ends, Is.All.InRange(800_000.0, 1_000_000.0));
        var gaps = ends.Zip(ends.Skip(1), (one, next) => next - one);
        Assert.That(gaps, Is.All.InRange(2_000.0, 25_000.0), "evenly spread over a fifth of the lifetime");
    }

    [Test]
    public async Task A_server_ends_after_so_many_uses()
    {
        using var bed = new PoolBed(size: 1);
        bed.Config = bed.Config with { ServerMaxUses = 2 };
        var client = bed.NewClient();
        var first = await client.TakeAsync();
        await client.ReleaseAsync(first);
        var second = await client.TakeAsync();
        Assert.That(second.Server, Is.SameAs(first.Server));
        await client.ReleaseAsync(second);
        Assert.That((bed.Pool.Count, first.Server.Socket.IsClosed), Is.EqualTo((0, true)));
    }

    [Test]
    public async Task The_lifetime_of_a_database_is_its_own()
    {
        using var bed = new PoolBed();
        var client = bed.NewClient();
        await client.ReleaseAsync(await client.TakeAsync());
        var limits = SessionLimits.For(bed.Config, "d", "u");
        await bed.Host.On(() =>
        {
            var server = bed.Pool.Idle(bed.Host.Loop)[0];
            var inAnHour = server.ConnectedAtMs + 3_600_001;
            Assert.That(ServerLife.IsExpired(server, limits, 0, inAnHour), Is.True);
            Assert.That(ServerLife.IsExpired(server, limits with { ServerLifetime = TimeSpan.Zero }, 0, inAnHour), Is.False);
            Assert.That(ServerLife.IsExpired(server, limits with { ServerLifetime = TimeSpan.FromHours(2) }, 0, inAnHour), Is.False);
        });
    }
}
