using System.Globalization;
using PgRouter.Testing;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Wire;

/// <summary>pg_cancel_backend and pg_terminate_backend on the pids of clients, beside the same between sessions of PostgreSQL's own.</summary>
[TestFixture]
public sealed class BackendSignalTests
{
    private const string LongWrite = "UPDATE wire_rows SET name = name || pg_sleep(600) || 'wire_signal' WHERE id = 5";

    private PgCluster _cluster = null!;
    private RouterProcessFixture _router = null!;
    private Endpoint _primary = null!;

    [OneTimeSetUp]
    public async Task StartRouter()
    {
        _cluster = await WireBed.ClusterAsync();
        _primary = await WireBed.PrimaryAsync();
        await _cluster.ExecuteAsync(
            0,
            """
            CREATE ROLE signal_one LOGIN; CREATE ROLE signal_two LOGIN; CREATE ROLE signal_member LOGIN IN ROLE signal_one;
            CREATE ROLE signal_guard LOGIN IN ROLE pg_signal_backend; CREATE ROLE "signal'\odd" LOGIN SUPERUSER;
            GRANT ALL ON wire_rows TO PUBLIC;
            """);
        await _cluster.WaitForReplayAsync();
        _router = await WireBed.RouterAsync(WireBed.SmallPool.With(("backend_weight1", "0"), ("backend_weight2", "0")));
    }

    [OneTimeTearDown]
    public async Task StopRouter()
    {
        await _router.DisposeAsync();
        await _cluster.ExecuteAsync(
            0,
            """
            REVOKE ALL ON wire_rows FROM PUBLIC;
            DROP ROLE signal_one, signal_two, signal_member, signal_guard, "signal'\odd";
            """);
    }

    [TestCase("SELECT pg_cancel_backend({0})")]
    [TestCase("SELECT pg_catalog.pg_cancel_backend('{0}'::int4) AS done")]
    [TestCase("BEGIN; SELECT 1, pg_cancel_backend({0}), 'x'; COMMIT")]
    public async Task A_clients_statement_is_cancelled_and_it_lives(string sql)
    {
        await using var target = await RawClient.LoginAsync(_router.Endpoint);
        await target.SendAsync(Frontend.Query(LongWrite));
        await RunsAsync();

        Assert.That(await BothAsync(sql, target), Is.EqualTo(await DirectAsync(sql)));

        Assert.That(CodeOf(await target.ReadUntilAsync()), Is.EqualTo("57014"));
        Assert.That(await target.ScalarAsync("SELECT 7"), Is.EqualTo("7"));
    }

    [Test]
    public async Task A_client_that_waits_for_a_server_is_cancelled_in_the_router()
    {
        await using var router = await WireBed.RouterAsync(WireBed.SmallPool.With(("default_pool_size", "1")));
        await using var holder = await RawClient.LoginAsync(router.Endpoint);
        await using var target = await RawClient.LoginAsync(router.Endpoint);
        await using var other = await RawClient.LoginAsync(router.Endpoint, "signal_guard");
        await using var console = await RawClient.LoginAsync(router.Endpoint, database: "pgbouncer");
        await holder.QueryAsync("BEGIN; UPDATE wire_rows SET name = name WHERE id = 1");
        await target.SendAsync(Frontend.Query("UPDATE wire_rows SET name = name WHERE id = 2"));
        await Eventually.TrueAsync(
            async () => (await console.QueryAsync("SHOW CLIENTS")).Any(m => m.Type == 'D' && m.TextColumns().Contains("waiting")), "the client to wait");

        Assert.That(CodeOf(await other.QueryAsync($"SELECT pg_cancel_backend({target.ProcessId})")), Is.EqualTo("42501"), "it is a superuser's");
        await holder.QueryAsync($"SELECT pg_cancel_backend({target.ProcessId})");

        Assert.That(CodeOf(await target.ReadUntilAsync()), Is.EqualTo("57014"));
        await holder.QueryAsync("ROLLBACK");
        Assert.That(await target.ScalarAsync("SELECT 7"), Is.EqualTo("7"));
    }

