using NUnit.Framework;
using PgRouter.Core.Cluster;
using PgRouter.Core.Pooling;
using PgRouter.Protocol;
using PgRouter.Testing;
using PgRouter.Tests.Transport;

namespace PgRouter.Tests.Pooling;

/// <summary>min_pool_size, before the first client and afterwards.</summary>
[TestFixture(1)]
[TestFixture(2)]
internal sealed class PoolWarmthTests(int loops)
{
    private PoolBed _bed = null!;
    private ClusterUpdater _cluster = null!;

    private PoolWarmth Warmth => _bed.Directory.Warmth;

    [SetUp]
    public void Build()
    {
        _bed = new PoolBed(loops, size: 4);
        _cluster = new ClusterUpdater();
        _cluster.Changed += _bed.Directory.OnClusterChanged;
        _cluster.Configure([PoolBed.Node, PoolBed.Node with { Id = 4 }]);
        _cluster.Update(PoolBed.Node.Id, state => state with { Status = NodeStatus.Up, Role = NodeRole.Primary });
    }

    [TearDown]
    public void TearDown() => _bed.Dispose();

    [Test]
    public async Task Pools_known_by_name_are_filled_on_every_node_before_the_first_client()
    {
        _bed.SetDatabase("d", new() { MinPoolSize = 3 });
        Warmth.Configure(["d"], ["u", "v"]);

        await Warmth.WarmUpAsync(LoopHost.Deadline);

        Assert.That(Sizes(), Is.EqualTo(new[] { "3 d/u 3", "3 d/v 3", "4 d/u 3", "4 d/v 3" }));
        Assert.That(_bed.Directory.Pools.Select(p => p.IdleCount), Is.All.EqualTo(3));
    }

    [Test]
    public async Task A_node_that_takes_no_reads_and_one_that_is_down_are_left_alone()
    {
        _cluster.Configure([PoolBed.Node, PoolBed.Node with { Id = 4, Weight = 0 }, PoolBed.Node with { Id = 5 }]);
        _cluster.Update(5, state => state with { Status = NodeStatus.Down });
        _bed.Config = _bed.Config with { MinPoolSize = 1 };
        Warmth.Configure(["d"], ["u"]);

        await Warmth.WarmUpAsync(LoopHost.Deadline);

        Assert.That(Sizes(), Is.EqualTo(new[] { "3 d/u 1" }));
    }

    [Test]
    public async Task A_refused_login_ends_the_warm_up_and_is_not_tried_again_before_a_client_comes()
    {
        _cluster.Configure([PoolBed.Node]);
        _bed.SetDatabase("d", new() { MinPoolSize = 2 });
        _bed.Config = _bed.Config with { ServerLoginRetry = TimeSpan.Zero };
        Warmth.Configure(["d"], ["u"]);
        _bed.FailNext(SqlStates.InvalidPassword, isUnreachable: false);

        await Warmth.WarmUpAsync(LoopHost.Deadline);
        await UpkeepAsync();

        Assert.That((_bed.Connects, _bed.Pool.Count), Is.EqualTo((1, 0)));
        await _bed.NewClient().TakeAsync();
        await Eventually.PassesAsync(
            async () =>
            {
                await UpkeepAsync();
                Assert.That(_bed.Pool.Count, Is.EqualTo(2));
            },
            "the pool to be filled");
    }

    [Test]
    public async Task Without_names_or_a_size_nothing_is_opened()
    {
        _bed.Config = _bed.Config with { MinPoolSize = 2 };
        Warmth.Configure([], ["u"]);
        await Warmth.WarmUpAsync(LoopHost.Deadline);
        _bed.Config = _bed.Config with { MinPoolSize = 0 };
        Warmth.Configure(["d"], ["u"]);
        await Warmth.WarmUpAsync(LoopHost.Deadline);
        await UpkeepAsync();
        Assert.That(_bed.Connects, Is.Zero);
    }

    [Test]
    public async Task A_pool_is_kept_warm_as_long_as_a_client_is_logged_in()
    {
        _bed.Config = _bed.Config with { MinPoolSize = 2 };
        await UpkeepAsync();
        Assert.That(_bed.Connects, Is.Zero, "nobody is logged in");
        _bed.Context.Clients.TryEnter("d", "u", _bed.Pool.Limits);
        await UpkeepAsync();
        await Eventually.TrueAsync(() => _bed.Pool.IdleCount == 2, "the pool to be filled");
    }

    [Test]
    public async Task Servers_unused_for_long_are_closed_down_to_the_minimum()
    {
        var clients = Enumerable.Range(0, 3).Select(_ => _bed.NewClient()).ToList();
        var leases = new List<ServerLease>();
        foreach (var client in clients)
            leases.Add(await client.TakeAsync());
        foreach (var lease in leases)
            await _bed.Host.On(lease.Release);
        _bed.Config = _bed.Config with { MinPoolSize = 2, ServerIdleTimeout = TimeSpan.FromTicks(1) };
        await Eventually.TrueAsync(
            async () =>
            {
                await UpkeepAsync();
                return _bed.Pool.Count == 2;
            },
            "one server to be closed");
        await UpkeepAsync();
        Assert.That(_bed.Pool.Count, Is.EqualTo(2));
    }

    private async Task UpkeepAsync()
    {
        foreach (var host in _bed.Hosts)
            await host.On(() => _bed.Directory.Upkeep(host.Loop));
    }

    private IEnumerable<string> Sizes() => _bed.Directory.Pools.Where(p => p.Count > 0)
        .Select(p => $"{p.Key.NodeId} {p.Key.Database}/{p.Key.User} {p.Count - p.Opening}").Order(StringComparer.Ordinal);
}
