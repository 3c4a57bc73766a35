using PgRouter.IntegrationTests.Scenario13;
using PgRouter.IntegrationTests.Wire;
using PgRouter.Testing;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Consoles;

/// <summary>PAUSE for what it is made for, in other modes, and typed into psql.</summary>
[TestFixture]
public sealed class PauseSituationTests
{
    [Test]
    public async Task Postgresql_is_restarted_during_a_pause_and_no_client_notices()
    {
        await using var cluster = await PgCluster.StartAsync(new PgClusterOptions { Standbys = 0 });
        await using var router = await RouterProcessFixture.StartAsync(cluster, WireBed.SmallPool.With(("admin_users", "postgres")));
        await cluster.ExecuteAsync(0, "CREATE TABLE done (n int)");
        await using var console = await Operator.LoginAsync(router.Endpoint);
        using var stop = new CancellationTokenSource();
        var clients = Task.WhenAll(Enumerable.Range(0, 4).Select(_ => WriteUntilAsync(router.Endpoint, stop.Token)));
        await Eventually.TrueAsync(async () => await DoneAsync() >= 20, "clients to write");

        await console.DoAsync("PAUSE");
        await cluster.RestartNodeAsync(0);
        await Eventually.TrueAsync(
            async () => (await console.TableAsync("SHOW NODES"))[0] is { } node && node["status"] is "up" or "waiting" && node["reachable"] == "t",
            "the router to find the node up again");
        await console.DoAsync("RESUME");

        var before = await DoneAsync();
        await Eventually.TrueAsync(async () => await DoneAsync() >= before + 20, "clients to go on");
        await stop.CancelAsync();
        var written = await clients;
        Assert.That(await DoneAsync(), Is.EqualTo(written.Sum()));

        Task<long> DoneAsync() => cluster.ScalarAsync<long>(0, "SELECT count(*) FROM done");
    }

    [Test]
    public async Task With_session_mode_a_pause_waits_until_the_clients_have_left()
    {
        await using var bed = await ConsoleBed.StartAsync("pause_sessions", ("pool_mode", "session"));
        await using var console = await bed.OperatorAsync();
        await using var pausing = await bed.OperatorAsync();
        await using var late = await bed.ClientAsync();
        var client = await bed.ClientAsync();
        Assert.That(await client.ScalarAsync("SELECT 1"), Is.EqualTo("1"));

        var pause = pausing.SayAsync("PAUSE pause_sessions");
        await Eventually.TrueAsync(
            async () => (await console.RowAsync("SHOW DATABASES", "name", "pause_sessions"))?["paused"] == "1", "the database to be paused");
        Assert.That(await client.ScalarAsync("SELECT 2"), Is.EqualTo("2"), "it has its server");
        await late.SendAsync(Frontend.Query("SELECT 'late'"));
        await console.SeesAsync(late, "waiting");
        Assert.That(pause.IsCompleted, Is.False);

        await client.SendAsync(Frontend.Terminate());
        await client.DisposeAsync();

        Assert.That(await pause, Is.EqualTo("PAUSE"));
        await console.DoAsync("RESUME pause_sessions");
        Assert.That((await late.ReadUntilAsync()).Scalar(), Is.EqualTo("late"));
    }

    [Test]
    public async Task Psql_types_all_of_it()
    {
        await using var bed = await ConsoleBed.StartAsync("pause_psql");
        var psql = new ClientPrograms(bed.Cluster, bed.Router.Endpoint);
        Assert.That(await psql.PsqlAsync("SELECT 1", "pause_psql"), Is.EqualTo("1"));

        foreach (var command in new[] { "PAUSE", "RESUME", "PAUSE pause_psql", "RESUME pause_psql", "KILL pause_psql", "RESUME pause_psql",
            "RECONNECT", "RECONNECT pause_psql", "WAIT_CLOSE", "DISABLE pause_psql", "ENABLE pause_psql", "KILL", "RESUME" })
        {
            Assert.That(await psql.PsqlAsync(command + ";", "pgbouncer"), Is.EqualTo(command.Split(' ')[0]), command);
        }

        Assert.That(await psql.PsqlAsync("SELECT 2", "pause_psql"), Is.EqualTo("2"));
        var wrong = await psql.TryPsqlAsync("RESUME", "pgbouncer");
        Assert.That((wrong.ExitCode, wrong.Error.Trim()), Is.EqualTo((1, "ERROR:  pooler is not paused/suspended")));
        await psql.PsqlAsync("DISABLE pause_psql", "pgbouncer");
        var refused = await psql.TryPsqlAsync("SELECT 3", "pause_psql");
        Assert.That(refused.Error, Does.Contain("FATAL:  database \"pause_psql\" is not currently accepting connections"));
    }

    [Test]
    public async Task The_extended_protocol_carries_the_verbs_too()
    {
        await using var bed = await ConsoleBed.StartAsync("pause_extended");
        await using var console = await bed.OperatorAsync();

        await console.Client.SendAsync(
            Frontend.Parse("", "PAUSE pause_extended"), Frontend.Bind("", ""), Frontend.Describe('P', ""), Frontend.Execute(""), Frontend.Sync());

        Assert.That((await console.Client.ReadUntilAsync()).Select(m => m.Type), Is.EqualTo("12nNCZ"));
        await console.DoAsync("RESUME pause_extended");
    }

    [Test]
    public async Task Shutdown_that_waits_for_servers_lets_transactions_end_and_sends_those_away_who_wait()
    {
        await using var bed = await ConsoleBed.StartAsync("pause_shutdown", ("default_pool_size", "1"));
        await using var console = await bed.OperatorAsync();
        await using var busy = await bed.ClientAsync();
        await using var waiting = await bed.ClientAsync();
        await using var paused = await bed.OtherClientAsync();
        await busy.QueryAsync("BEGIN; INSERT INTO goods (name) VALUES ('last')");
        await waiting.SendAsync(Frontend.Query("SELECT 1"));
        await console.DoAsync("PAUSE postgres");
        await paused.SendAsync(Frontend.Query("SELECT 1"));
        await console.SeesAsync(waiting, "waiting");
        await console.SeesAsync(paused, "waiting");

        await console.DoAsync("SHUTDOWN WAIT_FOR_SERVERS");

        Assert.That((await waiting.ReadToEndAsync()).Code(), Is.EqualTo("57P01"));
        Assert.That((await paused.ReadToEndAsync()).Code(), Is.EqualTo("57P01"));
        Assert.That((await busy.QueryAsync("COMMIT")).Code(), Is.Null);
        Assert.That((await busy.ReadToEndAsync()).Code(), Is.EqualTo("57P01"));
        Assert.That(await bed.Router.EndedAsync(), Is.Zero);
    }

    private static async Task<long> WriteUntilAsync(Endpoint endpoint, CancellationToken stop)
    {
        await using var client = await RawClient.LoginAsync(endpoint);
        var written = 0L;
        while (!stop.IsCancellationRequested)
        {
            Assert.That((await client.QueryAsync("INSERT INTO done VALUES (1)")).Code(), Is.Null);
            written++;
        }
        return written;
    }
}
