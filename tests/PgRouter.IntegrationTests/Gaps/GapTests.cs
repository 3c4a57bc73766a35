using PgRouter.Testing;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Protocol;

namespace PgRouter.IntegrationTests.Gaps;

/// <summary>
/// W1 to W32: where pgpool-II gives another answer than one PostgreSQL session on the primary would, or sends to the primary what need not go there.
/// docs/pgpool.md has the list with the result of both. Here the ones about statements and what they leave in the session.
/// </summary>
[TestFixture]
public sealed class GapTests
{
    private GapTarget _target = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _target = await GapTarget.StartAsync(await SharedCluster.GetAsync(), "gaps", """
        CREATE TABLE plain (a int);
        CREATE SEQUENCE counter;
        CREATE UNLOGGED TABLE fleeting (a int); INSERT INTO fleeting VALUES (7);
        CREATE VIEW over_fleeting AS SELECT a FROM fleeting;
        CREATE VIEW over_counter AS SELECT nextval('counter') AS n;
        CREATE SCHEMA one; CREATE SCHEMA two;
        CREATE TABLE one.place (v text); INSERT INTO one.place VALUES ('one');
        CREATE TABLE two.place (v text); INSERT INTO two.place VALUES ('two');
        CREATE UNLOGGED TABLE one.same (v text); INSERT INTO one.same VALUES ('one');
        CREATE TABLE two.same (v text); INSERT INTO two.same VALUES ('two');
        ALTER DATABASE gaps SET search_path = one, public;
        CREATE PROCEDURE public.move() LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('search_path', 'two, public', false); END $$;
        """);

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (_target is not null)
            await _target.DisposeAsync();
    }

    [Test]
    public Task W01_rollback_to_a_savepoint_then_the_own_insert_is_read() => _target.InSessionsAsync(async client =>
    {
        await GapTarget.RunAsync(client, "BEGIN", "INSERT INTO plain VALUES (101)", "SAVEPOINT s", "INSERT INTO plain VALUES (102)", "ROLLBACK TO s");
        Assert.That(await client.ScalarAsync("SELECT count(*) FROM plain WHERE a IN (101, 102)"), Is.EqualTo("1"));
        await GapTarget.RunAsync(client, "ROLLBACK");
    });

    [Test]
    public Task W02_repeatable_read_is_one_snapshot_before_and_after_a_write() => _target.InSessionsAsync(async client =>
    {
        await GapTarget.RunAsync(client, "BEGIN ISOLATION LEVEL REPEATABLE READ");
        var before = int.Parse((await client.ScalarAsync("SELECT count(*) FROM plain"))!);
        await _target.OnPrimaryAsync("INSERT INTO plain VALUES (201)");
        await GapTarget.RunAsync(client, "INSERT INTO plain VALUES (202)");
        Assert.That(await client.ScalarAsync("SELECT count(*) FROM plain"), Is.EqualTo($"{before + 1}"));
        await GapTarget.RunAsync(client, "ROLLBACK");
    });

    [Test]
    public Task W04_set_config_counts_for_reads_on_every_node() => _target.InSessionsAsync(async client =>
    {
        await GapTarget.RunAsync(client, "SELECT set_config('search_path', 'two, public', false)");
        Assert.That(await client.ScalarAsync("SELECT v FROM place"), Is.EqualTo("two"));
    });

    [Test]
    public Task W05_what_a_procedure_sets_counts_for_reads_on_every_node() => _target.InSessionsAsync(async client =>
    {
        await GapTarget.RunAsync(client, "CALL public.move()");
        Assert.That(await client.ScalarAsync("SELECT v FROM place"), Is.EqualTo("two"));
    });

    [Test]
    public Task W06_copy_of_a_query_that_writes() => _target.InSessionsAsync(async client =>
        Assert.That(await GapTarget.ErrorAsync(client, "COPY (SELECT nextval('public.counter')) TO STDOUT"), Is.Null));

    [Test]
    public Task W07_copy_of_a_temporary_table() => _target.InSessionsAsync(async client =>
    {
        await GapTarget.RunAsync(client, "CREATE TEMP TABLE own (a int)", "INSERT INTO own VALUES (1)", "COPY own TO STDOUT");
    });

    [Test]
    public Task W08_prepare_over_a_temporary_table() => _target.InSessionsAsync(async client =>
    {
        await GapTarget.RunAsync(client, "CREATE TEMP TABLE own8 (a int)", "INSERT INTO own8 VALUES (8)", "PREPARE p8 AS SELECT a FROM own8");
        Assert.That(await client.ScalarAsync("EXECUTE p8"), Is.EqualTo("8"));
    });

    [Test]
    public Task W09_views_over_what_a_standby_does_not_have() => _target.InSessionsAsync(async client =>
    {
        Assert.That(await client.ScalarAsync("SELECT a FROM public.over_fleeting"), Is.EqualTo("7"));
        Assert.That(await client.ScalarAsync("SELECT n > 0 FROM public.over_counter"), Is.EqualTo("t"));
        await GapTarget.RunAsync(client, "CREATE TEMP TABLE own9 (a int)", "INSERT INTO own9 VALUES (9)", "CREATE TEMP VIEW over_own9 AS SELECT a FROM own9");
        Assert.That(await client.ScalarAsync("SELECT a FROM over_own9"), Is.EqualTo("9"));
    });

    [Test]
    public Task W10_txid_current() => _target.InSessionsAsync(async client =>
    {
        await GapTarget.RunAsync(client, "SELECT txid_current()", "SELECT pg_current_xact_id()");
    });

    [TestCase("/* app:shop,controller:cart */ SELECT inet_server_port()")]
    [TestCase("/*traceparent='00-1-2-01'*/ SELECT inet_server_port()")]
    [TestCase("-- a line\nSELECT inet_server_port()")]
    public Task W11_a_comment_in_front_of_a_read_does_not_change_where_it_runs(string sql) => _target.InSessionsAsync(async client =>
        Assert.That(await _target.NodeOfAsync(client, sql), Is.Not.Zero));

    [Test]
    public Task W12_set_local_and_savepoint_do_not_keep_a_read_only_transaction_from_a_standby() => _target.InSessionsAsync(async client =>
    {
        await GapTarget.RunAsync(client, "BEGIN READ ONLY", "SET LOCAL statement_timeout = '30s'", "SAVEPOINT s");
        Assert.That(await _target.NodeOfAsync(client), Is.Not.Zero);
        await GapTarget.RunAsync(client, "RELEASE s", "COMMIT");
    });

    [Test]
    public Task W13_values_is_a_read() => _target.InSessionsAsync(async client =>
        Assert.That(await _target.NodeOfAsync(client, "VALUES (inet_server_port())"), Is.Not.Zero));

    [Test]
    public async Task W20_a_table_of_the_same_name_in_another_schema_is_another_table()
    {
        await using var one = await _target.LoginAsync();
        await using var two = await _target.LoginAsync();
        await GapTarget.RunAsync(two, "SET search_path = two");
        for (var i = 0; i < 4; i++)
        {
            Assert.That(await two.ScalarAsync("SELECT v FROM same"), Is.EqualTo("two"));
            Assert.That(await one.ScalarAsync("SELECT v FROM same"), Is.EqualTo("one"), "unlogged in this schema");
        }
    }

    [Test]
    public async Task W21_a_function_that_becomes_volatile_is_noticed()
    {
        await using var client = await _target.LoginAsync();
        await GapTarget.RunAsync(client, "CREATE FUNCTION public.changing() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT 1::bigint'");
        await _target.Cluster.WaitForReplayAsync();
        await GapTarget.RunAsync(client, "SELECT public.changing()");
        await GapTarget.RunAsync(client, "CREATE OR REPLACE FUNCTION public.changing() RETURNS bigint LANGUAGE sql VOLATILE AS $$ SELECT nextval('public.counter') $$");
        await _target.Cluster.WaitForReplayAsync();
        for (var i = 0; i < 4; i++)
            await GapTarget.RunAsync(client, "SELECT public.changing()");
        await _target.InSessionsAsync(other => GapTarget.RunAsync(other, "SELECT public.changing()"));
    }

    [Test]
    public Task W26_several_reads_in_one_query_run_on_one_standby() => _target.InSessionsAsync(async client =>
    {
        var ports = (await client.QueryAsync("SELECT inet_server_port(); SELECT inet_server_port()")).Where(m => m.Type == 'D').Select(m => m.TextColumns()[0]).ToArray();
        Assert.That(ports, Has.Length.EqualTo(2));
        Assert.That(ports[0], Is.EqualTo(ports[1]));
        Assert.That(_target.NodeAt(ports[0]), Is.Not.Zero);
    });

    [Test]
    public Task W29_a_quote_in_the_name_of_a_prepared_statement() => _target.InSessionsAsync(async client =>
    {
        await GapTarget.RunAsync(client, "PREPARE \"an \"\"odd'\"\" name\" AS SELECT 29");
        Assert.That(await client.ScalarAsync("EXECUTE \"an \"\"odd'\"\" name\""), Is.EqualTo("29"));
        await GapTarget.RunAsync(client, "BEGIN", "INSERT INTO plain VALUES (29)");
        Assert.That(await client.ScalarAsync("EXECUTE \"an \"\"odd'\"\" name\""), Is.EqualTo("29"));
        await GapTarget.RunAsync(client, "ROLLBACK", "DEALLOCATE \"an \"\"odd'\"\" name\"");
    });

    [Test]
    public Task W31_a_read_only_transaction_runs_wholly_on_one_standby() => _target.InSessionsAsync(async client =>
    {
        foreach (var begin in new[] { "BEGIN READ ONLY", "START TRANSACTION READ ONLY, ISOLATION LEVEL REPEATABLE READ" })
        {
            await GapTarget.RunAsync(client, begin);
            var nodes = new HashSet<int> { await _target.NodeOfAsync(client), await _target.NodeOfAsync(client, "SELECT inet_server_port() FROM pg_class LIMIT 1") };
            Assert.That(nodes, Has.Count.EqualTo(1));
            Assert.That(nodes, Does.Not.Contain(0));
            await GapTarget.RunAsync(client, "COMMIT");
        }
    });

    [Test]
    public Task W32_what_a_DO_block_sets_counts_for_reads_on_every_node() => _target.InSessionsAsync(async client =>
    {
        await GapTarget.RunAsync(client, "DO $$ BEGIN PERFORM set_config('search_path', 'two, public', false); END $$");
        Assert.That(await client.ScalarAsync("SELECT v FROM place"), Is.EqualTo("two"));
    });
}
