using System.Globalization;
using PgRouter.Testing;
using PgRouter.Testing.Protocol;

namespace PgRouter.IntegrationTests.Consoles;

/// <summary>KILL, KILL_CLIENT, DISABLE, RECONNECT, WAIT_CLOSE and SUSPEND.</summary>
[TestFixture]
public sealed class KillTests
{
    private const string Shop = "kill_shop";
    private const string Sleep = "SELECT pg_sleep(600)";

    private ConsoleBed _bed = null!;
    private Operator _console = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _bed = await ConsoleBed.StartAsync(Shop, ("suspend_timeout", "1"));

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (_bed is not null)
            await _bed.DisposeAsync();
    }

    [SetUp]
    public async Task LoginAsync() => _console = await _bed.OperatorAsync();

    [TearDown]
    public async Task ResumeAsync()
    {
        await _console.ResumeAllAsync(Shop);
        await _console.DisposeAsync();
    }

    [TestCase("KILL " + Shop, "RESUME " + Shop)]
    [TestCase("KILL", "RESUME")]
    public async Task Kill_drops_clients_in_every_state_and_their_servers_at_once(string kill, string resume)
    {
        await using var idle = await _bed.ClientAsync();
        await using var running = await _bed.ClientAsync();
        await using var inTransaction = await _bed.ClientAsync();
        await using var waiting = await _bed.ClientAsync();
        await running.SendAsync(Frontend.Query($"{Sleep} /* killed */"));
        await inTransaction.QueryAsync("BEGIN; INSERT INTO goods (name) VALUES ('killed')");
        await _bed.RunsAsync("killed");
        await waiting.SendAsync(Frontend.Query("SELECT 1"));
        await _console.SeesAsync(waiting, "waiting");

        await _console.DoAsync(kill);

        foreach (var client in new[] { idle, running, inTransaction, waiting })
        {
            var end = await client.ReadToEndAsync();
            Assert.That((end.Code(), end[^1].Field('S')), Is.EqualTo(("57P01", "FATAL")));
        }
        await _bed.NoServersAsync();
        Assert.That(await _console.SayAsync("SHOW VERSION"), Is.EqualTo("SHOW"), "consoles stay");

        await using var next = await _bed.ClientAsync();
        await next.SendAsync(Frontend.Query("SELECT count(*) FROM goods WHERE name = 'killed'"));
        await _console.SeesAsync(next, "waiting");
        await _console.DoAsync(resume);
        Assert.That((await next.ReadUntilAsync()).Scalar(), Is.EqualTo("0"));
    }

    [Test]
    public async Task Kill_leaves_other_databases_alone()
    {
        await using var other = await _bed.OtherClientAsync();
        await other.QueryAsync("BEGIN; SET LOCAL work_mem = '7MB'");

        await _console.DoAsync($"KILL {Shop}");

        Assert.That(await other.ScalarAsync("SHOW work_mem"), Is.EqualTo("7MB"));
        await other.QueryAsync("COMMIT");
    }

    [Test]
    public async Task Kill_ends_pinned_clients_and_closes_what_pinned_them()
    {
        await using var pinned = await _bed.ClientAsync();
        await pinned.QueryAsync("CREATE TEMP TABLE mine (n int)");

        await _console.DoAsync($"KILL {Shop}");

        Assert.That((await pinned.ReadToEndAsync()).Code(), Is.EqualTo("57P01"));
        await _bed.NoServersAsync();
    }

    [Test]
    public async Task One_client_is_killed_with_what_it_runs_and_the_others_go_on()
    {
        await using var victim = await _bed.ClientAsync();
        await using var other = await _bed.ClientAsync();
        await victim.SendAsync(Frontend.Query($"BEGIN; {Sleep} /* one of two */"));
        await _bed.RunsAsync("one of two");

        await _console.DoAsync(string.Create(CultureInfo.InvariantCulture, $"KILL_CLIENT {victim.ProcessId}"));

        Assert.That((await victim.ReadToEndAsync()).Code(), Is.EqualTo("57P01"));
        await Eventually.TrueAsync(async () => !await _bed.IsRunningAsync("one of two"), "the statement of the killed client to end");
        Assert.That(await other.ScalarAsync("SELECT 1"), Is.EqualTo("1"));
        Assert.That(
            await _console.SayAsync(string.Create(CultureInfo.InvariantCulture, $"KILL_CLIENT {victim.ProcessId}")),
            Is.EqualTo("42704 client not found"));
    }

    [Test]
    public async Task A_client_that_waits_for_a_server_is_killed_too()
    {
        await using var one = await _bed.ClientAsync();
        await using var two = await _bed.ClientAsync();
        await using var waiting = await _bed.ClientAsync();
        await one.QueryAsync("BEGIN; SELECT 1");
        await two.QueryAsync("BEGIN; SELECT 1");
        await waiting.SendAsync(Frontend.Query("INSERT INTO goods (name) VALUES ('never')"));
        await _console.SeesAsync(waiting, "waiting");

        await _console.DoAsync(string.Create(CultureInfo.InvariantCulture, $"KILL_CLIENT {waiting.ProcessId}"));

        Assert.That((await waiting.ReadToEndAsync()).Code(), Is.EqualTo("57P01"));
        await one.QueryAsync("COMMIT");
        await two.QueryAsync("COMMIT");
        Assert.That(await one.ScalarAsync("SELECT count(*) FROM goods WHERE name = 'never'"), Is.EqualTo("0"));
    }

    [Test]
    public async Task A_killed_client_gets_no_error_into_the_middle_of_a_row()
    {
        await using var client = await _bed.ClientAsync();
        await client.SendAsync(Frontend.Query("SELECT repeat('x', 100000000)"));
        Assert.That((await client.ReadAsync()).Type, Is.EqualTo('T'));

        await _console.DoAsync(string.Create(CultureInfo.InvariantCulture, $"KILL_CLIENT {client.ProcessId}"));

        await Assert.ThatAsync(client.ReadAsync, Throws.Exception, "the row was cut, and nothing else can be said");
    }

    [Test]
    public async Task A_disabled_database_refuses_new_clients_and_keeps_those_it_has()
    {
        await using var old = await _bed.ClientAsync();

        await _console.DoAsync($"DISABLE {Shop}");

        await using var refused = await RawClient.ConnectAsync(_bed.Router.Endpoint);
        await refused.SendAsync(Frontend.Startup([new("user", "postgres"), new("database", Shop)]));
        var answer = await refused.ReadToEndAsync();
        Assert.That(answer.Code(), Is.EqualTo("55000"));
        Assert.That(answer.ErrorText(), Is.EqualTo($"database \"{Shop}\" is not currently accepting connections"));
        Assert.That(await old.ScalarAsync("SELECT 1"), Is.EqualTo("1"));
        Assert.That((await _console.RowAsync("SHOW DATABASES", "name", Shop))!["disabled"], Is.EqualTo("1"));
        await using (await _bed.OtherClientAsync())
            await _console.DoAsync($"ENABLE {Shop}");
        await using var welcome = await _bed.ClientAsync();
        Assert.That(await welcome.ScalarAsync("SELECT 2"), Is.EqualTo("2"));
    }

    [Test]
    public async Task Postgresql_refuses_a_database_without_connections_in_the_same_words()
    {
        await _bed.Cluster.ExecuteAsync(0, "CREATE DATABASE kill_closed ALLOW_CONNECTIONS false");
        await using var direct = await RawClient.ConnectAsync(new Endpoint(_bed.Cluster.Nodes[0].Host, _bed.Cluster.Nodes[0].Port));

        var refusal = await Assert.ThrowsAsync<RefusedException>(() => direct.StartupAsync("postgres", "kill_closed", "postgres"));

        Assert.That(refusal!.Message, Does.Contain("C55000").And.Contain("is not currently accepting connections"));
        await _bed.Cluster.ExecuteAsync(0, "DROP DATABASE kill_closed");
    }

    [Test]
    public async Task Reconnect_replaces_servers_when_they_are_idle_and_wait_close_waits_for_it()
    {
        await using var client = await _bed.ClientAsync();
        await client.QueryAsync("BEGIN; SELECT 1");
        var before = await _bed.ServerPidsAsync();
        await _console.DoAsync($"RECONNECT {Shop}");
        Assert.That(await CloseNeededAsync(), Is.EqualTo(new[] { "1" }));

        await using var waiting = await _bed.OperatorAsync();
        var close = waiting.SayAsync($"WAIT_CLOSE {Shop}");
        Assert.That((await client.QueryAsync("SELECT 2")).Code(), Is.Null);
        Assert.That(await _bed.ServerPidsAsync(), Does.Contain(before), "a transaction keeps its server");
        await using var other = await _bed.ClientAsync();
        Assert.That(await other.ScalarAsync("SELECT 3"), Is.EqualTo("3"), "others get new servers at once");
        Assert.That(close.IsCompleted, Is.False);

        await client.QueryAsync("COMMIT");

        Assert.That(await close, Is.EqualTo("WAIT_CLOSE"));
        Assert.That(await client.ScalarAsync("SELECT 4"), Is.EqualTo("4"));
        Assert.That((await _bed.ServerPidsAsync()).Split(' '), Has.No.Member(before));
        Assert.That(await CloseNeededAsync(), Has.None.EqualTo("1"));
    }

    [Test]
    public async Task Wait_close_waits_for_a_pinned_client_and_can_be_cancelled()
    {
        await using var pinned = await _bed.ClientAsync();
        await pinned.QueryAsync("CREATE TEMP TABLE mine (n int)");
        await _console.DoAsync("RECONNECT");
        await using var waiting = await _bed.OperatorAsync();
        var close = waiting.SayAsync("WAIT_CLOSE");

        // Again and again, because the first may come before the command does.
        await Eventually.TrueAsync(
            async () =>
            {
                await waiting.Client.CancelAsync();
                return close.IsCompleted;
            },
            "the end of WAIT_CLOSE");
        Assert.That(await close, Does.StartWith("57014"));
        Assert.That((await pinned.QueryAsync("SELECT count(*) FROM mine")).Scalar(), Is.EqualTo("0"));

        await pinned.QueryAsync("DISCARD ALL");
        await _console.DoAsync("WAIT_CLOSE");
    }

    [Test]
    public async Task While_suspended_nothing_is_read_and_nothing_is_lost()
    {
        await using var client = await _bed.ClientAsync();
        await using var running = await _bed.ClientAsync();
        await running.SendAsync(Frontend.Query("SELECT pg_sleep(0.3) /* suspended */"));
        await _bed.RunsAsync("suspended");

        await _console.DoAsync("SUSPEND");

        await client.SendAsync(Frontend.Query("SELECT 'after'"));
        Assert.That(await _console.SayAsync("PAUSE"), Is.EqualTo("55000 already suspended/paused"));
        Assert.That((await _console.TableAsync("SHOW STATE")).Select(row => row["value"]), Is.EqualTo(new[] { "no", "no", "yes" }));
        await Eventually.TrueAsync(async () => !await _bed.IsRunningAsync("suspended"), "the statement to end on its server");
        var (one, two) = (client.ReadUntilAsync(), running.ReadUntilAsync());
        await _console.TableAsync("SHOW CLIENTS");
        Assert.That((one.IsCompleted, two.IsCompleted), Is.EqualTo((false, false)));

        await _console.DoAsync("RESUME");

        Assert.That((await one).Scalar(), Is.EqualTo("after"));
        Assert.That((await two).Code(), Is.Null);
    }

    [Test]
    public async Task The_router_resumes_when_the_last_console_has_gone()
    {
        await using var client = await _bed.ClientAsync();
        await _console.DoAsync("SUSPEND");
        await client.SendAsync(Frontend.Query("SELECT 1"));

        await _console.DisposeAsync();

        Assert.That((await client.ReadUntilAsync()).Scalar(), Is.EqualTo("1"));
        _console = await _bed.OperatorAsync();
    }

    [Test]
    public async Task Who_does_not_take_its_bytes_is_dropped_by_suspend()
    {
        await using var slow = await _bed.ClientAsync("slow");
        await slow.SendAsync(Frontend.Query("SELECT repeat('x', 1000) FROM generate_series(1, 100000)"));
        await Eventually.TrueAsync(
            async () => await _bed.Cluster.ScalarAsync<long>(
                0, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'slow' AND wait_event = 'ClientWrite'") == 1,
            "the client to be behind");

        await _console.DoAsync("SUSPEND");
        await _console.DoAsync("RESUME");

        await Eventually.TrueAsync(
            async () => await _console.RowAsync("SHOW CLIENTS", "application_name", "slow") is null, "the slow client to be gone");
    }

    private async Task<IReadOnlyList<string?>> CloseNeededAsync() =>
        [.. (await _console.TableAsync("SHOW SERVERS")).Where(row => row["database"] == Shop).Select(row => row["close_needed"])];
}
