using NUnit.Framework;
using PgRouter.Core.Pooling;
using PgRouter.Core.Servers;
using PgRouter.Testing;

namespace PgRouter.Tests.Pooling;

/// <summary>What PAUSE, RESUME and RECONNECT do to a pool.</summary>
[TestFixture(1)]
[TestFixture(2)]
internal sealed class PoolPauseTests(int loops)
{
    private PoolBed _bed = null!;
    private PoolOperations _operations = null!;

    private DatabaseGates Gates => _bed.Context.Gates;

    [SetUp]
    public void Build()
    {
        _bed = new PoolBed(loops);
        _operations = new PoolOperations(_bed.Directory);
    }

    [TearDown]
    public void TearDown() => _bed.Dispose();

    [Test]
    public async Task Idle_servers_are_closed_and_those_in_use_when_they_are_given_back()
    {
        var (one, two) = (_bed.NewClient(), _bed.NewClient(loops - 1));
        var (busy, idle) = (await one.TakeAsync(), await two.TakeAsync());
        await _bed.Hosts[loops - 1].On(idle.Release);

        Gates.Pause("d");
        _operations.Stop("d");

        await Eventually.TrueAsync(() => _bed.Pool.Count == 1, "the idle server to be closed");
        Assert.That(_operations.HasServers("d"), Is.True);
        await _bed.Host.On(busy.Release);
        await Eventually.TrueAsync(() => !_operations.HasServers("d"), "the last server to be closed");
        Assert.That(_bed.Pool.IdleCount, Is.Zero);
    }

    [Test]
    public async Task Nothing_is_opened_for_those_who_wait_until_the_database_is_resumed()
    {
        Gates.Pause(null);
        var acquiring = await _bed.NewClient(loops - 1).BeginAsync();
        _operations.Stop(null);
        await Eventually.TrueAsync(() => _bed.Pool.WaiterCount == 1, "one who waits");
        Assert.That((_bed.Connects, _operations.HasServers(null)), Is.EqualTo((0, false)));

        Gates.Resume(null);
        _operations.Start(null);

        var (lease, _) = await acquiring.WaitAsync(Eventually.DefaultDeadline);
        Assert.That(lease, Is.Not.Null);
    }

    [Test]
    public async Task A_server_that_was_being_opened_is_closed_when_it_comes()
    {
        _bed.CloseGate();
        var acquiring = await _bed.NewClient().BeginAsync();
        await Eventually.TrueAsync(() => _bed.Connects == 1, "a server on its way");
        Gates.Pause("d");
        _operations.Stop("d");
        Assert.That(_operations.HasServers("d"), Is.True, "one is being opened");

        _bed.OpenGate();

        await Eventually.TrueAsync(() => !_operations.HasServers("d"), "the new server to be closed");
        Assert.That((acquiring.IsCompleted, _bed.Connects), Is.EqualTo((false, 1)));
    }

    [Test]
    public async Task After_reconnect_an_idle_server_is_closed_and_one_in_use_is_not_used_again()
    {
        var (one, two) = (_bed.NewClient(), _bed.NewClient());
        var (busy, idle) = (await one.TakeAsync(), await two.TakeAsync());
        await _bed.Host.On(idle.Release);

        Gates.Outdate("d", ServerConnection.LastId);
        _operations.CloseOutdated("d");

        await Eventually.TrueAsync(() => _bed.Pool.Count == 1, "the idle server to be closed");
        Assert.That(_operations.HasOutdated("d"), Is.True);
        Assert.That(await _bed.Host.On(() => busy.Server.Snapshot().CloseNeeded), Is.True);
        var fresh = await two.TakeAsync();
        Assert.That(await _bed.Host.On(() => fresh.Server.Snapshot().CloseNeeded), Is.False);
        await _bed.Host.On(busy.Release);
        Assert.That(_operations.HasOutdated("d"), Is.False);
        await _bed.Host.On(fresh.Release);
        Assert.That((_bed.Pool.Count, _bed.Pool.IdleCount), Is.EqualTo((1, 1)));
    }

    [Test]
    public async Task Another_database_is_not_touched()
    {
        var lease = await _bed.NewClient().TakeAsync();
        await _bed.Host.On(lease.Release);

        Gates.Pause("other");
        _operations.Stop("other");
        Gates.Outdate("other", ServerConnection.LastId);
        _operations.CloseOutdated("other");

        Assert.That(_operations.HasServers("other"), Is.False);
        Assert.That((await _bed.NewClient().TakeAsync()).Server, Is.SameAs(lease.Server));
    }
}
