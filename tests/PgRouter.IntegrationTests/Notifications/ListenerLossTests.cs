using PgRouter.IntegrationTests.Nodes;
using PgRouter.Testing;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Processes;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Notifications;

/// <summary>The connection that listens is lost: clients stay subscribed and are told that they may have missed something.</summary>
[TestFixture]
public sealed class ListenerLossTests
{
    [Test]
    public async Task A_connection_that_was_terminated_is_opened_again_and_every_listener_is_told()
    {
        await using var cluster = await PgCluster.StartAsync(new PgClusterOptions { Standbys = 0 });
        await using var router = await RouterProcessFixture.StartAsync(cluster, NodeSettings.Quick);
        await using var idle = await router.LoginAsync();
        await using var busy = await router.LoginAsync();
        await using var bystander = await router.LoginAsync();
        await idle.QueryAsync("LISTEN note_a; LISTEN \"note B\"");
        await busy.QueryAsync("LISTEN note_a");
        await busy.QueryAsync("BEGIN");
        await busy.QueryAsync("SELECT 1");

        await cluster.ExecuteAsync(0, $"SELECT pg_terminate_backend(pid) {Listening.SharedConnection}");

        var told = await idle.ReadUntilAsync('N');
        Assert.That(told.Notices(), Is.EqualTo(new[] { "08006 notifications on \"note_a\", \"note B\" may have been missed" }));
        await bystander.QueryAsync("NOTIFY note_a, 'after'");
        Assert.That((await idle.NotificationAsync()).Note(), Is.EqualTo("note_a=after"));
        Assert.That((await busy.QueryAsync("SELECT 2")).Notices(), Is.Empty);
        var answer = await busy.QueryAsync("COMMIT");
        Assert.That(answer.Notices(), Is.EqualTo(new[] { "08006 notifications on \"note_a\" may have been missed" }));
        Assert.That(answer.Count(message => message.Type == 'A'), Is.EqualTo(1));
        Assert.That((await bystander.QueryAsync("SELECT 3")).Notices(), Is.Empty);
    }

    [Test]
    public async Task A_crash_of_PostgreSQL_is_outlived()
    {
        await using var cluster = await PgCluster.StartAsync(new PgClusterOptions { Standbys = 0 });
        await using var router = await RouterProcessFixture.StartAsync(cluster, NodeSettings.Quick);
        await using var listener = await router.LoginAsync();
        await using var sender = await router.LoginAsync();
        await listener.QueryAsync("LISTEN note_crash");

        Signals.Send(await cluster.SharedPidAsync(), Signal.Kill);

        await Eventually.TrueAsync(
            async () => (await listener.ReadUntilAsync('N')).Notices().Any(notice => notice.EndsWith("may have been missed", StringComparison.Ordinal)),
            "the listener to be told");
        await Listening.HearsAgainAsync(listener, sender, "note_crash");
    }

    [Test]
    public async Task A_listener_learns_that_it_hears_nothing_while_the_connection_cannot_be_opened()
    {
        await using var cluster = await PgCluster.StartAsync(new PgClusterOptions { Standbys = 0 });
        await using var router = await RouterProcessFixture.StartAsync(cluster, NodeSettings.Quick);
        await using var listener = await router.LoginAsync();
        await using var other = await router.LoginAsync();
        await listener.QueryAsync("LISTEN note_down");

        await cluster.StopNodeAsync(0);
        var down = await listener.ReadUntilAsync('N');
        var refused = await other.QueryAsync("LISTEN note_down");
        await cluster.StartNodeAsync(0);
        var up = await listener.ReadUntilAsync('N');

        Assert.That(down.Notices(), Is.EqualTo(new[] { "08006 notifications on \"note_down\" are not received at the moment" }));
        Assert.That(refused.Select(message => message.Type), Is.EqualTo(new[] { 'E', 'Z' }));
        Assert.That(up.Notices(), Is.EqualTo(new[] { "08006 notifications on \"note_down\" may have been missed" }));
        await Listening.HearsAgainAsync(listener, other, "note_down");
        await Eventually.TrueAsync(
            async () => (await other.QueryAsync("LISTEN note_down")).All(message => message.Type != 'E'), "LISTEN to work again");
    }

