using System.Text.RegularExpressions;
using PgRouter.IntegrationTests.Catalog;
using PgRouter.Testing;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Routing;

/// <summary>
/// What a standby refuses though it was taken for a read: the client notices nothing, the primary does it once, and it is done there from then on.
/// Reads go to the standbys only, and the catalog is read again only when it is told to.
/// </summary>
[TestFixture]
public sealed class SafetyNetTests
{
    private const string Database = "safety_net";
    private const string Refused = "refused a statement as a standby";

    private PgCluster _cluster = null!;
    private RouterProcessFixture _router = null!;
    private RawClient _client = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _cluster = await CatalogBed.DatabaseAsync(Database, """
            CREATE TABLE plain (a int); INSERT INTO plain SELECT generate_series(1, 3);
            CREATE TABLE logged (a int); INSERT INTO logged VALUES (7);
            CREATE SEQUENCE counter; CREATE SEQUENCE s1; CREATE SEQUENCE s2; CREATE SEQUENCE s3; CREATE SEQUENCE s4; CREATE SEQUENCE s5;
            CREATE SEQUENCE s6; CREATE SEQUENCE s7; CREATE SEQUENCE s8; CREATE SEQUENCE s9; CREATE SEQUENCE s10; CREATE SEQUENCE s11; CREATE SEQUENCE s12; CREATE SEQUENCE s13;
            CREATE TABLE spent (a int);
            CREATE FUNCTION spend() RETURNS int LANGUAGE sql STABLE AS 'SELECT 1';
            CREATE FUNCTION sneaky(regclass) RETURNS bigint LANGUAGE internal STABLE STRICT AS 'nextval_oid';
            CREATE FUNCTION position_now() RETURNS pg_lsn LANGUAGE internal STABLE STRICT AS 'pg_current_wal_lsn';
            """);
        await _cluster.WaitForReplayAsync();
        _router = await RouterProcessFixture.StartAsync(_cluster, new Dictionary<string, string>
        {
            ["log_min_messages"] = "debug1",
            ["backend_weight0"] = "0",
            ["relcache_expire"] = "0",
            ["pgrouter.loops"] = "1",
        });
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (_router is not null)
            await _router.DisposeAsync();
    }

    [SetUp]
    public async Task LoginAsync()
    {
        await _cluster.ExecuteAsync(0, "TRUNCATE spent", Database);
        _client = await RawClient.LoginAsync(_router.Endpoint, "postgres", Database);
        await _router.WaitForLogAsync($"The catalog of database {Database} is read");
    }

    [TearDown]
    public ValueTask LogoutAsync() => _client.DisposeAsync();

    [Test]
    public async Task A_function_that_writes_since_a_moment_ago_runs_once_and_on_the_primary()
    {
        await MakeWriterAsync();
        Assert.That(Shown(await _client.QueryAsync("SELECT spend()")), Is.EqualTo("T D(1) C(SELECT 1) Z(I)"));
        Assert.That(await SpentAsync(), Is.EqualTo(1));
        Assert.That(await _client.ScalarAsync("SELECT spend() + 10"), Is.EqualTo("12"), "another shape is caught by itself");
        Assert.That(await SpentAsync(), Is.EqualTo(2));
        Assert.That(Refusals("spend()"), Is.LessThanOrEqualTo(2));
    }

    [Test]
    public async Task In_one_batch_of_the_extended_protocol()
    {
        await _client.SendAsync(
            Frontend.Parse("", "SELECT sneaky('s1') AS s1"), Frontend.Bind("", ""), Frontend.Describe('P', ""), Frontend.Execute(""), Frontend.Sync());
        Assert.That(Shown(await _client.ReadUntilAsync()), Is.EqualTo("1 2 T D(1) C(SELECT 1) Z(I)"));
        Assert.That(await CallsAsync("s1"), Is.EqualTo(1));
        await RefusedAsync("AS s1");
    }

    [Test]
    public async Task In_a_statement_that_was_prepared_before()
    {
        await PrepareAsync("p", "SELECT sneaky('s2') AS s2");
        Assert.That(await ExecuteAsync("p"), Is.EqualTo("2 D(1) C(SELECT 1) Z(I)"));
        Assert.That(await ExecuteAsync("p"), Is.EqualTo("2 D(2) C(SELECT 1) Z(I)"));
        Assert.That(await CallsAsync("s2"), Is.EqualTo(2));
        await RefusedAsync("AS s2");
    }

    [Test]
    public async Task In_a_batch_that_prepares_a_name_the_standby_has_under_another()
    {
        await PrepareAsync("p", "SELECT sneaky('s3') AS s3");
        await _client.SendAsync(Frontend.Parse("q", "SELECT sneaky('s3') AS s3"), Frontend.Bind("", "q"), Frontend.Execute(""), Frontend.Sync());
        Assert.That(Shown(await _client.ReadUntilAsync()), Is.EqualTo("1 2 D(1) C(SELECT 1) Z(I)"));
        Assert.That(await ExecuteAsync("q"), Is.EqualTo("2 D(2) C(SELECT 1) Z(I)"), "the name is there");
        Assert.That(await CallsAsync("s3"), Is.EqualTo(2));
        await RefusedAsync("AS s3");
    }

    [Test]
    public async Task By_EXECUTE()
    {
        await _client.QueryAsync("PREPARE e AS SELECT sneaky('s4') AS s4");
        Assert.That(Shown(await _client.QueryAsync("EXECUTE e")), Is.EqualTo("T D(1) C(SELECT 1) Z(I)"));
        Assert.That(Shown(await _client.QueryAsync("EXECUTE e")), Is.EqualTo("T D(2) C(SELECT 1) Z(I)"));
        await RefusedAsync("EXECUTE e");
    }

    [Test]
    public async Task In_COPY_TO_and_among_several_statements_of_one_query()
    {
        var copied = await _client.QueryAsync("COPY (SELECT sneaky('s11') AS s11) TO STDOUT");
        Assert.That(string.Concat(copied.Select(m => m.Type)), Is.EqualTo("HdcCZ"));
        await RefusedAsync("AS s11");
        Assert.That(
            Shown(await _client.QueryAsync("SELECT a FROM plain WHERE a = 3; SELECT sneaky('s12') AS s12; SELECT 4")),
            Is.EqualTo("T D(3) C(SELECT 1) T D(1) C(SELECT 1) T D(4) C(SELECT 1) Z(I)"));
        Assert.That((await CallsAsync("s11"), await CallsAsync("s12")), Is.EqualTo((1, 1)));
    }

    [Test]
    public async Task In_a_pipeline_of_queries_what_was_answered_is_not_repeated()
    {
        string[] texts = ["SELECT a FROM plain WHERE a = 1", "SELECT sneaky('s5') AS s5", "SELECT a FROM plain WHERE a = 2", "SELECT sneaky('s5') AS s5", "SELECT 3"];
        await _client.SendAsync([.. texts.Select(Frontend.Query)]);
        Assert.That(await AnswersAsync(texts.Length), Is.EqualTo(new[]
        {
            "T D(1) C(SELECT 1) Z(I)", "T D(1) C(SELECT 1) Z(I)", "T D(2) C(SELECT 1) Z(I)", "T D(2) C(SELECT 1) Z(I)", "T D(3) C(SELECT 1) Z(I)",
        }));
        Assert.That(await CallsAsync("s5"), Is.EqualTo(2));
        await RefusedAsync("AS s5");
    }

    [Test]
    public async Task In_a_pipeline_of_batches_that_give_names()
    {
        string[] texts = ["SELECT a FROM plain WHERE a = 1", "SELECT sneaky('s6') AS s6", "SELECT a FROM plain WHERE a = 2", "SELECT sneaky('s6') + 0 AS s6"];
        await _client.SendAsync([.. texts.SelectMany((text, i) => new[]
        {
            Frontend.Parse($"n{i}", text), Frontend.Bind("", $"n{i}"), Frontend.Execute(""), Frontend.Sync(),
        })]);
        Assert.That(await AnswersAsync(texts.Length), Is.EqualTo(new[]
        {
            "1 2 D(1) C(SELECT 1) Z(I)", "1 2 D(1) C(SELECT 1) Z(I)", "1 2 D(2) C(SELECT 1) Z(I)", "1 2 D(2) C(SELECT 1) Z(I)",
        }));
        for (var i = 0; i < texts.Length; i++)
            Assert.That(await ExecuteAsync($"n{i}"), Does.StartWith("2 D("));
        Assert.That(await CallsAsync("s6"), Is.EqualTo(4));
        await RefusedAsync("AS s6", 2);
    }

    /// <summary>Whether the next batch is read before or behind the standby's ReadyForQuery is chance, and must make no difference.</summary>
    [Test]
    public async Task Batches_that_come_while_the_standby_ends_its_refusal_are_answered_in_order()
    {
        for (var round = 0; round < 30; round++)
        {
            string[] texts = ["SELECT a FROM plain WHERE a = 1", $"SELECT sneaky('s13') * 0 AS r{round}", "SELECT a FROM plain WHERE a = 2", $"SELECT sneaky('s13') * 0 + 5 AS r{round}"];
            await _client.SendAsync([.. texts.SelectMany((text, i) => new[]
            {
                Frontend.Parse($"r{round}_{i}", text), Frontend.Bind("", $"r{round}_{i}"), Frontend.Execute(""), Frontend.Sync(),
            })]);
            Assert.That(await AnswersAsync(texts.Length), Is.EqualTo(new[]
            {
                "1 2 D(1) C(SELECT 1) Z(I)", "1 2 D(0) C(SELECT 1) Z(I)", "1 2 D(2) C(SELECT 1) Z(I)", "1 2 D(5) C(SELECT 1) Z(I)",
            }));
        }
        Assert.That(await CallsAsync("s13"), Is.EqualTo(60));
    }

    [Test]
    public async Task Behind_a_statement_of_the_same_batch_both_run_again()
    {
        await _client.SendAsync(
            Frontend.Parse("", "SELECT a FROM plain ORDER BY a"), Frontend.Bind("", ""), Frontend.Execute(""),
            Frontend.Parse("", "SELECT sneaky('s7') AS s7"), Frontend.Bind("", ""), Frontend.Execute(""), Frontend.Sync());
        Assert.That(Shown(await _client.ReadUntilAsync()), Is.EqualTo("1 2 D(1) D(2) D(3) C(SELECT 3) 1 2 D(1) C(SELECT 1) Z(I)"));
        Assert.That(await CallsAsync("s7"), Is.EqualTo(1));
        await RefusedAsync("AS s7");
    }

    [Test]
    public async Task Behind_rows_that_have_been_sent_the_error_goes_through_and_the_next_time_it_runs_on_the_primary()
    {
        const string Text = "SELECT repeat('x', 20000) FROM generate_series(1, 500) UNION ALL SELECT sneaky('s8')::text AS s8";
        var reply = await _client.QueryAsync(Text);
        Assert.That(reply.Single(m => m.Type == 'E').Field('C'), Is.EqualTo("25006"));
        Assert.That(await CallsAsync("s8"), Is.Zero);
        Assert.That((await _client.QueryAsync(Text)).Count(m => m.Type == 'D'), Is.EqualTo(501));
        Assert.That(await CallsAsync("s8"), Is.EqualTo(1));
        await RefusedAsync("AS s8");
    }

    [Test]
    public async Task A_write_hinted_to_a_standby_runs_on_the_primary_too()
    {
        Assert.That(await _client.ScalarAsync("/* pgrouter: standby */ SELECT sneaky('s9') AS s9"), Is.EqualTo("1"));
    }

    [Test]
    public async Task Inside_a_READ_ONLY_transaction_the_error_is_the_clients()
    {
        await _client.QueryAsync("BEGIN READ ONLY");
        await _client.QueryAsync("SELECT a FROM plain");
        var reply = await _client.QueryAsync("SELECT sneaky('s10') AS s10");
        Assert.That(reply.Single(m => m.Type == 'E').Field('C'), Is.EqualTo("25006"));
        Assert.That(_client.TransactionStatus, Is.EqualTo('E'));
        await _client.QueryAsync("ROLLBACK");
        Assert.That(await _client.ScalarAsync("SELECT sneaky('s10') AS s10"), Is.EqualTo("1"));
    }

    [Test]
    public async Task A_client_that_is_read_only_by_its_own_setting_gets_the_primarys_error_each_time()
    {
        await _client.QueryAsync("SET default_transaction_read_only = on");
        for (var i = 0; i < 3; i++)
        {
            var reply = await _client.QueryAsync("SELECT sneaky('counter') + 1000");
            Assert.That(string.Concat(reply.Select(m => m.Type)), Does.EndWith("EZ"));
            Assert.That(reply.Single(m => m.Type == 'E').Field('C'), Is.EqualTo("25006"));
        }
        Assert.That(Refusals("+ 1000"), Is.Zero, "the primary has refused it as well");
    }

    [Test]
    public async Task A_function_that_is_declared_stable_and_writes_is_remembered()
    {
        for (var i = 0; i < 20; i++)
            Assert.That(Shown(await _client.QueryAsync("SELECT sneaky('counter') IS NOT NULL")), Is.EqualTo("T D(t) C(SELECT 1) Z(I)"));
        await RefusedAsync("IS NOT NULL");
    }

    [Test]
    public async Task A_table_that_became_unlogged()
    {
        await _cluster.ExecuteAsync(0, "ALTER TABLE logged SET UNLOGGED", Database);
        await _cluster.WaitForReplayAsync();
        for (var i = 0; i < 5; i++)
            Assert.That(await _client.ScalarAsync("SELECT a FROM logged"), Is.EqualTo("7"));
        await RefusedAsync("FROM logged");
    }

    /// <summary>The catalog is not read again by age here.</summary>
    [Test]
    public async Task DDL_that_a_client_leaves_behind_counts_when_it_is_carried_out()
    {
        await _client.QueryAsync("CREATE FUNCTION left_behind() RETURNS int LANGUAGE sql STABLE AS 'SELECT inet_server_port()'");
        await _cluster.WaitForReplayAsync();
        await Eventually.TrueAsync(async () => !await IsOnPrimaryAsync(), "the function to be known");
        await using (var leaving = await RawClient.LoginAsync(_router.Endpoint, "postgres", Database))
        {
            await leaving.SendAsync(Frontend.Query(
                "SELECT pg_sleep(1); CREATE OR REPLACE FUNCTION left_behind() RETURNS int LANGUAGE sql VOLATILE AS 'SELECT inet_server_port()'"));
            await Eventually.TrueAsync(
                async () => await _cluster.ScalarAsync<long>(0, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query LIKE '%left_behind%'") > 0,
                "the DDL to be under way");
        }
        await Eventually.TrueAsync(() => IsOnPrimaryAsync(), "the function to be known as volatile");
        await Eventually.TrueAsync(async () => !await IsOnPrimaryAsync("SELECT inet_server_port() FROM plain"), "the catalog to be known again");

        async Task<bool> IsOnPrimaryAsync(string sql = "SELECT left_behind()") => await _client.ScalarAsync(sql) == $"{_cluster.Nodes[0].Port}";
    }

    [Test]
    public async Task What_needs_the_end_of_recovery()
    {
        for (var i = 0; i < 5; i++)
            Assert.That(await _client.ScalarAsync("SELECT position_now() > '0/0'"), Is.EqualTo("t"));
        await RefusedAsync("position_now()");
    }

    [TestCase("SELECT a FROM plain WHERE generate_series(1, 2) = 1", "0A000")]
    [TestCase("SELECT a / 0 FROM plain", "22012")]
    public async Task An_error_that_is_no_standbys_is_the_clients_and_blames_nobody(string sql, string sqlState)
    {
        var reply = await _client.QueryAsync(sql);
        Assert.That(reply.Single(m => m.Type == 'E').Field('C'), Is.EqualTo(sqlState));
        Assert.That(reply.Count(m => m.Type == 'Z'), Is.EqualTo(1));
        Assert.That(Refusals(sql), Is.Zero);
    }

    [Test]
    public async Task A_read_that_gives_way_to_replay_runs_on_the_primary_and_the_next_one_on_a_standby_again()
    {
        var sleeping = $"""
            SELECT inet_server_port(), CASE WHEN inet_server_port() <> {_cluster.Nodes[0].Port} THEN pg_sleep(60) END FROM plain WHERE a = 1
            """;
        await SetStandbyDelayAsync("0");
        try
        {
            await _client.SendAsync(Frontend.Query(sleeping));
            await Eventually.TrueAsync(
                async () => await SleepersAsync(1) + await SleepersAsync(2) > 0, "the read to run on a standby");
            await _cluster.ExecuteAsync(0, "ALTER TABLE plain ADD COLUMN IF NOT EXISTS b int", Database);
            Assert.That(Shown(await _client.ReadUntilAsync()), Is.EqualTo($"T D({_cluster.Nodes[0].Port}) C(SELECT 1) Z(I)"));
        }
        finally
        {
            await SetStandbyDelayAsync("30s");
        }
        await RefusedAsync("pg_sleep");
        Assert.That(
            await _client.ScalarAsync("SELECT inet_server_port() FROM plain WHERE a = 1"), Is.Not.EqualTo($"{_cluster.Nodes[0].Port}"));
    }

    [Test]
    public async Task A_refusal_shows_in_the_counts()
    {
        var before = await RefusedInAllAsync();
        Assert.That(await _client.ScalarAsync("SELECT sneaky('counter') < 0"), Is.EqualTo("f"));
        Assert.That(await RefusedInAllAsync(), Is.EqualTo(before + 1));
    }

    private async Task<int> RefusedInAllAsync() => (await _client.QueryAsync("SHOW ROUTES"))
        .Where(message => message.Type == 'D').Select(message => message.TextColumns())
        .Where(row => row[0] == "node").Sum(row => int.Parse(row[4]!));

    /// <summary>Behind the router's back.</summary>
    private async Task MakeWriterAsync()
    {
        await _cluster.ExecuteAsync(
            0,
            "CREATE OR REPLACE FUNCTION spend() RETURNS int LANGUAGE sql VOLATILE AS 'INSERT INTO spent VALUES (1); SELECT count(*)::int FROM spent'",
            Database);
        await _cluster.WaitForReplayAsync();
    }

    /// <summary>How often nextval() was really called.</summary>
    private async Task<long> CallsAsync(string sequence) =>
        await _cluster.ScalarAsync<long>(0, $"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {sequence}", Database);

    private async Task<long> SpentAsync() => await _cluster.ScalarAsync<long>(0, "SELECT count(*) FROM spent", Database);

    private Task<long> SleepersAsync(int node) => _cluster.ScalarAsync<long>(
        node, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query LIKE '%FROM plain%'");

    private async Task SetStandbyDelayAsync(string delay)
    {
        foreach (var node in new[] { 1, 2 })
        {
            await _cluster.ExecuteAsync(node, $"ALTER SYSTEM SET max_standby_streaming_delay = '{delay}'");
            await _cluster.ExecuteAsync(node, "SELECT pg_reload_conf()");
        }
    }

    /// <summary>A standby has been asked, so many times and no more.</summary>
    private async Task RefusedAsync(string text, int times = 1)
    {
        await Eventually.TrueAsync(() => Refusals(text) >= times, $"the refusal of \"{text}\" to be logged");
        Assert.That(Refusals(text), Is.EqualTo(times));
    }

    private int Refusals(string text) => _router.Log.Count(line => line.Contains(Refused) && Regex.IsMatch(line, Regex.Escape(text) + @"(?!\d)"));

    private async Task PrepareAsync(string name, string sql)
    {
        await _client.SendAsync(Frontend.Parse(name, sql), Frontend.Describe('S', name), Frontend.Sync());
        Assert.That(Shown(await _client.ReadUntilAsync()), Is.EqualTo("1 t T Z(I)"));
    }

    private async Task<string> ExecuteAsync(string name)
    {
        await _client.SendAsync(Frontend.Bind("", name), Frontend.Execute(""), Frontend.Sync());
        return Shown(await _client.ReadUntilAsync());
    }

    private async Task<string[]> AnswersAsync(int count)
    {
        var answers = new string[count];
        for (var i = 0; i < count; i++)
            answers[i] = Shown(await _client.ReadUntilAsync());
        return answers;
    }

    private static string Shown(IEnumerable<RawMessage> reply) => string.Join(' ', reply.Select(message => message.Type switch
    {
        'D' => $"D({message.TextColumns()[0]})",
        'C' => $"C({message.Text()})",
        'Z' => $"Z({(char)message.Body[0]})",
        'E' => $"E({message.Field('C')})",
        var type => type.ToString(),
    }));
}
