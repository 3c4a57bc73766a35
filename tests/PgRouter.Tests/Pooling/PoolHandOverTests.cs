using System.Collections.Concurrent;
using NUnit.Framework;
using PgRouter.Core.Pooling;
using PgRouter.Core.Servers;
using PgRouter.Testing;
using PgRouter.Tests.Transport;

namespace PgRouter.Tests.Pooling;

/// <summary>Pools over several loops, and several pools over one node.</summary>
[TestFixture]
internal sealed class PoolHandOverTests
{
    [Test]
    public async Task An_idle_server_of_one_loop_goes_to_one_who_waits_on_another()
    {
        using var bed = new PoolBed(loops: 2, size: 1);
        var first = await bed.NewClient(host: 0).TakeAsync();
        await bed.Hosts[0].On(first.Release);
        var second = await bed.NewClient(host: 1).TakeAsync();
        Assert.That(second.Server, Is.SameAs(first.Server));
        Assert.That(second.Server.Socket.Loop, Is.SameAs(bed.Hosts[1].Loop));
        var peer = bed.Peer(second.Server);
        await peer.SendAsync("hello"u8.ToArray());
        await Eventually.TrueAsync(() => bed.Hosts[1].On(() => second.Server.Socket.IsReadable), "the bytes on the new loop");
    }

    [Test]
    public async Task No_server_is_opened_for_one_who_can_have_an_idle_one_of_another_loop()
    {
        using var bed = new PoolBed(loops: 2, size: 4);
        var client = bed.NewClient(0);
        var lease = await client.TakeAsync();
        await client.ReleaseAsync(lease);
        var other = await bed.NewClient(1).TakeAsync();
        Assert.That((other.Server, bed.Connects), Is.EqualTo((lease.Server, 1)));
    }

    [Test]
    public async Task Idle_servers_beyond_a_smaller_size_are_closed_by_upkeep()
    {
        using var bed = new PoolBed(size: 3);
        var leases = new[] { await bed.NewClient().TakeAsync(), await bed.NewClient().TakeAsync(), await bed.NewClient().TakeAsync() };
        foreach (var lease in leases)
            await bed.Host.On(lease.Release);
        bed.Config = bed.Config with { DefaultPoolSize = 1 };
        await bed.Host.On(() => bed.Directory.Upkeep(bed.Host.Loop));
        Assert.That((bed.Pool.Count, bed.Pool.IdleCount), Is.EqualTo((1, 1)));
    }

    [Test]
    public async Task Those_who_wait_on_two_loops_stand_in_one_queue()
    {
        using var bed = new PoolBed(loops: 2, size: 1);
        var held = await bed.NewClient(host: 0).TakeAsync();
        var other = await bed.NewClient(host: 1).BeginAsync();
        var own = await bed.NewClient(host: 0).BeginAsync();
        await bed.Hosts[0].On(held.Release);
        var lease = (await other.WaitAsync(LoopHost.Deadline)).Lease!;
        Assert.That(own.IsCompleted, Is.False, "the one on the other loop came first");
        await bed.Hosts[1].On(lease.Release);
        Assert.That((await own.WaitAsync(LoopHost.Deadline)).Lease!.Server, Is.SameAs(held.Server));
    }

    [TestCase(1, 3)]
    [TestCase(2, 3)]
    [TestCase(2, 1)]
    [TestCase(3, 2)]
    public async Task Nobody_sleeps_beside_an_idle_server_and_no_server_is_lost_or_shared(int loops, int size)
    {
        using var bed = new PoolBed(loops, size);
        var inUse = new ConcurrentDictionary<ServerConnection, int>();
        var most = 0;
        var clients = Enumerable.Range(0, 12).Select(i => Play(bed.NewClient(i % loops), new Random(i)));
        await Task.WhenAll(clients).WaitAsync(LoopHost.Deadline);
        await Eventually.TrueAsync(
            () => bed.Pool.IdleCount == bed.Pool.Count && bed.Pool.Opening == 0,
            $"all servers to be idle: {bed.Pool.IdleCount} of {bed.Pool.Count}, {bed.Pool.Opening} opening",
            TimeSpan.FromSeconds(5));
        Assert.That((bed.Pool.WaiterCount, inUse.Count), Is.EqualTo((0, 0)));
        Assert.That(most, Is.LessThanOrEqualTo(size), "never more servers in use than the size");
        Assert.That(bed.Pool.Count, Is.LessThanOrEqualTo(size));

        Task Play(PoolClient client, Random random) => bed.Hosts[client.Loop.Index].Run(async () =>
        {
            for (var round = 0; round < 400; round++)
            {
                var (lease, error) = await client.AcquireAsync(patience: random.Next(5) == 0 ? random.Next(3) : -1);
                Assert.That(error, Is.Null);
                if (lease is null)
                    continue;
                if (!inUse.TryAdd(lease.Server, round))
                    Assert.Fail("a server was given to two");
                InterlockedMax(ref most, inUse.Count);
                lease.Server.Socket.Owner = client.Signal;
                for (var pause = random.Next(3); pause > 0; pause--)
                {
                    client.WakeSoon();
                    await client.Signal;
                }
                inUse.TryRemove(lease.Server, out _);
                if (random.Next(40) == 0)
                    lease.Break("by chance");
                else
                    lease.Release();
            }
            return 0;
        });
    }

    [Test]
    public async Task A_place_on_a_full_node_goes_to_the_pool_that_has_waited_though_one_before_it_gave_up()
    {
        using var bed = new PoolBed(size: 2);
        bed.Config = bed.Config with { MaxNodeConnections = 1 };
        var (second, third) = (bed.Directory.Get(PoolBed.Node, "d2", "u"), bed.Directory.Get(PoolBed.Node, "d3", "u"));
        var held = await bed.NewClient().TakeAsync();
        var impatient = bed.NewClient(pool: second);
        await impatient.BeginAsync();
        var waiting = await bed.NewClient(pool: third).BeginAsync();
        await impatient.CancelAsync();
        await bed.Host.On(held.Release);
        Assert.That((await waiting.WaitAsync(TimeSpan.FromSeconds(5))).Lease, Is.Not.Null);
        Assert.That((bed.Pool.Count, third.Count, bed.Context.Budgets.TakenOf(third.Budgets[0])), Is.EqualTo((0, 1, 1)));
    }

    [Test]
    public void The_budget_of_a_node_counts_right_when_many_threads_take_and_give_back()
    {
        using var bed = new PoolBed();
        var budgets = bed.Context.Budgets;
        Parallel.For(0, 4, thread =>
        {
            for (var i = 0; i < 50_000; i++)
            {
                if (thread % 2 == 0)
                    budgets.TryTakeOpened(bed.Pool);
                else if (budgets.TryTake(bed.Pool, mayStandInLine: false, out _))
                    budgets.EndOpening(bed.Pool, succeeded: true);
                else
                    continue;
                budgets.Release(bed.Pool);
            }
        });
        Assert.That(bed.Pool.Budgets.Select(budgets.TakenOf), Is.EqualTo(new[] { 0, 0, 0 }));
    }

    private static void InterlockedMax(ref int target, int value)
    {
        for (var seen = Volatile.Read(ref target); value > seen; seen = Volatile.Read(ref target))
            Interlocked.CompareExchange(ref target, value, seen);
    }
}