    [TestCase("SELECT pg_terminate_backend({0})", null)]
    [TestCase("SELECT pg_terminate_backend({0}, 5000) AS done", null)]
    [TestCase("SELECT pg_terminate_backend({0})", "BEGIN; UPDATE wire_rows SET name = 'lost' WHERE id = 5")]
    [TestCase("SELECT pg_terminate_backend({0})", LongWrite)]
    public async Task A_client_is_terminated_and_what_it_did_is_undone(string sql, string? doing)
    {
        await using var target = await RawClient.LoginAsync(_router.Endpoint);
        if (doing is not null)
            await target.SendAsync(Frontend.Query(doing));
        if (doing == LongWrite)
            await RunsAsync();
        else if (doing is not null)
            await target.ReadUntilAsync();

        Assert.That(await BothAsync(sql, target), Is.EqualTo(await DirectAsync(sql)));

        var end = await target.ReadToEndAsync();
        Assert.That((end[^1].Field('S'), CodeOf(end), end[^1].Field('M')), Is.EqualTo(("FATAL", "57P01", "terminating connection due to administrator command")));
        await using var next = await RawClient.LoginAsync(_router.Endpoint);
        await next.QueryAsync("SET lock_timeout = '5s'");
        await Eventually.TrueAsync(
            async () => CodeOf(await next.QueryAsync("UPDATE wire_rows SET name = 'name 5' WHERE id = 5 AND name = 'name 5'")) is null, "its lock to be gone");
        Assert.That(await next.ScalarAsync("SELECT name FROM wire_rows WHERE id = 5"), Is.EqualTo("name 5"));
        Assert.That(await RunningAsync(), Is.Zero);
    }

