using PgRouter.Testing;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Wire;

/// <summary>Cancel requests at every moment of a session's life, beside other clients of the same server that must not notice.</summary>
[TestFixture]
public sealed class CancelEdgeTests
{
    private const int Version32 = 0x00030002;

    private PgCluster _cluster = null!;
    private RouterProcessFixture _router = null!;

    [OneTimeSetUp]
    public async Task StartRouter()
    {
        _cluster = await WireBed.ClusterAsync();
        await _cluster.ExecuteAsync(
            0,
            """
            CREATE TABLE edge_rows (id int);
            CREATE FUNCTION edge_sleep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(600) /* wire_edge */; RETURN NULL; END';
            CREATE CONSTRAINT TRIGGER edge AFTER INSERT ON edge_rows DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION edge_sleep();
            CREATE TABLE edge_lines (line text);
            """);
        _router = await WireBed.RouterAsync(
            WireBed.SmallPool.With(("default_pool_size", "1"), ("backend_weight1", "0"), ("backend_weight2", "0")));
    }

    [OneTimeTearDown]
    public async Task StopRouter()
    {
        await _router.DisposeAsync();
        await _cluster.ExecuteAsync(0, "DROP TABLE edge_rows, edge_lines; DROP FUNCTION edge_sleep()");
    }

    [Test]
    public async Task During_commit()
    {
        await using var client = await LoginAsync();
        await client.QueryAsync("BEGIN; INSERT INTO edge_rows VALUES (1)");
        await client.SendAsync(Frontend.Query("COMMIT"));
        await RunsAsync("COMMIT");
        await client.CancelAsync();
        Assert.That((CodeOf(await client.ReadUntilAsync()), client.TransactionStatus), Is.EqualTo(("57014", 'I')));
        Assert.That(await client.ScalarAsync("SELECT count(*) FROM edge_rows"), Is.EqualTo("0"));
    }

    [Test]
    public async Task During_copy_out()
    {
        await using var client = await LoginAsync();
        await client.SendAsync(Frontend.Query("COPY (SELECT repeat('x', 100000) FROM generate_series(1, 100000000)) TO STDOUT"));
        await client.ReadUntilAsync('d');
        await client.CancelAsync();
        Assert.That(CodeOf(await client.ReadUntilAsync()), Is.EqualTo("57014"));
        await StillServesAsync(client);
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task During_copy_in(bool extended)
    {
        await using var client = await LoginAsync();
        const string Copy = "COPY edge_lines FROM STDIN";
        if (extended)
            await client.SendAsync(Frontend.Parse("", Copy), Frontend.Bind("", ""), Frontend.Execute(""), Frontend.Flush());
        else
            await client.SendAsync(Frontend.Query(Copy));
        await client.ReadUntilAsync('G');
        await client.SendAsync(Frontend.CopyData("one\n"u8.ToArray()));
        await client.CancelAsync();
        await client.SendAsync(Frontend.CopyData("two\n"u8.ToArray()), Frontend.CopyDone());
        if (extended)
            await client.SendAsync(Frontend.Sync());
        Assert.That(CodeOf(await client.ReadUntilAsync()), Is.EqualTo("57014"));
        Assert.That(await client.ScalarAsync("SELECT count(*) FROM edge_lines"), Is.EqualTo("0"));
        await StillServesAsync(client);
    }

    [Test]
    public async Task In_a_pipeline_only_the_statement_that_runs_is_hit()
    {
        await using var client = await LoginAsync();
        var messages = new List<RawMessage>();
        for (var i = 0; i < 200; i++)
        {
            var sql = i == 100 ? "SELECT pg_sleep(600) /* wire_edge */" : $"SELECT {i}";
            messages.AddRange([Frontend.Parse("", sql), Frontend.Bind("", ""), Frontend.Execute(""), Frontend.Sync()]);
        }

        await client.SendAsync([.. messages]);
        await RunsAsync("SELECT pg_sleep");
        await client.CancelAsync();
        for (var i = 0; i < 200; i++)
        {
            var answer = await client.ReadUntilAsync();
            Assert.That(CodeOf(answer), Is.EqualTo(i == 100 ? "57014" : null), $"statement {i}");
        }

        await StillServesAsync(client);
    }

    [Test]
    public async Task An_idle_session_and_an_idle_transaction_are_not_touched()
    {
        await using var client = await LoginAsync();
        await client.CancelAsync();
        await client.QueryAsync("BEGIN");
        await client.QueryAsync("INSERT INTO edge_lines VALUES ('kept')");
        await client.CancelAsync();
        Assert.That(await client.ScalarAsync("SELECT count(*) FROM edge_lines"), Is.EqualTo("1"));
        Assert.That(client.TransactionStatus, Is.EqualTo('T'));
        await client.QueryAsync("ROLLBACK");
    }

    [Test]
    public async Task A_storm_of_cancels_hits_their_own_client_only()
    {
        await using var target = await LoginAsync();
        await using var bystander = await LoginAsync();
        for (var round = 0; round < 3; round++)
        {
            await target.SendAsync(Frontend.Query("SELECT pg_sleep(600) /* wire_edge */"));
            await RunsAsync("SELECT pg_sleep");
            var next = bystander.ScalarAsync("SELECT count(*) FROM generate_series(1, 300000)");
            await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => target.CancelAsync()));
            Assert.That(CodeOf(await target.ReadUntilAsync()), Is.EqualTo("57014"));
            Assert.That(await next, Is.EqualTo("300000"));
        }