    [Test]
    public async Task The_connection_follows_a_promotion()
    {
        await using var cluster = await PgCluster.StartAsync(new PgClusterOptions { Standbys = 1 });
        await using var router = await RouterProcessFixture.StartAsync(cluster, NodeSettings.Quick);
        await using var listener = await router.LoginAsync();
        await using var sender = await router.LoginAsync();
        await listener.QueryAsync("LISTEN note_promoted");

        await cluster.StopNodeAsync(0);
        await cluster.ExecuteAsync(1, "SELECT pg_promote()");

        await Eventually.TrueAsync(
            async () => (await listener.ReadUntilAsync('N')).Notices().Any(notice => notice.EndsWith("may have been missed", StringComparison.Ordinal)),
            "the listener to be told");
        Assert.That(await cluster.SharedPidAsync(node: 1), Is.Not.Zero);
        await Listening.HearsAgainAsync(listener, sender, "note_promoted");
    }

    [Test]
    public async Task A_primary_that_hangs_is_left_for_the_one_that_is_promoted()
    {
        await using var cluster = await PgCluster.StartAsync(new PgClusterOptions { Standbys = 1 });
        await using var router = await RouterProcessFixture.StartAsync(cluster, NodeSettings.Quick);
        await using var listener = await router.LoginAsync();
        await using var sender = await router.LoginAsync();
        await listener.QueryAsync("LISTEN note_hangs");

        cluster.PauseProcess(0);
        try
        {
            await cluster.ExecuteAsync(1, "SELECT pg_promote()");
            await Eventually.TrueAsync(
                async () => (await listener.ReadUntilAsync('N')).Notices().Any(notice => notice.EndsWith("may have been missed", StringComparison.Ordinal)),
                "the listener to be told",
                TimeSpan.FromSeconds(40));
            await Listening.HearsAgainAsync(listener, sender, "note_hangs");
        }
        finally
        {
            cluster.ResumeProcess(0);
        }
    }

    [Test]
    public async Task LISTEN_fails_when_the_connection_is_refused_and_works_when_it_is_not()
    {
        await using var cluster = await PgCluster.StartAsync(new PgClusterOptions { Standbys = 0 });
        await cluster.ExecuteAsync(0, "CREATE ROLE note_few LOGIN PASSWORD 'postgres' CONNECTION LIMIT 1");
        await using var router = await RouterProcessFixture.StartAsync(
            cluster, new Dictionary<string, string>(NodeSettings.Quick) { ["default_pool_size"] = "1" });
        await using var client = await RawClient.LoginAsync(router.Endpoint, "note_few");
        Assert.That(await client.ScalarAsync("SELECT 1"), Is.EqualTo("1"));

        var refused = await client.QueryAsync("LISTEN note_refused");
        var inBlock = await client.QueryAsync("BEGIN; LISTEN note_refused");
        var committed = await client.QueryAsync("COMMIT");
        await cluster.ExecuteAsync(0, "ALTER ROLE note_few CONNECTION LIMIT 2");

        Assert.That(refused[0].Field('C'), Is.EqualTo("53300"));
        Assert.That(inBlock.Select(message => message.Type), Is.EqualTo(new[] { 'C', 'C', 'Z' }));
        Assert.That(committed.Select(message => message.Type), Is.EqualTo(new[] { 'C', 'N', 'Z' }));
        Assert.That(committed.Notices(), Is.EqualTo(new[] { "08006 notifications on \"note_refused\" are not received at the moment" }));
        var notices = new List<string>();
        await Eventually.TrueAsync(
            async () =>
            {
                var answer = await client.QueryAsync("NOTIFY note_refused");
                notices.AddRange(answer.Notices());
                return answer.Any(message => message.Type == 'A');
            },
            "notifications to arrive");
        Assert.That(notices, Is.EqualTo(new[] { "08006 notifications on \"note_refused\" may have been missed" }));
    }
}
