using System.Net.Sockets;
using NUnit.Framework;
using PgRouter.Core.Pooling;
using PgRouter.Core.Servers;
using PgRouter.Protocol;
using PgRouter.Testing;
using PgRouter.Tests.Transport;

namespace PgRouter.Tests.Pooling;

[TestFixture]
internal sealed class ServerPoolTests
{
    private PoolBed _bed = null!;

    private ServerPool Pool => _bed.Pool;

    [SetUp]
    public void Build() => _bed = new PoolBed();

    [TearDown]
    public void TearDown() => _bed.Dispose();

    [Test]
    public async Task A_server_that_was_given_back_is_used_again()
    {
        var client = _bed.NewClient();
        var first = await client.TakeAsync();
        var server = first.Server;
        Assert.That((server.UseCount, Pool.Count, Pool.IdleCount), Is.EqualTo((1L, 1, 0)));
        await client.ReleaseAsync(first);
        Assert.That(Pool.IdleCount, Is.EqualTo(1));
        var second = await client.TakeAsync();
        Assert.That(second.Server, Is.SameAs(server));
        Assert.That((server.UseCount, _bed.Connects), Is.EqualTo((2L, 1)));
    }

    [Test]
    public async Task The_server_used_last_is_taken_first()
    {
        var (one, two) = (_bed.NewClient(), _bed.NewClient());
        var (first, second) = (await one.TakeAsync(), await two.TakeAsync());
        await one.ReleaseAsync(first);
        await two.ReleaseAsync(second);
        Assert.That((await one.TakeAsync()).Server, Is.SameAs(second.Server));
    }

    [Test]
    public async Task Those_who_wait_are_served_in_the_order_they_came()
    {
        var (a, b) = (await _bed.NewClient().TakeAsync(), await _bed.NewClient().TakeAsync());
        var order = new List<int>();
        var waiting = new List<Task>();
        for (var i = 0; i < 4; i++)
        {
            var (name, client) = (i, _bed.NewClient());
            var acquiring = await client.BeginAsync();
            waiting.Add(Serve(acquiring));

            async Task Serve(Task<(ServerLease? Lease, PoolError? Error)> acquiring)
            {
                var (lease, _) = await acquiring;
                await _bed.Host.On(() =>
                {
                    order.Add(name);
                    lease!.Release();
                });
            }
        }
        Assert.That((Pool.WaiterCount, Pool.Count), Is.EqualTo((4, 2)), "never more servers than the size");
        await _bed.Host.On(a.Release);
        await Task.WhenAll(waiting).WaitAsync(LoopHost.Deadline);
        Assert.That(order, Is.EqualTo(new[] { 0, 1, 2, 3 }));
        await _bed.Host.On(b.Release);
        Assert.That((Pool.WaiterCount, Pool.IdleCount, _bed.Connects), Is.EqualTo((0, 2, 2)));
    }

    [Test]
    public async Task A_newcomer_does_not_overtake_those_who_wait()
    {
        var held = await _bed.NewClient().TakeAsync();
        await _bed.NewClient().TakeAsync();
        var waiting = await _bed.NewClient().BeginAsync();
        var newcomer = await _bed.Host.On(() =>
        {
            held.Release();
            return Pool.TryTake(_bed.Host.Loop);
        });
        Assert.That(newcomer, Is.Null);
        Assert.That((await waiting.WaitAsync(LoopHost.Deadline)).Lease!.Server, Is.SameAs(held.Server));
    }

    [Test]
    public async Task Who_leaves_the_queue_gets_nothing_and_the_next_is_served()
    {
        var held = await _bed.NewClient().TakeAsync();
        await _bed.NewClient().TakeAsync();
        var (gone, next) = (_bed.NewClient(), _bed.NewClient());
        var never = await gone.BeginAsync();
        var waiting = await next.BeginAsync();
        await gone.CancelAsync();
        await _bed.Host.On(held.Release);
        Assert.That((await waiting.WaitAsync(LoopHost.Deadline)).Lease, Is.Not.Null);
        Assert.That(never.IsCompleted, Is.False);
    }

    [Test]
    public async Task A_lease_granted_to_one_who_leaves_at_the_same_moment_goes_back()
    {
        var held = await _bed.NewClient().TakeAsync();
        await _bed.NewClient().TakeAsync();
        var gone = _bed.NewClient();
        await _bed.Host.On(() =>
        {
            _ = gone.AcquireAsync(patience: 0);
        });
        Assert.That(Pool.WaiterCount, Is.Zero);
        await _bed.Host.On(held.Release);
        Assert.That(Pool.IdleCount, Is.EqualTo(1));
    }

    [Test]
    public async Task A_lease_ends_once()
    {
        var client = _bed.NewClient();
        var lease = await client.TakeAsync();
        await client.ReleaseAsync(lease);
        Assert.That(async () => await client.ReleaseAsync(lease), Throws.InvalidOperationException);
    }

