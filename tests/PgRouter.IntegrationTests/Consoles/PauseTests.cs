using System.Globalization;
using PgRouter.Testing;
using PgRouter.Testing.Protocol;

namespace PgRouter.IntegrationTests.Consoles;

/// <summary>PAUSE and RESUME with clients in every state, and several consoles at once.</summary>
[TestFixture(1)]
[TestFixture(2)]
public sealed class PauseTests(int loops)
{
    private const string Shop = "pause_shop";

    private ConsoleBed _bed = null!;
    private Operator _console = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _bed = await ConsoleBed.StartAsync(Shop, ("default_pool_size", "1"), ("pgrouter.loops", loops.ToString(CultureInfo.InvariantCulture)));

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

    [Test]
    public async Task Pause_waits_for_the_transaction_of_another_client_while_new_requests_wait()
    {
        await using var busy = await _bed.ClientAsync();
        await using var late = await _bed.ClientAsync();
        await using var other = await _bed.OtherClientAsync();
        await busy.QueryAsync("BEGIN; INSERT INTO goods (name) VALUES ('in transaction')");

        await using var pausing = await _bed.OperatorAsync();
        var pause = pausing.SayAsync($"PAUSE {Shop}");
        await Eventually.TrueAsync(async () => await PausedAsync() == "1", "the database to be paused");
        await late.SendAsync(Frontend.Query("SELECT 'late'"));
        await _console.SeesAsync(late, "waiting");

        Assert.That(await busy.ScalarAsync("SELECT 2"), Is.EqualTo("2"), "who has a server goes on");
        Assert.That(await other.ScalarAsync("SELECT 3"), Is.EqualTo("3"), "another database goes on");
        Assert.That(pause.IsCompleted, Is.False);
        Assert.That((await _console.RowAsync("SHOW POOLS", "database", Shop))!["cl_waiting"], Is.EqualTo("1"));
        await busy.QueryAsync("COMMIT");
        Assert.That(await pause, Is.EqualTo("PAUSE"));
        Assert.That(await _bed.ServerPidsAsync(), Is.Empty, "PostgreSQL could be restarted now");
        await _console.SeesAsync(late, "waiting");

        await _console.DoAsync($"RESUME {Shop}");

        Assert.That((await late.ReadUntilAsync()).Scalar(), Is.EqualTo("late"));
        Assert.That(await PausedAsync(), Is.EqualTo("0"));
    }

    [Test]
    public async Task A_pause_of_everything_holds_for_all_and_is_answered_when_all_are_done()
    {
        await using var one = await _bed.ClientAsync();
        await using var two = await _bed.OtherClientAsync();
        await _console.DoAsync("PAUSE");

        await one.SendAsync(Frontend.Query("SELECT 1"));
        await two.SendAsync(Frontend.Parse("", "SELECT 2"), Frontend.Bind("", ""), Frontend.Execute(""), Frontend.Sync());
        await _console.SeesAsync(one, "waiting");
        await _console.SeesAsync(two, "waiting");

        Assert.That((await _console.TableAsync("SHOW STATE")).Select(row => row["value"]), Is.EqualTo(new[] { "no", "yes", "no" }));
        await _console.DoAsync("RESUME");
        Assert.That((await one.ReadUntilAsync()).Scalar(), Is.EqualTo("1"));
        Assert.That((await two.ReadUntilAsync()).Scalar(), Is.EqualTo("2"));
        Assert.That((await _console.TableAsync("SHOW STATE")).Select(row => row["value"]), Is.EqualTo(new[] { "yes", "no", "no" }));
    }

