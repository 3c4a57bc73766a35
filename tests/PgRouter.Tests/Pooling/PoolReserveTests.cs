using NUnit.Framework;
using PgRouter.Core.Pooling;
using PgRouter.Testing;
using PgRouter.Tests.Transport;

namespace PgRouter.Tests.Pooling;

/// <summary>reserve_pool_size and reserve_pool_timeout.</summary>
[TestFixture]
internal sealed class PoolReserveTests
{
    private PoolBed _bed = null!;

    private ServerPool Pool => _bed.Pool;

    [SetUp]
    public void Build() => _bed = new PoolBed(size: 1);

    [TearDown]
    public void TearDown() => _bed.Dispose();

    [Test]
    public async Task Who_has_waited_long_gets_a_server_of_the_reserve()
    {
        Reserve(1, TimeSpan.FromMilliseconds(1));
        await _bed.NewClient().TakeAsync();
        Assert.That((await _bed.NewClient().TakeAsync()).Server, Is.Not.Null);
        Assert.That(Pool.Count, Is.EqualTo(2));
    }

    [Test]
    public async Task The_reserve_has_an_end()
    {
        Reserve(1, TimeSpan.FromMilliseconds(1));
        await _bed.NewClient().TakeAsync();
        await _bed.NewClient().TakeAsync();
        var held = await _bed.NewClient().BeginAsync();
        await _bed.Host.On(() => Pool.Opener.OpenAsNeeded(_bed.Host.Loop));
        Assert.That((Pool.Count, held.IsCompleted), Is.EqualTo((2, false)));
    }

    [Test]
    public async Task Who_has_not_waited_long_gets_none()
    {
        Reserve(1, TimeSpan.FromMinutes(10));
        await _bed.NewClient().TakeAsync();
        var waiting = await _bed.NewClient().BeginAsync();
        await _bed.Host.On(() => Pool.Opener.OpenAsNeeded(_bed.Host.Loop));
        Assert.That((Pool.Count, waiting.IsCompleted), Is.EqualTo((1, false)));
    }

    [Test]
    public async Task Each_of_those_who_wait_too_long_gets_its_own()
    {
        Reserve(3, TimeSpan.FromMilliseconds(1));
        await _bed.NewClient().TakeAsync();
        var waiting = new[] { await _bed.NewClient().BeginAsync(), await _bed.NewClient().BeginAsync() };
        await Task.WhenAll(waiting).WaitAsync(LoopHost.Deadline);
        Assert.That((Pool.Count, _bed.Connects), Is.EqualTo((3, 3)));
    }

    [Test]
    public async Task When_nobody_waits_any_more_the_reserve_is_closed()
    {
        Reserve(1, TimeSpan.FromMilliseconds(1));
        var (first, second) = (await _bed.NewClient().TakeAsync(), await _bed.NewClient().TakeAsync());
        await _bed.Host.On(first.Release);
        await _bed.Host.On(second.Release);
        Assert.That((Pool.Count, Pool.IdleCount), Is.EqualTo((1, 1)));
    }

    [Test]
    public async Task A_server_of_the_reserve_goes_to_the_next_who_waits()
    {
        Reserve(1, TimeSpan.FromMilliseconds(1));
        await _bed.NewClient().TakeAsync();
        var reserve = await _bed.NewClient().TakeAsync();
        var waiting = await _bed.NewClient().BeginAsync();
        await _bed.Host.On(reserve.Release);
        Assert.That((await waiting.WaitAsync(LoopHost.Deadline)).Lease!.Server, Is.SameAs(reserve.Server));
    }

    [Test]
    public async Task The_size_of_a_database_is_its_own()
    {
        _bed.SetDatabase("d", new() { PoolSize = 2 });
        await _bed.NewClient().TakeAsync();
        await _bed.NewClient().TakeAsync();
        var elsewhere = _bed.Directory.Get(PoolBed.Node, "other", "u");
        Assert.That((Pool.Count, Pool.Size, elsewhere.Size), Is.EqualTo((2, 2, 1)));
    }

    private void Reserve(int size, TimeSpan timeout) =>
        _bed.Config = _bed.Config with { ReservePoolSize = size, ReservePoolTimeout = timeout };
}
