using System.Globalization;
using PgRouter.IntegrationTests.Consoles;
using PgRouter.IntegrationTests.Wire;
using PgRouter.Testing;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Timeouts;

/// <summary>Each time limit of a session is reached, in a database that has this limit alone; and what must not reach it does not.</summary>
[TestFixture]
public sealed class SessionTimeoutTests
{
    private static readonly string[] Limits = ["query_timeout", "idle_transaction_timeout", "transaction_timeout", "client_idle_timeout"];

    private PgCluster _cluster = null!;
    private RouterProcessFixture _router = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _cluster = await WireBed.ClusterAsync();
        foreach (var limit in Limits)
        {
            await _cluster.ExecuteAsync(0, $"CREATE DATABASE {limit}");
            await _cluster.ExecuteAsync(0, "CREATE TABLE t (n int)", limit);
        }
        await _cluster.WaitForReplayAsync();
        var settings = WireBed.SmallPool
            .With(("default_pool_size", "1"), ("backend_weight1", "0"), ("backend_weight2", "0"), ("admin_users", "postgres"))
            .With([.. Limits.Select(limit => ($"database.{limit}.{limit}", "500ms"))])
            .With(("user.patient.query_timeout", "0"));
        await _cluster.ExecuteAsync(0, "CREATE ROLE patient LOGIN SUPERUSER PASSWORD 'postgres'");
        _router = await RouterProcessFixture.StartAsync(_cluster, settings);
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (_router is not null)
            await _router.DisposeAsync();
    }

    [Test]
    public async Task A_query_that_takes_too_long_is_canceled_and_the_session_lives()
    {
        await using var client = await LoginAsync("query_timeout");

        var answer = await client.QueryAsync("SELECT pg_sleep(60)");

        Assert.That(Error(answer), Is.EqualTo("ERROR 57014 canceling statement due to query timeout / query_timeout of the router is 0.5 s."));
        Assert.That(client.TransactionStatus, Is.EqualTo('I'));
        Assert.That(await client.ScalarAsync("SELECT 1"), Is.EqualTo("1"));
        await NothingRunsAsync("query_timeout");
    }

    [Test]
    public async Task In_a_transaction_and_in_the_extended_protocol_it_fails_the_transaction()
    {
        await using var client = await LoginAsync("query_timeout");
        await client.QueryAsync("BEGIN; INSERT INTO t VALUES (1)");

        await client.SendAsync(
            Frontend.Parse("", "SELECT pg_sleep($1::float8)"), Frontend.Bind("", "", "60"), Frontend.Execute(""), Frontend.Sync());
        var answer = await client.ReadUntilAsync();

        Assert.That(answer.Code(), Is.EqualTo("57014"));
        Assert.That(answer.Select(m => m.Type).Where(type => type != 'N'), Is.EqualTo("12EZ"));
        Assert.That(client.TransactionStatus, Is.EqualTo('E'));
        Assert.That((await client.QueryAsync("SELECT 1")).Code(), Is.EqualTo("25P02"));
        await client.QueryAsync("ROLLBACK");
        Assert.That(await client.ScalarAsync("SELECT count(*) FROM t"), Is.EqualTo("0"));
    }

    [Test]
    public async Task Only_the_query_that_is_too_long_is_canceled_in_a_pipeline()
    {
        await using var client = await LoginAsync("query_timeout");

        await client.SendAsync(Frontend.Query("SELECT 1"), Frontend.Query("SELECT pg_sleep(60)"), Frontend.Query("SELECT 3"));

        Assert.That((await client.ReadUntilAsync()).Scalar(), Is.EqualTo("1"));
        Assert.That(Error(await client.ReadUntilAsync()), Does.StartWith("ERROR 57014 canceling statement due to query timeout"));
        Assert.That((await client.ReadUntilAsync()).Scalar(), Is.EqualTo("3"));
    }

    [Test]
    public async Task Queries_that_are_short_may_go_on_for_long()
    {
        await using var client = await LoginAsync("query_timeout");
        var clock = System.Diagnostics.Stopwatch.StartNew();

        while (clock.Elapsed < TimeSpan.FromSeconds(2))
            Assert.That((await client.QueryAsync("SELECT pg_sleep(0.1)")).Code(), Is.Null);
    }

    [Test]
    public async Task The_own_cancel_of_a_client_keeps_postgresqls_words()
    {
        await using var client = await LoginAsync("query_timeout", "patient");
        await client.SendAsync(Frontend.Query("SELECT pg_sleep(60)"));
        await Eventually.TrueAsync(async () => await RunningAsync("query_timeout") == 1, "the statement to run");

        await client.CancelAsync();

        Assert.That((await client.ReadUntilAsync()).ErrorText(), Is.EqualTo("canceling statement due to user request"));
    }

    [Test]
    public async Task A_user_may_have_a_limit_of_its_own()
    {
        await using var client = await LoginAsync("query_timeout", "patient");

        Assert.That((await client.QueryAsync("SELECT pg_sleep(1.5)")).Code(), Is.Null);
    }

    [Test]
    public async Task A_client_that_takes_its_time_to_send_copy_data_is_not_timed()
    {
        await using var client = await LoginAsync("query_timeout");
        await client.SendAsync(Frontend.Query("COPY t FROM STDIN"));
        await client.ReadUntilAsync('G');
        var clock = System.Diagnostics.Stopwatch.StartNew();
        while (clock.Elapsed < TimeSpan.FromSeconds(1.5))
        {
            await client.SendAsync(Frontend.CopyData("1\n"u8.ToArray()));
            await _cluster.ScalarAsync<string>(0, "SELECT pg_sleep(0.1)::text");
        }
        await client.SendAsync(Frontend.CopyDone());

        Assert.That((await client.ReadUntilAsync()).Code(), Is.Null);
        await client.QueryAsync("TRUNCATE t");
    }

    [Test]
    public async Task A_server_that_does_not_answer_the_cancel_costs_the_client_its_session()
    {
        await using var cluster = await PgCluster.StartAsync(new PgClusterOptions { Standbys = 0 });
        await using var router = await RouterProcessFixture.StartAsync(
            cluster, WireBed.SmallPool.With(("query_timeout", "500ms"), ("server_connect_timeout", "1"), ("health_check_period", "0"), ("sr_check_period", "0")));
        await using var client = await RawClient.LoginAsync(router.Endpoint);
        await client.QueryAsync("BEGIN; SELECT 1");
        cluster.PauseProcess(0);
        try
        {
            await client.SendAsync(Frontend.Query("SELECT 2"));
            var end = await client.ReadToEndAsync();

            Assert.That(Error(end), Does.StartWith("FATAL 57014 terminating connection due to query timeout"));
        }
        finally
        {
            cluster.ResumeProcess(0);
        }
    }

    [Test]
    public async Task Idling_in_a_transaction_ends_the_session_and_rolls_back()
    {
        await using var client = await LoginAsync("idle_transaction_timeout");
        await client.QueryAsync("BEGIN; INSERT INTO t VALUES (1)");

        var end = await client.ReadToEndAsync();

        Assert.That(Error(end), Is.EqualTo(
            "FATAL 25P03 terminating connection due to idle-in-transaction timeout / idle_transaction_timeout of the router is 0.5 s."));
        await using var next = await LoginAsync("idle_transaction_timeout");
        Assert.That(await next.ScalarAsync("SELECT count(*) FROM t"), Is.EqualTo("0"), "the one server of the pool is free again");
    }

    [TestCase("idle_transaction_timeout", "25P03")]
    [TestCase("transaction_timeout", "25P04")]
    public async Task A_transaction_in_which_nothing_was_asked_yet_is_limited_from_its_begin_on(string limit, string sqlState)
    {
        await using var client = await LoginAsync(limit);
        await client.QueryAsync("SELECT 1");
        await client.QueryAsync("BEGIN");

        Assert.That((await client.ReadToEndAsync()).Code(), Is.EqualTo(sqlState));
    }

    [Test]
    public async Task The_time_before_the_first_statement_of_a_transaction_counts_and_that_before_its_begin_does_not()
    {
        await using var client = await LoginAsync("transaction_timeout");
        await client.QueryAsync("BEGIN");
        await _cluster.ScalarAsync<string>(0, "SELECT pg_sleep(0.3)::text");
        await client.SendAsync(Frontend.Query("SELECT pg_sleep(0.35)"));
        Assert.That((await client.ReadToEndAsync()).Code(), Is.EqualTo("25P04"));

        await using var other = await LoginAsync("transaction_timeout");
        await other.QueryAsync("BEGIN");
        await other.QueryAsync("COMMIT");
        await _cluster.ScalarAsync<string>(0, "SELECT pg_sleep(0.3)::text");
        Assert.That((await other.QueryAsync("SELECT pg_sleep(0.35)")).Code(), Is.Null);
    }

    [Test]
    public async Task A_failed_transaction_that_idles_ends_too()
    {
        await using var client = await LoginAsync("idle_transaction_timeout");
        await client.QueryAsync("BEGIN; SELECT 1/0");

        Assert.That((await client.ReadToEndAsync()).Code(), Is.EqualTo("25P03"));
    }

    [Test]
    public async Task A_transaction_that_works_and_a_client_that_idles_outside_of_one_do_not()
    {
        await using var client = await LoginAsync("idle_transaction_timeout");
        await client.QueryAsync("BEGIN");
        Assert.That((await client.QueryAsync("SELECT pg_sleep(1.5)")).Code(), Is.Null, "a statement runs");
        await client.QueryAsync("COMMIT");
        await _cluster.ScalarAsync<string>(0, "SELECT pg_sleep(1.5)::text");

        Assert.That(await client.ScalarAsync("SELECT 1"), Is.EqualTo("1"));
    }

    [TestCase("BEGIN", "SELECT pg_sleep(60)")]
    [TestCase("SELECT 1", "SELECT pg_sleep(60)")]
    public async Task A_transaction_that_takes_too_long_ends_the_session_and_what_it_runs(string first, string second)
    {
        await using var client = await LoginAsync("transaction_timeout");
        await client.QueryAsync(first);
        await client.SendAsync(Frontend.Query(second));

        var end = await client.ReadToEndAsync();

        Assert.That(Error(end), Is.EqualTo(
            "FATAL 25P04 terminating connection due to transaction timeout / transaction_timeout of the router is 0.5 s."));
        await NothingRunsAsync("transaction_timeout");
    }

    [Test]
    public async Task A_transaction_that_idles_too_long_reaches_the_limit_of_transactions()
    {
        await using var client = await LoginAsync("transaction_timeout");
        await client.QueryAsync("BEGIN; SELECT 1");

        Assert.That((await client.ReadToEndAsync()).Code(), Is.EqualTo("25P04"));
    }

    [Test]
    public async Task Many_short_transactions_reach_no_limit_chained_ones_neither()
    {
        await using var client = await LoginAsync("transaction_timeout");
        var clock = System.Diagnostics.Stopwatch.StartNew();
        await client.QueryAsync("BEGIN");
        while (clock.Elapsed < TimeSpan.FromSeconds(1.5))
        {
            Assert.That((await client.QueryAsync("SELECT pg_sleep(0.1)")).Code(), Is.Null);
            await client.QueryAsync("COMMIT AND CHAIN");
        }
        await client.QueryAsync("COMMIT");
        while (clock.Elapsed < TimeSpan.FromSeconds(3))
            Assert.That((await client.QueryAsync("BEGIN; SELECT pg_sleep(0.1); COMMIT")).Code(), Is.Null);
    }

    [Test]
    public async Task An_idle_client_is_disconnected()
    {
        await using var client = await LoginAsync("client_idle_timeout");
        await client.QueryAsync("SELECT 1");

        Assert.That(Error(await client.ReadToEndAsync()), Is.EqualTo(
            "FATAL 57P05 terminating connection due to idle-session timeout / client_idle_limit of the router is 0.5 s."));
    }

    [Test]
    public async Task A_client_that_never_asked_anything_is_disconnected_too()
    {
        await using var client = await LoginAsync("client_idle_timeout");

        Assert.That((await client.ReadToEndAsync()).Code(), Is.EqualTo("57P05"));
    }

    [Test]
    public async Task A_client_that_waits_for_a_server_or_for_an_answer_is_not_idle()
    {
        await using var busy = await LoginAsync("client_idle_timeout");
        await using var waiting = await LoginAsync("client_idle_timeout");
        await busy.SendAsync(Frontend.Query("SELECT pg_sleep(1.5)"));
        await waiting.SendAsync(Frontend.Query("SELECT 'waited'"));

        Assert.That((await busy.ReadUntilAsync()).Code(), Is.Null);
        Assert.That((await waiting.ReadUntilAsync()).Scalar(), Is.EqualTo("waited"));
    }

    [Test]
    public async Task After_a_long_statement_a_client_may_idle_as_long_as_after_a_short_one()
    {
        await using var client = await LoginAsync("client_idle_timeout");
        await client.QueryAsync("SELECT pg_sleep(1.3)");
        var clock = System.Diagnostics.Stopwatch.StartNew();

        await client.ReadToEndAsync();

        Assert.That(clock.Elapsed, Is.GreaterThan(TimeSpan.FromSeconds(0.4)));
    }

    [Test]
    public async Task A_console_may_idle()
    {
        await using var router = await RouterProcessFixture.StartAsync(
            _cluster, WireBed.SmallPool.With(("client_idle_limit", "300ms"), ("admin_users", "postgres")));
        await using var console = await Operator.LoginAsync(router.Endpoint);
        await using var client = await RawClient.LoginAsync(router.Endpoint);
        await client.ReadToEndAsync();

        Assert.That(await console.SayAsync("SHOW VERSION"), Is.EqualTo("SHOW"));
    }

    [Test]
    public async Task A_limit_that_comes_with_a_reload_holds_for_clients_that_are_there()
    {
        await using var router = await RouterProcessFixture.StartAsync(_cluster, WireBed.SmallPool);
        await using var client = await RawClient.LoginAsync(router.Endpoint);
        await client.QueryAsync("BEGIN; SELECT 1");

        await router.ReloadAsync(new Dictionary<string, string> { ["idle_transaction_timeout"] = "300ms" });

        Assert.That((await client.ReadToEndAsync()).Code(), Is.EqualTo("25P03"));
    }

    [Test]
    public async Task A_login_that_takes_too_long_is_ended()
    {
        await using var router = await RouterProcessFixture.StartAsync(_cluster, WireBed.SmallPool.With(("client_login_timeout", "500ms")));
        await using var client = await RawClient.ConnectAsync(router.Endpoint);
        await client.SendBytesAsync([0, 0, 0]);

        Assert.That(Error(await client.ReadToEndAsync()), Is.EqualTo(
            "FATAL 57014 canceling authentication due to timeout / authentication_timeout of the router is 0.5 s."));
    }

    [Test]
    public async Task A_login_to_a_paused_database_waits_no_longer_than_a_login_may()
    {
        await using var router = await RouterProcessFixture.StartAsync(
            _cluster, WireBed.SmallPool.With(("client_login_timeout", "1"), ("admin_users", "postgres")));
        await using var console = await Operator.LoginAsync(router.Endpoint);
        await console.DoAsync("PAUSE query_timeout");
        await using var client = await RawClient.ConnectAsync(router.Endpoint);
        await client.SendAsync(Frontend.Startup([new("user", "postgres"), new("database", "query_timeout"), new("work_mem", "9MB")]));

        var end = await client.ReadToEndAsync();

        Assert.That(Error(end), Does.StartWith("FATAL 57P03 database \"query_timeout\" is paused, and was not resumed in time"));
    }

    [Test]
    public async Task The_wait_for_a_paused_database_ends_with_query_wait_timeout_and_the_session_lives()
    {
        await using var router = await RouterProcessFixture.StartAsync(
            _cluster, WireBed.SmallPool.With(("query_wait_timeout", "500ms"), ("admin_users", "postgres")));
        await using var console = await Operator.LoginAsync(router.Endpoint);
        await using var client = await RawClient.LoginAsync(router.Endpoint);
        await console.DoAsync("PAUSE");

        Assert.That(Error(await client.QueryAsync("SELECT 1")), Does.StartWith("ERROR 57P03 database \"postgres\" is paused"));

        await console.DoAsync("RESUME");
        Assert.That(await client.ScalarAsync("SELECT 2"), Is.EqualTo("2"));
    }

    private Task<RawClient> LoginAsync(string database, string user = "postgres") => RawClient.LoginAsync(_router.Endpoint, user, database);

    private async Task<long> RunningAsync(string database) => await _cluster.ScalarAsync<long>(
        0, $"SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}' AND state = 'active' AND query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()");

    private Task NothingRunsAsync(string database) =>
        Eventually.TrueAsync(async () => await RunningAsync(database) == 0, "the statement to end on its server");

    private static string Error(IReadOnlyList<RawMessage> answer)
    {
        var error = answer.First(m => m.Type == 'E');
        return string.Create(CultureInfo.InvariantCulture, $"{error.Field('S')} {error.Field('C')} {error.Field('M')} / {error.Field('D')}");
    }
}