    [Test]
    public async Task What_makes_no_sense_is_refused_in_pgbouncers_words()
    {
        Assert.That(await _console.SayAsync("RESUME"), Is.EqualTo("55000 pooler is not paused/suspended"));
        Assert.That(await _console.SayAsync($"RESUME {Shop}"), Is.EqualTo($"55000 database \"{Shop}\" is not paused"));
        await _console.DoAsync("PAUSE");
        Assert.That(await _console.SayAsync("PAUSE"), Is.EqualTo("55000 already suspended/paused"));
        Assert.That(await _console.SayAsync($"PAUSE {Shop}"), Is.EqualTo("55000 already suspended/paused"));
        Assert.That(await _console.SayAsync("KILL"), Is.EqualTo("55000 already suspended/paused"));
        Assert.That(await _console.SayAsync("SUSPEND"), Is.EqualTo("55000 already suspended/paused"));
        Assert.That(await _console.SayAsync("PAUSE pgbouncer"), Is.EqualTo("0A000 cannot pause admin db: pgbouncer"));
    }

    [Test]
    public async Task Two_consoles_that_pause_the_same_database_are_both_answered()
    {
        await using var busy = await _bed.ClientAsync();
        await busy.QueryAsync("BEGIN; SELECT 1");
        await using var second = await _bed.OperatorAsync();
        var one = _console.SayAsync($"PAUSE {Shop}");
        var two = second.SayAsync($"PAUSE {Shop}");
        await using var watching = await _bed.OperatorAsync();
        await Eventually.TrueAsync(
            async () => (await watching.RowAsync("SHOW DATABASES", "name", Shop))?["paused"] == "1", "the database to be paused");

        await busy.QueryAsync("COMMIT");

        Assert.That((await one, await two), Is.EqualTo(("PAUSE", "PAUSE")));
        await _console.DoAsync($"RESUME {Shop}");
        Assert.That(await second.SayAsync($"RESUME {Shop}"), Does.StartWith("55000"), "two pauses of one database are one");
    }

    [Test]
    public async Task A_pause_that_waits_is_undone_by_resume_on_another_console()
    {
        await using var busy = await _bed.ClientAsync();
        await using var late = await _bed.ClientAsync();
        await busy.QueryAsync("BEGIN; SELECT 1");
        await using var pausing = await _bed.OperatorAsync();
        var pause = pausing.SayAsync($"PAUSE {Shop}");
        await Eventually.TrueAsync(async () => await PausedAsync() == "1", "the database to be paused");
        await late.SendAsync(Frontend.Query("SELECT 'late'"));
        await _console.SeesAsync(late, "waiting");

        await _console.DoAsync($"RESUME {Shop}");

        Assert.That(await pause, Is.EqualTo("57014 the pause was ended by RESUME before it was complete"));
        await busy.QueryAsync("COMMIT");
        Assert.That((await late.ReadUntilAsync()).Scalar(), Is.EqualTo("late"));
    }

    [Test]
    public async Task A_pause_that_waits_is_undone_by_a_cancel_request()
    {
        await using var busy = await _bed.ClientAsync();
        await busy.QueryAsync("BEGIN; SELECT 1");
        await using var pausing = await _bed.OperatorAsync();
        var pause = pausing.SayAsync($"PAUSE {Shop}");
        await Eventually.TrueAsync(async () => await PausedAsync() == "1", "the database to be paused");

        await pausing.Client.CancelAsync();

        Assert.That(await pause, Is.EqualTo("57014 canceling statement due to user request"));
        Assert.That(await PausedAsync(), Is.EqualTo("0"));
        await busy.QueryAsync("COMMIT");
        Assert.That(await busy.ScalarAsync("SELECT 5"), Is.EqualTo("5"));
        await pausing.DoAsync($"PAUSE {Shop}");
    }

    [Test]
    public async Task A_pause_whose_console_goes_away_before_the_answer_is_undone()
    {
        await using var busy = await _bed.ClientAsync();
        await busy.QueryAsync("BEGIN; SELECT 1");
        var pausing = await _bed.OperatorAsync();
        await pausing.Client.SendAsync(Frontend.Query("PAUSE"));
        await Eventually.TrueAsync(async () => await PausedAsync() == "1", "everything to be paused");

        pausing.Client.Reset();

        await Eventually.TrueAsync(async () => await PausedAsync() == "0", "the end of the pause");
        await busy.QueryAsync("COMMIT");
        Assert.That(await busy.ScalarAsync("SELECT 6"), Is.EqualTo("6"));
    }