        await StillServesAsync(target);
    }

    [Test]
    public async Task A_client_that_has_gone_is_not_cancelled_on_others()
    {
        var gone = await LoginAsync();
        var (pid, key) = (gone.ProcessId, gone.SecretKey);
        await gone.SendAsync(Frontend.Query("SELECT pg_sleep(600) /* wire_edge */"));
        await RunsAsync("SELECT pg_sleep");
        await gone.DisposeAsync();
        await using var client = await LoginAsync();
        var answer = client.ScalarAsync("SELECT count(*) FROM generate_series(1, 300000)");
        for (var i = 0; i < 20; i++)
        {
            await using var side = await RawClient.ConnectAsync(_router.Endpoint);
            await side.SendAsync(Frontend.Cancel(pid, key));
            await side.ReadToEndAsync();
        }

        Assert.That(await answer, Is.EqualTo("300000"));
        await _cluster.ExecuteAsync(
            0, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%wire_edge%' AND pid <> pg_backend_pid()");
    }

    [Test]
    public async Task Protocol_3_2_has_a_key_of_32_bytes()
    {
        await using var client = await RawClient.ConnectAsync(_router.Endpoint);
        await client.SendAsync(Frontend.Startup([KeyValuePair.Create("user", "postgres"), KeyValuePair.Create("database", "postgres")], Version32));
        await client.AuthenticateAsync("postgres", "postgres");
        Assert.That(client.SecretKey, Has.Length.EqualTo(32));
        await client.SendAsync(Frontend.Query("SELECT pg_sleep(600) /* wire_edge */"));
        await RunsAsync("SELECT pg_sleep");
        await using (var side = await RawClient.ConnectAsync(_router.Endpoint))
        {
            await side.SendAsync(Frontend.Cancel(client.ProcessId, client.SecretKey[..4]));
            Assert.That(await side.ReadToEndAsync(), Is.Empty);
        }

        await client.CancelAsync();
        Assert.That(CodeOf(await client.ReadUntilAsync()), Is.EqualTo("57014"));
    }

    /// <summary>Every text is new, so that the cancel comes while it is parsed, waits, runs or has just ended; whichever, only it is hit.</summary>
    [TestCase(false)]
    [TestCase(true)]
    public async Task At_any_moment_of_a_new_shape(bool inTransaction)
    {
        await using var client = await LoginAsync();
        var hits = 0;
        for (var round = 0; round < 150; round++)
        {
            if (inTransaction)
                await client.QueryAsync("BEGIN; SELECT 1");
            var numbers = string.Join(", ", Enumerable.Range(0, (round * 20) + 1));
            await client.SendAsync(Frontend.Query($"SELECT ARRAY[{numbers}] AS a{round}_{inTransaction}"));
            var cancel = client.CancelAsync();
            var code = CodeOf(await client.ReadUntilAsync());
            Assert.That(code, Is.Null.Or.EqualTo("57014"));
            Assert.That(client.TransactionStatus, Is.EqualTo(!inTransaction ? 'I' : code is null ? 'T' : 'E'));
            hits += code is null ? 0 : 1;
            await cancel;
            if (inTransaction)
                await client.QueryAsync("ROLLBACK");
        }

        TestContext.Out.WriteLine($"{hits} of 150 were cancelled");
        await StillServesAsync(client);
    }

    private Task<RawClient> LoginAsync() => RawClient.LoginAsync(_router.Endpoint);

    /// <summary>The session lives, and so does its server for another client.</summary>
    private async Task StillServesAsync(RawClient client)
    {
        Assert.That(await client.ScalarAsync("SELECT 7"), Is.EqualTo("7"));
        Assert.That(client.TransactionStatus, Is.EqualTo('I'));
        await using var other = await LoginAsync();
        Assert.That(await other.ScalarAsync("SELECT 8"), Is.EqualTo("8"));
    }

    private static string? CodeOf(IReadOnlyList<RawMessage> answer) => answer.FirstOrDefault(message => message.Type == 'E')?.Field('C');

    private Task RunsAsync(string query) => Eventually.TrueAsync(
        async () => await _cluster.ScalarAsync<long>(
            0, $"SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '{query}%' AND wait_event = 'PgSleep'") == 1,
        $"{query} to run");
}