    [Test]
    public async Task A_server_that_is_not_clean_is_closed_and_those_who_wait_get_another()
    {
        var held = await _bed.NewClient().TakeAsync();
        await _bed.NewClient().TakeAsync();
        var waiting = await _bed.NewClient().BeginAsync();
        await _bed.Host.On(() =>
        {
            held.Server.Status = TransactionStatus.InTransaction;
            held.Release();
        });
        var (lease, _) = await waiting.WaitAsync(LoopHost.Deadline);
        Assert.That(lease!.Server, Is.Not.SameAs(held.Server));
        Assert.That((Pool.Count, _bed.Connects, held.Server.Socket.IsClosed), Is.EqualTo((2, 3, true)));
        Assert.That(_bed.Context.Servers.Count(), Is.EqualTo(2));
    }

    [Test]
    public async Task A_broken_lease_closes_its_server()
    {
        var lease = await _bed.NewClient().TakeAsync();
        await _bed.Host.On(() => lease.Break("by design"));
        Assert.That((Pool.Count, Pool.IdleCount, lease.Server.Socket.IsClosed), Is.EqualTo((0, 0, true)));
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task A_server_that_its_peer_closed_is_found_out_by_the_pool_and_not_by_a_client(bool saysSomethingFirst)
    {
        var client = _bed.NewClient();
        var lease = await client.TakeAsync();
        await client.ReleaseAsync(lease);
        if (saysSomethingFirst)
            await _bed.Peer(lease.Server).SendAsync("E\0\0\0\u0005x"u8.ToArray());
        _bed.Peer(lease.Server).Dispose();
        await Eventually.TrueAsync(() => Pool.Count == 0, "the pool to close the server");
        Assert.That((await client.TakeAsync()).Server, Is.Not.SameAs(lease.Server));
    }

    [Test]
    public async Task A_notice_to_an_idle_server_does_not_close_it()
    {
        var client = _bed.NewClient();
        var lease = await client.TakeAsync();
        await client.ReleaseAsync(lease);
        await _bed.Peer(lease.Server).SendAsync("S\0\0\0\u0008a\0b\0"u8.ToArray());
        await Eventually.TrueAsync(() => _bed.Host.On(() => lease.Server.Parameters.ContainsKey("a")), "the parameter to be noted");
        Assert.That((await client.TakeAsync()).Server, Is.SameAs(lease.Server));
    }

    [Test]
    public async Task A_failure_to_connect_is_told_to_those_who_wait_and_cached_for_a_while()
    {
        _bed.Config = _bed.Config with { ServerLoginRetry = TimeSpan.FromMinutes(10) };
        _bed.FailNext(SqlStates.InvalidPassword, isUnreachable: false);
        var (lease, error) = await (await _bed.NewClient().BeginAsync()).WaitAsync(LoopHost.Deadline);
        Assert.That((lease, error!.Message.Code), Is.EqualTo(((ServerLease?)null, SqlStates.InvalidPassword)));
        var (_, again) = await (await _bed.NewClient().BeginAsync()).WaitAsync(LoopHost.Deadline);
        Assert.That(again, Is.SameAs(error));
        Assert.That((_bed.Connects, Pool.Count, Pool.WaiterCount), Is.EqualTo((1, 0, 0)));
        Assert.That(_bed.Faults, Is.Empty, "a wrong password says nothing of the node's health");
    }

    [Test]
    public async Task After_the_pause_the_next_one_is_tried()
    {
        _bed.FailNext(SqlStates.InvalidPassword, isUnreachable: false);
        await (await _bed.NewClient().BeginAsync()).WaitAsync(LoopHost.Deadline);
        await Eventually.PassesAsync(async () => await _bed.NewClient().TakeAsync(), "a connect after the pause");
        Assert.That(Pool.Count, Is.EqualTo(1));
    }

    [Test]
    public async Task A_node_that_cannot_be_reached_is_reported()
    {
        _bed.FailNext(SqlStates.CannotConnectNow, isUnreachable: true);
        await (await _bed.NewClient().BeginAsync()).WaitAsync(LoopHost.Deadline);
        Assert.That(_bed.Faults.Select(fault => fault.NodeId), Is.EqualTo(new[] { PoolBed.Node.Id }));
    }

    [Test]
    public async Task A_server_without_a_slot_left_is_like_a_full_pool_as_long_as_there_are_others()
    {
        var held = await _bed.NewClient().TakeAsync();
        _bed.FailNext(SqlStates.TooManyConnections, isUnreachable: false);
        var waiting = await _bed.NewClient().BeginAsync();
        await Eventually.TrueAsync(() => _bed.Connects == 2, "the second connect");
        await _bed.Host.On(held.Release);
        Assert.That((await waiting.WaitAsync(LoopHost.Deadline)).Lease, Is.Not.Null);
    }

    [Test]
    public async Task Who_waits_for_a_connect_takes_a_server_that_becomes_free_first()
    {
        var held = await _bed.NewClient().TakeAsync();
        _bed.CloseGate();
        var waiting = await _bed.NewClient().BeginAsync();
        await _bed.Host.On(held.Release);
        Assert.That((await waiting.WaitAsync(LoopHost.Deadline)).Lease!.Server, Is.SameAs(held.Server));
        _bed.OpenGate();
        await Eventually.TrueAsync(() => Pool.IdleCount == 1, "the new server to be idle");
    }

    [Test]
    public async Task A_retired_pool_tells_those_who_wait_and_keeps_nothing()
    {
        var held = await _bed.NewClient().TakeAsync();
        await _bed.NewClient().TakeAsync();
        var waiting = await _bed.NewClient().BeginAsync();
        var reason = new PoolError(ErrorMessage.Error(SqlStates.CannotConnectNow, "retired"), IsUnreachable: true);
        await _bed.Host.On(() => Pool.Retire(reason));
        Assert.That((await waiting.WaitAsync(LoopHost.Deadline)).Error, Is.SameAs(reason));
        await _bed.Host.On(held.Release);
        Assert.That((Pool.IdleCount, Pool.Count), Is.EqualTo((0, 1)));
    }

    [Test]
    public async Task Who_comes_to_a_pool_that_was_just_retired_is_told_too()
    {
        var reason = new PoolError(ErrorMessage.Error(SqlStates.CannotConnectNow, "retired"), IsUnreachable: true);
        await _bed.Host.On(() => Pool.Retire(reason));
        Assert.That((await (await _bed.NewClient().BeginAsync()).WaitAsync(LoopHost.Deadline)).Error, Is.SameAs(reason));
    }

    [Test]
    public async Task A_smaller_size_closes_what_comes_back()
    {
        var (a, b) = (await _bed.NewClient().TakeAsync(), await _bed.NewClient().TakeAsync());
        _bed.Config = _bed.Config with { DefaultPoolSize = 1 };
        await _bed.Host.On(a.Release);
        await _bed.Host.On(b.Release);
        Assert.That((Pool.Count, Pool.IdleCount), Is.EqualTo((1, 1)));
    }

    [Test]
    public async Task Servers_too_long_unused_are_closed_by_upkeep()
    {
        var client = _bed.NewClient();
        await client.ReleaseAsync(await client.TakeAsync());
        await _bed.Host.On(() => Pool.CloseExpired(client.Loop));
        Assert.That(Pool.Count, Is.EqualTo(1));
        _bed.Config = _bed.Config with { ServerIdleTimeout = TimeSpan.FromTicks(1) };
        await Eventually.TrueAsync(
            async () =>
            {
                await _bed.Host.On(() => Pool.CloseExpired(client.Loop));
                return Pool.Count == 0;
            },
            "the idle server to be closed");
    }

    [Test]
    public async Task A_server_is_not_given_on_while_a_cancel_for_it_is_under_way()
    {
        _bed.Config = _bed.Config with { DefaultPoolSize = 1 };
        var lease = await _bed.NewClient().TakeAsync();
        var waiting = await _bed.NewClient().BeginAsync();
        var cancelling = await _bed.Host.On(() => ServerCancel.SendAsync(lease.Server, TimeSpan.FromSeconds(20)));
        var postmaster = await _bed.AcceptAsync();
        var packet = new byte[16];
        Assert.That(await postmaster.ReceiveAsync(packet), Is.EqualTo(16));
        Assert.That(packet[^4..], Is.EqualTo(lease.Server.CancelKey));
        await _bed.Host.On(lease.Release);
        Assert.That(await _bed.Host.On(() => (waiting.IsCompleted, Pool.IdleCount)), Is.EqualTo((false, 0)));
        postmaster.Dispose();
        Assert.That((await waiting.WaitAsync(LoopHost.Deadline)).Lease!.Server, Is.SameAs(lease.Server));
        await cancelling.WaitAsync(LoopHost.Deadline);
    }

    [Test]
    public async Task A_server_lost_while_it_waited_for_a_cancel_is_not_given_on()
    {
        var lease = await _bed.NewClient().TakeAsync();
        await _bed.Host.On(() =>
        {
            lease.Server.CancelsUnderWay = 1;
            lease.Release();
        });
        _bed.Peer(lease.Server).Close();
        await Eventually.TrueAsync(() => _bed.Host.On(() => lease.Server.Socket.PeerClosed), "the end to be seen");
        await _bed.Host.On(() =>
        {
            lease.Server.CancelsUnderWay = 0;
            lease.Server.AfterCancels!();
        });
        Assert.That((Pool.Count, Pool.IdleCount), Is.EqualTo((0, 0)));
    }
}