    [Test]
    public async Task Who_stood_in_the_queue_of_the_pool_waits_on_and_is_served_in_turn()
    {
        await using var busy = await _bed.ClientAsync();
        await busy.QueryAsync("BEGIN; SELECT 1");
        var queue = new List<RawClient>();
        for (var i = 0; i < 4; i++)
        {
            queue.Add(await _bed.ClientAsync());
            await queue[i].SendAsync(Frontend.Query("INSERT INTO goods (name) VALUES ('queue') RETURNING id"));
            await _console.SeesAsync(queue[i], "waiting");
        }
        await using var pausing = await _bed.OperatorAsync();
        var pause = pausing.SayAsync($"PAUSE {Shop}");
        await Eventually.TrueAsync(async () => await PausedAsync() == "1", "the database to be paused");

        await busy.QueryAsync("COMMIT");
        Assert.That(await pause, Is.EqualTo("PAUSE"), "those who wait get no server");
        await _console.DoAsync($"RESUME {Shop}");

        var ids = new List<int>();
        foreach (var client in queue)
        {
            ids.Add(int.Parse((await client.ReadUntilAsync()).Scalar()!, CultureInfo.InvariantCulture));
            await client.DisposeAsync();
        }
        Assert.That(ids, Is.Unique);
        if (loops == 1)
            Assert.That(ids, Is.Ordered, "first come, first served");
    }

    [Test]
    public async Task A_statement_that_waits_for_the_end_of_a_pause_can_be_cancelled()
    {
        await using var client = await _bed.ClientAsync();
        await _console.DoAsync($"PAUSE {Shop}");
        await client.SendAsync(Frontend.Query("SELECT 1"));
        await _console.SeesAsync(client, "waiting");

        await client.CancelAsync();

        Assert.That((await client.ReadUntilAsync()).Code(), Is.EqualTo("57014"));
        await _console.DoAsync($"RESUME {Shop}");
        Assert.That(await client.ScalarAsync("SELECT 2"), Is.EqualTo("2"));
    }

    [Test]
    public async Task A_client_that_leaves_during_the_pause_leaves_nothing_behind()
    {
        var client = await _bed.ClientAsync();
        await _console.DoAsync($"PAUSE {Shop}");
        await client.SendAsync(Frontend.Query("SELECT 1"));
        await _console.SeesAsync(client, "waiting");
        var id = client.ProcessId.ToString(CultureInfo.InvariantCulture);

        client.Reset();

        await Eventually.TrueAsync(async () => await _console.RowAsync("SHOW CLIENTS", "id", id) is null, "the client to be gone");
        await _console.DoAsync($"RESUME {Shop}");
        await using var next = await _bed.ClientAsync();
        Assert.That(await next.ScalarAsync("SELECT 2"), Is.EqualTo("2"));
    }

