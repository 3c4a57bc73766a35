using System.Globalization;
using PgRouter.Testing;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Faults;
using PgRouter.Testing.Protocol;

namespace PgRouter.IntegrationTests.Gaps;

/// <summary>Those of W1 to W32 that are about nodes: a standby that lags, breaks, restarts or hangs.</summary>
[TestFixture]
public sealed class NodeGapTests
{
    private const string Schema = "CREATE TABLE plain (a int); CREATE TABLE filled (a text)";

    /// <summary>More WAL than the threshold on the delay.</summary>
    private const string Fill = "INSERT INTO filled SELECT repeat(md5(i::text), 10) FROM generate_series(1, 2000) i";

    private PgCluster _cluster = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _cluster = await PgCluster.StartAsync();

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (_cluster is not null)
            await _cluster.DisposeAsync();
    }

    [Test]
    public async Task W03_what_a_session_has_written_it_reads()
    {
        await using var target = await GapTarget.StartAsync(_cluster, "gap3", Schema);
        await _cluster.PauseReplayAsync(1);
        await _cluster.PauseReplayAsync(2);
        try
        {
            await target.InSessionsAsync(async client =>
            {
                await GapTarget.RunAsync(client, "DELETE FROM plain", "INSERT INTO plain VALUES (3)");
                Assert.That(await client.ScalarAsync("SELECT count(*) FROM plain WHERE a = 3"), Is.EqualTo("1"));
            });
        }
        finally
        {
            await _cluster.ResumeReplayAsync(1);
            await _cluster.ResumeReplayAsync(2);
            await _cluster.WaitForReplayAsync();
        }
    }

    [Test]
    public async Task W19_a_standby_whose_receiver_is_broken_gets_no_reads()
    {
        await using var target = await GapTarget.StartAsync(_cluster, "gap19", Schema, null, ("delay_threshold", "100000"), ("delay_threshold_by_time", "5000"));
        await using var client = await target.LoginAsync();
        var source = await _cluster.ScalarAsync<string>(1, "SELECT current_setting('primary_conninfo')");
        await _cluster.ExecuteAsync(1, "ALTER SYSTEM SET primary_conninfo = 'host=127.0.0.1 port=1 user=nobody'");
        await _cluster.ExecuteAsync(1, "SELECT pg_reload_conf()");
        try
        {
            await Eventually.TrueAsync(
                async () => await _cluster.ScalarAsync<long>(0, "SELECT count(*) FROM pg_stat_replication") == 1, "the standby to have no receiver");
            await GapTarget.RunAsync(client, Fill);
            await Eventually.TrueAsync(
                async () =>
                {
                    await using var reader = await target.LoginAsync();
                    var nodes = new HashSet<int>();
                    for (var i = 0; i < 10; i++)
                        nodes.Add(await target.NodeOfAsync(reader));
                    return !nodes.Contains(1) && nodes.Count > 0;
                },
                "reads to leave it");
            for (var i = 0; i < 12; i++)
            {
                await using var reader = await target.LoginAsync();
                Assert.That(await target.NodeOfAsync(reader), Is.Not.EqualTo(1));
            }
        }
        finally
        {
            await _cluster.ExecuteAsync(1, $"ALTER SYSTEM SET primary_conninfo = '{source!.Replace("'", "''")}'");
            await _cluster.ExecuteAsync(1, "SELECT pg_reload_conf()");
            await _cluster.WaitForReplayAsync();
        }
    }

    [Test]
    public async Task W27_a_node_without_weight_that_hangs_keeps_nobody_waiting()
    {
        await using var hanging = FaultProxy.Start(new Endpoint(_cluster.Nodes[2].Host, _cluster.Nodes[2].Port));
        Endpoint[] backends = [.. _cluster.Nodes.Select(node => new Endpoint(node.Host, node.Port)).Take(2), hanging.Endpoint];
        await using var target = await GapTarget.StartAsync(_cluster, "gap27", Schema, backends, ("backend_weight2", "0"));
        hanging.ToServer.Stall();
        for (var i = 0; i < 5; i++)
        {
            await using var client = await target.LoginAsync();
            await GapTarget.RunAsync(client, "SET work_mem = '1MB'", "BEGIN", "INSERT INTO plain VALUES (27)", "SELECT count(*) FROM plain", "COMMIT");
            Assert.That(await target.NodeOfAsync(client), Is.Not.EqualTo(2));
        }
        hanging.ToServer.Resume();
    }

    [Test]
    public async Task W28_the_restart_of_a_standby_is_nothing_to_sessions_on_the_primary()
    {
        await using var target = await GapTarget.StartAsync(_cluster, "gap28", Schema);
        var clients = new List<RawClient>();
        for (var i = 0; i < 6; i++)
        {
            clients.Add(await target.LoginAsync());
            await GapTarget.RunAsync(clients[i], "BEGIN", "INSERT INTO plain VALUES (28)");
        }
        await _cluster.StopNodeAsync(1);
        try
        {
            foreach (var client in clients)
                await GapTarget.RunAsync(client, "INSERT INTO plain VALUES (28)");
        }
        finally
        {
            await _cluster.StartNodeAsync(1);
        }
        foreach (var client in clients)
        {
            await GapTarget.RunAsync(client, "INSERT INTO plain VALUES (28)", "COMMIT", "INSERT INTO plain VALUES (28)");
            await client.DisposeAsync();
        }
        await using var last = await target.LoginAsync();
        await GapTarget.RunAsync(last, "BEGIN", "LOCK TABLE plain");
        Assert.That(await last.ScalarAsync("SELECT count(*) FROM plain"), Is.EqualTo((6 * 4).ToString(CultureInfo.InvariantCulture)));
        await GapTarget.RunAsync(last, "ROLLBACK");
        await _cluster.WaitForReplayAsync();
    }

    [Test]
    public async Task W30_a_prepared_read_leaves_a_node_that_lags_and_one_that_is_gone()
    {
        await using var target = await GapTarget.StartAsync(_cluster, "gap30", Schema, null, ("delay_threshold", "100000"));
        await using var client = await target.LoginAsync();
        await client.SendAsync(Frontend.Parse("s", "SELECT inet_server_port()"), Frontend.Sync());
        await client.ReadUntilAsync();
        Assert.That(await PreparedNodeAsync(target, client), Is.Not.Zero);

        await _cluster.PauseReplayAsync(1);
        await _cluster.PauseReplayAsync(2);
        try
        {
            await target.OnPrimaryAsync(Fill);
            await Eventually.TrueAsync(async () => await PreparedNodeAsync(target, client) == 0, "the prepared read to leave the standbys");
            for (var i = 0; i < 10; i++)
                Assert.That(await PreparedNodeAsync(target, client), Is.Zero);
        }
        finally
        {
            await _cluster.ResumeReplayAsync(1);
            await _cluster.ResumeReplayAsync(2);
        }
        await Eventually.TrueAsync(async () => await PreparedNodeAsync(target, client) != 0, "the prepared read to come back");

        await _cluster.StopNodeAsync(1);
        try
        {
            for (var i = 0; i < 10; i++)
                Assert.That(await PreparedNodeAsync(target, client), Is.Not.EqualTo(1));
        }
        finally
        {
            await _cluster.StartNodeAsync(1);
            await _cluster.WaitForReplayAsync();
        }
    }

    private static async Task<int> PreparedNodeAsync(GapTarget target, RawClient client)
    {
        await client.SendAsync(Frontend.Bind("", "s"), Frontend.Execute(""), Frontend.Sync());
        var answer = await client.ReadUntilAsync();
        Assert.That(answer.Where(m => m.Type == 'E').Select(m => m.Field('M')), Is.Empty);
        return target.NodeAt(answer.Single(m => m.Type == 'D').TextColumns()[0]);
    }
}