    [TestCase("signal_one", "signal_one", null)]
    [TestCase("signal_one", "signal_two", "42501")]
    [TestCase("signal_one", "signal_member", null)]
    [TestCase("signal_member", "signal_one", "42501")]
    [TestCase("signal_two", "signal_guard", null)]
    [TestCase("postgres", "signal_guard", "42501")]
    [TestCase("postgres", "signal_one", "42501")]
    [TestCase("signal'\\odd", "signal_guard", "42501")]
    [TestCase("signal'\\odd", "postgres", null)]
    public async Task Who_may_is_as_in_PostgreSQL(string targetUser, string user, string? code)
    {
        foreach (var function in new[] { "pg_cancel_backend", "pg_terminate_backend" })
        {
            var answers = new List<string>();
            foreach (var endpoint in new[] { _primary, _router.Endpoint })
            {
                await using var target = await RawClient.LoginAsync(endpoint, targetUser, "postgres", null);
                await using var client = await RawClient.LoginAsync(endpoint, user, "postgres", null);
                await client.QueryAsync("BEGIN");
                var answer = await client.QueryAsync($"SELECT {function}({target.ProcessId})");
                Assert.That(CodeOf(answer), Is.EqualTo(code));
                answers.Add(string.Join('\n', answer.Select(m => m.Type == 'E' ? $"E {m.Field('C')} {m.Field('M')} {m.Field('D')}" : m.ToString())));
                if (code is null && function == "pg_terminate_backend")
                    Assert.That(CodeOf(await target.ReadToEndAsync()), Is.EqualTo("57P01"));
                else
                    Assert.That(await target.ScalarAsync("SELECT 7"), Is.EqualTo("7"));
            }

            Assert.That(answers[1], Is.EqualTo(answers[0]));
        }
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task A_parameter_may_name_the_client(bool binary)
    {
        var answers = new List<string>();
        foreach (var endpoint in new[] { _primary, _router.Endpoint })
        {
            await using var client = await RawClient.LoginAsync(endpoint);
            await client.SendAsync(
                Frontend.Parse("kill", "SELECT $2::text, pg_terminate_backend($1)"), Frontend.Describe('S', "kill"), Frontend.Sync());
            var answer = new List<RawMessage>(await client.ReadUntilAsync());
            for (var round = 0; round < 3; round++)
            {
                await using var target = await RawClient.LoginAsync(endpoint);
                await client.SendAsync(
                    BindPid("kill", target.ProcessId, binary), Frontend.Describe('P', ""), Frontend.Execute(""), Frontend.Sync());
                answer.AddRange(await client.ReadUntilAsync());
                Assert.That(CodeOf(await target.ReadToEndAsync()), Is.EqualTo("57P01"));
            }

            await using var last = await RawClient.LoginAsync(endpoint);
            await client.SendAsync(
                Frontend.Parse("", "SELECT $2::text, pg_terminate_backend($1)"), BindPid("", last.ProcessId, binary), Frontend.Execute(""), Frontend.Sync());
            answer.AddRange(await client.ReadUntilAsync());
            Assert.That(CodeOf(await last.ReadToEndAsync()), Is.EqualTo("57P01"));

            // A process id that is nobody's, and none at all.
            await client.SendAsync(
                BindPid("kill", 2147483647, binary), Frontend.Execute(""), Frontend.Bind("", "kill", null, "x"), Frontend.Execute(""), Frontend.Sync());
            answer.AddRange(await client.ReadUntilAsync());
            answers.Add(string.Join('\n', answer));
        }

        Assert.That(answers[1], Is.EqualTo(answers[0]));
    }

    [TestCase("SELECT pg_cancel_backend({0})")]
    [TestCase("SELECT pg_cancel_backend(pg_backend_pid())")]
    [TestCase("SELECT 1; SELECT pg_terminate_backend(pg_backend_pid()); SELECT 2")]
    [TestCase("SELECT pg_terminate_backend({0})")]
    [TestCase("SELECT pg_cancel_backend(2147483647)")]
    [TestCase("SELECT pg_terminate_backend(2147483647, 10)")]
    [TestCase("SELECT pg_terminate_backend({0}, -1)")]
    [TestCase("SELECT pg_cancel_backend(NULL)")]
    [TestCase("BEGIN; SELECT 1/0; SELECT pg_terminate_backend({0})")]
    public async Task Itself_and_nobody(string sql)
    {
        var answers = new List<string>();
        foreach (var endpoint in new[] { _primary, _router.Endpoint })
        {
            await using var client = await RawClient.LoginAsync(endpoint);
            await client.SendAsync(Frontend.Query(string.Format(CultureInfo.InvariantCulture, sql, client.ProcessId)));
            var answer = new List<RawMessage>();
            while (await client.ReadOrEndAsync() is { } message)
            {
                answer.Add(message);
                if (message.Type == 'Z')
                    break;
            }

            answers.Add(string.Join('\n', answer.Select(m => m.Type == 'E' ? $"E {m.Field('S')} {m.Field('C')} {m.Field('M')}" : m.ToString())));
        }

        Assert.That(answers[1], Is.EqualTo(answers[0]));
    }

    [Test]
    public async Task In_a_failed_transaction_nobody_is_stopped()
    {
        await using var target = await RawClient.LoginAsync(_router.Endpoint);
        await using var client = await RawClient.LoginAsync(_router.Endpoint);
        await client.QueryAsync("BEGIN; SELECT 1/0");
        Assert.That(CodeOf(await client.QueryAsync($"SELECT pg_terminate_backend({target.ProcessId})")), Is.EqualTo("25P02"));
        Assert.That(await target.ScalarAsync("SELECT 7"), Is.EqualTo("7"));
    }

    [Test]
    public async Task The_process_ids_of_servers_work_as_ever()
    {
        await using var target = await RawClient.LoginAsync(_router.Endpoint);
        await using var client = await RawClient.LoginAsync(_router.Endpoint);
        await target.SendAsync(Frontend.Query(LongWrite));
        await RunsAsync();
        Assert.That(
            await client.ScalarAsync("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%wire_signal%' AND pid <> pg_backend_pid()"),
            Is.EqualTo("t"));
        Assert.That(CodeOf(await target.ReadUntilAsync()), Is.EqualTo("57P01"));
        Assert.That(await target.ScalarAsync("SELECT 7"), Is.EqualTo("7"));
    }

    private static RawMessage BindPid(string statement, int pid, bool binary) => binary
        ? Frontend.Bind("", statement, [BitConverter.GetBytes(System.Net.IPAddress.HostToNetworkOrder(pid)), "x"u8.ToArray()], [1, 0], [1])
        : Frontend.Bind("", statement, pid.ToString(CultureInfo.InvariantCulture), "x");

    /// <summary>The answer to the statement from another client of the router.</summary>
    private async Task<string> BothAsync(string sql, RawClient target)
    {
        await using var client = await RawClient.LoginAsync(_router.Endpoint);
        return string.Join('\n', await client.QueryAsync(string.Format(CultureInfo.InvariantCulture, sql, target.ProcessId)));
    }

    /// <summary>The same directly, of a session that sleeps.</summary>
    private async Task<string> DirectAsync(string sql)
    {
        await using var target = await RawClient.LoginAsync(_primary);
        await target.SendAsync(Frontend.Query("SELECT pg_sleep(600)"));
        await using var client = await RawClient.LoginAsync(_primary);
        return string.Join('\n', await client.QueryAsync(string.Format(CultureInfo.InvariantCulture, sql, target.ProcessId)));
    }

    private static string? CodeOf(IEnumerable<RawMessage> answer) => answer.FirstOrDefault(message => message.Type == 'E')?.Field('C');

    private Task RunsAsync() => Eventually.TrueAsync(async () => await RunningAsync() == 1, "the statement to run");

    private Task<long> RunningAsync() => _cluster.ScalarAsync<long>(
        0, "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%wire_signal%' AND pid <> pg_backend_pid()");
}