    [Test]
    public async Task A_pinned_client_is_waited_for_and_served_meanwhile()
    {
        await using var pinned = await _bed.ClientAsync("pinned one");
        await pinned.QueryAsync("CREATE TEMP TABLE mine AS SELECT 41 AS n");
        var row = (await _console.RowAsync("SHOW CLIENTS", "application_name", "pinned one"))!;
        Assert.That(row["pinned"], Is.EqualTo("TemporaryObjects"));
        Assert.That(DateTime.Parse(row["pinned_since"]!.Replace(" UTC", "Z", StringComparison.Ordinal), CultureInfo.InvariantCulture)
            .ToUniversalTime(), Is.EqualTo(DateTime.UtcNow).Within(TimeSpan.FromMinutes(1)));
        await using var pausing = await _bed.OperatorAsync();

        var pause = pausing.SayAsync($"PAUSE {Shop}");
        await Eventually.TrueAsync(async () => await PausedAsync() == "1", "the database to be paused");
        Assert.That(await pinned.ScalarAsync("SELECT n + 1 FROM mine"), Is.EqualTo("42"));
        Assert.That(pause.IsCompleted, Is.False);

        await pinned.QueryAsync("DISCARD ALL");
        Assert.That(await pause, Is.EqualTo("PAUSE"));
        row = (await _console.RowAsync("SHOW CLIENTS", "application_name", "pinned one"))!;
        Assert.That((row["pinned"], row["pinned_since"]), Is.EqualTo(("", (string?)null)));
    }

    [Test]
    public async Task A_client_that_comes_during_the_pause_is_served_after_it()
    {
        await _console.DoAsync($"PAUSE {Shop}");
        await using var client = await RawClient.ConnectAsync(_bed.Router.Endpoint);
        // Settings that no client has had: the router knows no greeting for them and must ask a server.
        var login = client.StartupAsync("postgres", Shop, "postgres", ("application_name", "newcomer"), ("work_mem", "7MB"));
        await using var watching = await _bed.OtherClientAsync();
        await watching.ScalarAsync("SELECT 1");
        Assert.That(login.IsCompleted, Is.False);

        await _console.DoAsync($"RESUME {Shop}");

        await login;
        Assert.That(await client.ScalarAsync("SHOW work_mem"), Is.EqualTo("7MB"));
    }

    [Test]
    public async Task A_database_can_be_paused_before_its_first_client_comes()
    {
        const string Unused = "wire_never_used";
        var answer = await _console.Client.QueryAsync($"PAUSE {Unused}");
        Assert.That(answer.First(m => m.Type == 'N').Field('M'), Is.EqualTo($"no client has used database \"{Unused}\" yet"));
        Assert.That((await _console.RowAsync("SHOW DATABASES", "name", Unused))!["paused"], Is.EqualTo("1"));
        await _console.DoAsync($"RESUME {Unused}");
    }

    [Test]
    public async Task Many_clients_and_many_pauses_lose_no_statement()
    {
        const int Clients = 8, Statements = 60;
        await _bed.Cluster.ExecuteAsync(0, "CREATE TABLE IF NOT EXISTS storm (client int, n int); TRUNCATE storm", Shop);
        var committed = 0;
        var clients = Task.WhenAll(Enumerable.Range(0, Clients).Select(async c =>
        {
            await using var client = await _bed.ClientAsync();
            for (var n = 0; n < Statements; n++)
            {
                await client.QueryAsync("BEGIN");
                var answer = await client.QueryAsync($"INSERT INTO storm VALUES ({c}, {n})");
                Assert.That(answer.Code(), Is.Null);
                await client.QueryAsync("COMMIT");
                Interlocked.Increment(ref committed);
            }
        }));

        var pauses = 0;
        while (!clients.IsCompleted)
        {
            await _console.DoAsync(pauses % 2 == 0 ? $"PAUSE {Shop}" : "PAUSE");
            await _console.DoAsync(pauses % 2 == 0 ? $"RESUME {Shop}" : "RESUME");
            pauses++;
            var before = Volatile.Read(ref committed);
            await Eventually.TrueAsync(() => clients.IsCompleted || Volatile.Read(ref committed) >= before + Clients, "clients to go on");
        }

        await clients;
        Assert.That(pauses, Is.GreaterThan(1));
        Assert.That(await _bed.Cluster.ScalarAsync<long>(0, "SELECT count(*) FROM storm", Shop), Is.EqualTo(Clients * Statements));
    }

    private async Task<string?> PausedAsync() => (await _console.RowAsync("SHOW DATABASES", "name", Shop))?["paused"];
}
