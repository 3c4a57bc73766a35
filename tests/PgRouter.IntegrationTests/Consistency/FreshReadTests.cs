using System.Globalization;
using PgRouter.IntegrationTests.Wire;
using PgRouter.Testing;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Consistency;

/// <summary>
/// Reads behind writes, while standbys stand still and when they go on. The primary has no weight: a read on it was sent there on purpose.
/// </summary>
[TestFixture]
public sealed class FreshReadTests
{
    private const string Database = "fresh_reads";

    private const string Objects = """
        CREATE TABLE t (id int PRIMARY KEY, v int NOT NULL); INSERT INTO t VALUES (1, 0);
        CREATE TABLE u (id int PRIMARY KEY, v int NOT NULL); INSERT INTO u VALUES (1, 0);
        CREATE TABLE log (v int); INSERT INTO log VALUES (0);
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE log SET v = v + 1; RETURN NEW; END $$;
        CREATE TABLE noted (id int PRIMARY KEY, v int); INSERT INTO noted VALUES (1, 0);
        CREATE TRIGGER note AFTER UPDATE ON noted FOR EACH ROW EXECUTE FUNCTION note();
        CREATE TABLE parent (id int PRIMARY KEY); INSERT INTO parent SELECT generate_series(1, 1000);
        CREATE TABLE child (id int REFERENCES parent ON DELETE CASCADE); INSERT INTO child SELECT generate_series(1, 1000);
        CREATE TABLE parted (k int, v int) PARTITION BY LIST (k); CREATE TABLE part1 PARTITION OF parted FOR VALUES IN (1); INSERT INTO parted VALUES (1, 0);
        CREATE VIEW seen AS SELECT v FROM t; CREATE VIEW changed AS SELECT id, v FROM u;
        CREATE MATERIALIZED VIEW kept AS SELECT v FROM t;
        CREATE RULE also AS ON UPDATE TO u DO ALSO UPDATE log SET v = v + 1;
        CREATE FUNCTION reading() RETURNS int LANGUAGE sql STABLE AS 'SELECT v FROM t WHERE id = 1';
        CREATE FUNCTION writing() RETURNS int LANGUAGE sql AS 'UPDATE t SET v = v + 1 WHERE id = 1 RETURNING v';
        CREATE PROCEDURE proceeding() LANGUAGE plpgsql AS $$ BEGIN UPDATE t SET v = v + 1 WHERE id = 1; COMMIT; END $$;
        CREATE FUNCTION hidden(what text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE what; END $$;
        CREATE TABLE other (v int); INSERT INTO other VALUES (0);
        """;

    private PgCluster _cluster = null!;
    private RouterProcessFixture _router = null!;
    private RawClient _writer = null!;
    private RawClient _reader = null!;
    private string _primary = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _cluster = await PgCluster.StartAsync();
        await _cluster.ExecuteAsync(0, $"CREATE DATABASE {Database}");
        await _cluster.ExecuteAsync(0, Objects, Database);
        await _cluster.WaitForReplayAsync();
        _primary = _cluster.Nodes[0].Port.ToString(CultureInfo.InvariantCulture);
        _router = await RouterProcessFixture.StartAsync(
            _cluster, new Dictionary<string, string> { ["log_min_messages"] = "debug1", ["backend_weight0"] = "0", ["enable_pool_hba"] = "off" });
        _writer = await LoginAsync();
        _reader = await LoginAsync();
        await _router.WaitForLogAsync($"The catalog of database {Database} is read");
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        await _writer.DisposeAsync();
        await _reader.DisposeAsync();
        await _router.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    [TearDown]
    public async Task ResumeAsync()
    {
        foreach (var client in new[] { _reader, _writer })
            await client.QueryAsync("ROLLBACK");
        for (var node = 1; node <= 2; node++)
            await _cluster.ResumeReplayAsync(node);
    }

    /// <summary>A write, a read that depends on it, and one that does not.</summary>
    [TestCase("UPDATE t SET v = v + 1", "SELECT v FROM t")]
    [TestCase("UPDATE t SET v = v + 1", "SELECT v FROM seen")]
    [TestCase("UPDATE t SET v = v + 1", "SELECT reading()")]
    [TestCase("UPDATE t SET v = v + 1", "SELECT (SELECT v FROM t)")]
    [TestCase("UPDATE noted SET v = v + 1", "SELECT v FROM log")]
    [TestCase("UPDATE changed SET v = v + 1", "SELECT v FROM u")]
    [TestCase("UPDATE u SET v = v + 1", "SELECT v FROM log")]
    [TestCase("DELETE FROM parent WHERE id = (SELECT min(id) FROM parent)", "SELECT count(*) FROM child")]
    [TestCase("UPDATE parted SET v = v + 1", "SELECT v FROM part1")]
    [TestCase("UPDATE part1 SET v = v + 1", "SELECT v FROM parted")]
    [TestCase("WITH w AS (UPDATE t SET v = v + 1 RETURNING v) SELECT count(*) FROM w", "SELECT v FROM t")]
    [TestCase("MERGE INTO t USING (VALUES (1)) x (a) ON t.id = a WHEN MATCHED THEN UPDATE SET v = v + 1", "SELECT v FROM t")]
    [TestCase("SELECT writing()", "SELECT v FROM t")]
    [TestCase("CALL proceeding()", "SELECT v FROM t")]
    [TestCase("DO $$ BEGIN UPDATE t SET v = v + 1; END $$", "SELECT v FROM t")]
    [TestCase("SELECT hidden('UPDATE t SET v = v + 1')", "SELECT v FROM t")]
    [TestCase("BEGIN; UPDATE t SET v = v + 1; COMMIT", "SELECT v FROM t")]
    [TestCase("BEGIN|UPDATE t SET v = v + 1|SELECT 1|COMMIT", "SELECT v FROM t")]
    [TestCase("BEGIN|UPDATE t SET v = v + 1|PREPARE TRANSACTION 'fresh'|COMMIT PREPARED 'fresh'", "SELECT v FROM t")]
    [TestCase("PREPARE p AS UPDATE t SET v = v + 1|EXECUTE p|DEALLOCATE p", "SELECT v FROM t")]
    [TestCase("REFRESH MATERIALIZED VIEW kept", "SELECT v FROM kept")]
    [TestCase("ALTER TABLE t ALTER v SET DEFAULT 1", "SELECT v FROM t")]
    public async Task A_read_sees_what_another_session_has_written_though_all_standbys_stand_still(string write, string read)
    {
        await OnStandbyAsync("SELECT v FROM other");
        await PauseAsync(1, 2);
        var before = await DirectAsync(read);
        foreach (var sql in write.Split('|'))
            Assert.That((await _writer.QueryAsync(sql)).Where(message => message.Type == 'E'), Is.Empty, sql);
        foreach (var reader in new[] { _reader, _writer })
            Assert.That(await reader.ScalarAsync(read), Is.EqualTo(await DirectAsync(read)).And.EqualTo(await DirectAsync(read)));
        if (!write.StartsWith("ALTER", StringComparison.Ordinal) && !write.StartsWith("REFRESH", StringComparison.Ordinal))
            Assert.That(await DirectAsync(read), Is.Not.EqualTo(before), "the test itself");
        Assert.That(await NodeOfAsync(_reader, read), Is.EqualTo(_primary));
        await _cluster.ResumeReplayAsync(1);
        await OnStandbyAsync(read);
    }

    [Test]
    public async Task Other_tables_are_read_on_standbys_meanwhile_and_the_standby_that_goes_on_serves_first()
    {
        await OnStandbyAsync("SELECT v FROM t");
        await OnStandbyAsync("SELECT v FROM other");
        await PauseAsync(2);
        await _writer.QueryAsync("UPDATE t SET v = v + 1");
        await OnStandbyAsync("SELECT v FROM t");
        var second = _cluster.Nodes[2].Port.ToString(CultureInfo.InvariantCulture);
        for (var i = 0; i < 20; i++)
            Assert.That(await NodeOfAsync(_reader, "SELECT v FROM t"), Is.Not.EqualTo(_primary).And.Not.EqualTo(second));
        var nodes = new HashSet<string?>();
        for (var i = 0; i < 40; i++)
            nodes.Add(await NodeOfAsync(_reader, "SELECT v FROM other"));
        Assert.That(nodes, Does.Contain(second).And.Not.Contain(_primary));
    }

    [Test]
    public async Task A_transaction_that_is_rolled_back_and_an_insert_that_fails_keep_no_read_from_a_standby()
    {
        await OnStandbyAsync("SELECT v FROM t");
        await PauseAsync(1, 2);
        foreach (var sql in (string[])["BEGIN", "UPDATE t SET v = v + 1", "ROLLBACK", "INSERT INTO t VALUES (1, 1)"])
            await _writer.QueryAsync(sql);
        Assert.That(await NodeOfAsync(_reader, "SELECT v FROM t"), Is.Not.EqualTo(_primary));
    }

    [TestCase("eventual", false, false)]
    [TestCase("session", true, false)]
    [TestCase("global", true, true)]
    public async Task A_level_is_that_of_its_hint(string level, bool ownOnPrimary, bool othersOnPrimary)
    {
        await OnStandbyAsync("SELECT v FROM t");
        await PauseAsync(1, 2);
        await _writer.QueryAsync("UPDATE t SET v = v + 1");
        var read = $"/* pgrouter: consistency={level} */ SELECT v FROM t";
        Assert.That(await NodeOfAsync(_writer, read) == _primary, Is.EqualTo(ownOnPrimary));
        await using var other = await LoginAsync();
        Assert.That(await NodeOfAsync(other, read) == _primary, Is.EqualTo(othersOnPrimary));
    }

    [TestCase("SET pgrouter.read_consistency = eventual", true)]
    [TestCase("SELECT set_config('pgrouter.read_consistency', 'eventual', false)", true)]
    [TestCase("SET pgrouter.read_consistency TO 'Eventual'|BEGIN|SET LOCAL pgrouter.read_consistency = strong|ROLLBACK", true)]
    [TestCase("BEGIN|SET pgrouter.read_consistency = eventual|ROLLBACK", false)]
    [TestCase("SET pgrouter.read_consistency = eventual|RESET pgrouter.read_consistency", false)]
    [TestCase("SET pgrouter.read_consistency = session", true)]
    [TestCase("BEGIN READ ONLY|SET LOCAL pgrouter.read_consistency = eventual", true)]
    [TestCase("/* pgrouter: consistency=eventual */ BEGIN READ ONLY", true)]
    public async Task A_level_is_what_the_session_says(string statements, bool onStandby)
    {
        await OnStandbyAsync("SELECT v FROM t");
        await PauseAsync(1, 2);
        await _writer.QueryAsync("UPDATE t SET v = v + 1");
        await using var client = await LoginAsync();
        Assert.That(await client.ScalarAsync("SHOW pgrouter.read_consistency"), Is.EqualTo("global"));
        foreach (var sql in statements.Split('|'))
            Assert.That((await client.QueryAsync(sql)).Where(message => message.Type == 'E'), Is.Empty, sql);
        Assert.That(await NodeOfAsync(client, "SELECT v FROM t") != _primary, Is.EqualTo(onStandby));
    }

    [TestCase("SET pgrouter.read_consistency = none", "22023")]
    [TestCase("SET pgrouter.min_lsn = 'x'", "22023")]
    [TestCase("SET pgrouter.lsn_token = '0/1'", "55P02")]
    [TestCase("SET pgrouter.consistency_wait = -1", "22023")]
    [TestCase("SELECT 1; SHOW pgrouter.lsn_token", "0A000")]
    public async Task What_cannot_be_is_refused(string sql, string code) =>
        Assert.That((await _reader.QueryAsync(sql)).Single(message => message.Type == 'E').Field('C'), Is.EqualTo(code));

    [Test]
    public async Task A_level_may_come_with_the_start_up_packet_and_of_the_database()
    {
        await using var asked = await RawClient.LoginAsync(_router.Endpoint, database: Database, parameters: [("options", "-c pgrouter.read_consistency=strong")]);
        Assert.That(await asked.ScalarAsync("SHOW pgrouter.read_consistency"), Is.EqualTo("strong"));
        await _router.ReloadAsync(new Dictionary<string, string>
        {
            [$"database.{Database}.read_consistency"] = "session",
            [$"database.{Database}.consistency_wait"] = "7ms",
        });
        await using var other = await LoginAsync();
        await Eventually.TrueAsync(async () => await other.ScalarAsync("SHOW pgrouter.read_consistency") == "session", "the level of the database");
        Assert.That(await other.ScalarAsync("SHOW pgrouter.consistency_wait"), Is.EqualTo("7ms"));
        Assert.That(await asked.ScalarAsync("SHOW pgrouter.read_consistency"), Is.EqualTo("strong"));
        await _router.ReloadAsync(new Dictionary<string, string>
        {
            [$"database.{Database}.read_consistency"] = "global",
            [$"database.{Database}.consistency_wait"] = "0",
        });
        await Eventually.TrueAsync(async () => await other.ScalarAsync("SHOW pgrouter.read_consistency") == "global", "the level of the database");
    }

    /// <summary>Of what another router has written this one knows nothing by itself.</summary>
    [TestCase("SET pgrouter.min_lsn = '{0}'", "")]
    [TestCase("SET pgrouter.read_consistency = eventual|SET pgrouter.min_lsn = '{0}'", "")]
    [TestCase("SELECT 1", "/* pgrouter: min_lsn={0} */ ")]
    public async Task A_token_carries_what_was_written_through_another_router(string statements, string hint)
    {
        await using var second = await RouterProcessFixture.StartAsync(_cluster, new Dictionary<string, string> { ["enable_pool_hba"] = "off" });
        await using var writer = await RawClient.LoginAsync(second.Endpoint, database: Database);
        await OnStandbyAsync("SELECT v FROM t");
        await PauseAsync(1, 2);
        await writer.QueryAsync("UPDATE t SET v = v + 1");
        var token = await writer.ScalarAsync("SHOW pgrouter.lsn_token");
        await using var reader = await LoginAsync();
        Assert.That(await NodeOfAsync(reader, "SELECT v FROM t"), Is.Not.EqualTo(_primary), "the test itself");
        foreach (var sql in statements.Split('|'))
            await reader.QueryAsync(string.Format(CultureInfo.InvariantCulture, sql, token));
        var read = string.Format(CultureInfo.InvariantCulture, hint, token) + "SELECT v FROM t";
        Assert.That(await reader.ScalarAsync(read), Is.EqualTo(await DirectAsync("SELECT v FROM t")));
        Assert.That(await NodeOfAsync(reader, read), Is.EqualTo(_primary));
        await _cluster.ResumeReplayAsync(2);
        await Eventually.TrueAsync(async () => await NodeOfAsync(reader, read) != _primary, "a standby that has replayed the token");
        Assert.That(await reader.ScalarAsync(read), Is.EqualTo(await DirectAsync("SELECT v FROM t")));
    }

    [Test]
    public async Task In_a_block_that_reads_a_strong_statement_sees_what_was_written_past_the_router_meanwhile()
    {
        await OnStandbyAsync("SELECT v FROM t");
        await PauseAsync(1, 2);
        await _reader.QueryAsync("BEGIN ISOLATION LEVEL READ COMMITTED, READ ONLY");
        await _reader.QueryAsync("SET LOCAL pgrouter.read_consistency = strong");
        Assert.That(await NodeOfAsync(_reader, "SELECT v FROM t"), Is.Not.EqualTo(_primary));
        await _cluster.ExecuteAsync(0, "UPDATE t SET v = v + 1", Database);
        Assert.That(await _reader.ScalarAsync("SELECT v FROM t"), Is.EqualTo(await DirectAsync("SELECT v FROM t")));
        await _reader.QueryAsync("COMMIT");
    }

    /// <summary>After Flush, and before Sync, the block is tied to its server.</summary>
    [Test]
    public async Task A_statement_that_follows_a_Flush_on_a_standby_waits_until_that_has_what_it_must_see()
    {
        await OnStandbyAsync("SELECT v FROM t");
        await PauseAsync(1, 2);
        await using var client = await LoginAsync();
        await client.QueryAsync("BEGIN ISOLATION LEVEL READ COMMITTED, READ ONLY");
        Assert.That(await NodeOfAsync(client, "SELECT v FROM t"), Is.Not.EqualTo(_primary));
        RawMessage[] read = [Frontend.Parse("", "SELECT v FROM t"), Frontend.Bind("", ""), Frontend.Execute(""), Frontend.Flush()];
        await client.SendAsync(read);
        await client.ReadUntilAsync('C');
        await _writer.QueryAsync("UPDATE t SET v = v + 1");
        await client.SendAsync(read);
        var answer = client.ReadUntilAsync('C');
        foreach (var node in (int[])[1, 2])
            await _cluster.ResumeReplayAsync(node);
        Assert.That((await answer).Single(message => message.Type == 'D').TextColumns()[0], Is.EqualTo(await DirectAsync("SELECT v FROM t")));
        await client.SendAsync(Frontend.Sync());
        await client.ReadUntilAsync();
    }

    [Test]
    public async Task A_strong_read_sees_what_was_written_past_the_router()
    {
        const string Read = "/* pgrouter: consistency=strong */ SELECT v FROM t";
        await OnStandbyAsync(Read);
        await PauseAsync(1, 2);
        await _cluster.ExecuteAsync(0, "UPDATE t SET v = v + 1", Database);
        Assert.That(await _reader.ScalarAsync(Read), Is.EqualTo(await DirectAsync("SELECT v FROM t")));
        Assert.That(await NodeOfAsync(_reader, "SELECT v FROM t"), Is.Not.EqualTo(_primary), "the others do not ask");
        await _cluster.ResumeReplayAsync(2);
        await OnStandbyAsync(Read);
    }

    /// <summary>Each statement of such a block sees what was committed before it.</summary>
    [Test]
    public async Task A_block_at_read_committed_leaves_a_standby_that_lacks_what_its_next_statement_must_see()
    {
        await OnStandbyAsync("SELECT v FROM t");
        await PauseAsync(1, 2);
        await _reader.QueryAsync("BEGIN ISOLATION LEVEL READ COMMITTED, READ ONLY");
        Assert.That(await NodeOfAsync(_reader, "SELECT v FROM t"), Is.Not.EqualTo(_primary));
        await _writer.QueryAsync("UPDATE t SET v = v + 1");
        Assert.That(await _reader.ScalarAsync("SELECT v FROM t"), Is.EqualTo(await DirectAsync("SELECT v FROM t")));
        Assert.That(await NodeOfAsync(_reader, "SELECT v FROM t"), Is.EqualTo(_primary));
        await _reader.QueryAsync("COMMIT");
    }

    /// <summary>A commit that waits for a synchronous standby is shown by the others before the primary shows it.</summary>
    [Test]
    public async Task What_a_session_has_seen_on_a_standby_it_sees_on_the_primary_too()
    {
        await OnStandbyAsync("SELECT v FROM t");
        await SetSynchronousAsync(_cluster.Nodes[2].ApplicationName);
        try
        {
            // The checkpointer tells all processes of the setting; until it has, a commit waits for nobody.
            await _cluster.ExecuteAsync(0, "CHECKPOINT");
            var before = await DirectAsync("SELECT v FROM t");
            _cluster.PauseProcess(2);
            var write = _writer.QueryAsync("BEGIN; SET LOCAL synchronous_commit = on; UPDATE t SET v = v + 1; COMMIT");
            await Eventually.TrueAsync(async () => await _cluster.ScalarAsync<string>(1, "SELECT v::text FROM t", Database) != before, "the commit on node 1");
            var seen = await _reader.ScalarAsync("/* pgrouter: node=1 */ SELECT v FROM t");
            Assert.That((await DirectAsync("SELECT v FROM t"), seen == before), Is.EqualTo((before, false)), "the test itself");
            var read = _reader.ScalarAsync("/* pgrouter: primary */ SELECT v FROM t");
            Assert.That(await DirectAsync("SELECT v FROM t"), Is.EqualTo(before), "the test itself");
            _cluster.ResumeProcess(2);
            Assert.That(await read, Is.EqualTo(seen));
            await write;
        }
        finally
        {
            _cluster.ResumeProcess(2);
            await SetSynchronousAsync("");
        }
    }

    private async Task SetSynchronousAsync(string standbys)
    {
        await _cluster.ExecuteAsync(0, $"ALTER SYSTEM SET synchronous_standby_names = '{standbys}'");
        await _cluster.ExecuteAsync(0, "SELECT pg_reload_conf()");
        await Eventually.TrueAsync(async () => await _cluster.ScalarAsync<string>(0, "SHOW synchronous_standby_names") == standbys, "the setting");
    }

    [Test]
    public async Task A_block_with_one_snapshot_begins_where_everything_is_and_stays()
    {
        await OnStandbyAsync("SELECT v FROM t");
        await PauseAsync(1, 2);
        await _reader.QueryAsync("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY");
        var first = await _reader.ScalarAsync("SELECT v FROM t");
        Assert.That(await NodeOfAsync(_reader, "SELECT v FROM t"), Is.Not.EqualTo(_primary));
        await _writer.QueryAsync("UPDATE t SET v = v + 1");
        Assert.That(await _reader.ScalarAsync("SELECT v FROM t"), Is.EqualTo(first));
        await _reader.QueryAsync("COMMIT");
        await _reader.QueryAsync("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY");
        Assert.That(await NodeOfAsync(_reader, "SELECT v FROM other"), Is.EqualTo(_primary), "any table may follow");
        await _reader.QueryAsync("COMMIT");
    }

    [Test]
    public async Task A_read_may_wait_for_a_standby()
    {
        await using var router = await RouterProcessFixture.StartAsync(_cluster, new Dictionary<string, string>
        {
            ["backend_weight0"] = "0",
            ["enable_pool_hba"] = "off",
            ["pgrouter.consistency_wait"] = "30s",
            ["log_min_messages"] = "debug1",
        });
        await using var client = await RawClient.LoginAsync(router.Endpoint, database: Database);
        await router.WaitForLogAsync($"The catalog of database {Database} is read");
        await Eventually.TrueAsync(async () => await NodeOfAsync(client, "SELECT v FROM t") != _primary, "a read on a standby");
        await PauseAsync(1, 2);
        await client.QueryAsync("UPDATE t SET v = v + 1");
        var read = NodeOfAsync(client, "SELECT v FROM t");
        await _cluster.ResumeReplayAsync(1);
        Assert.That(await read, Is.Not.EqualTo(_primary));
    }

    private Task<RawClient> LoginAsync() => RawClient.LoginAsync(_router.Endpoint, database: Database);

    private async Task PauseAsync(params int[] nodes)
    {
        await _cluster.WaitForReplayAsync();
        foreach (var node in nodes)
            await _cluster.PauseReplayAsync(node);
    }

    private Task OnStandbyAsync(string read) =>
        Eventually.TrueAsync(async () => await NodeOfAsync(_reader, read) != _primary, $"{read} on a standby");

    /// <summary>Where a read runs: the same read with the port beside it.</summary>
    private static async Task<string?> NodeOfAsync(RawClient client, string read)
    {
        var select = read.IndexOf("SELECT ", StringComparison.Ordinal) + "SELECT ".Length;
        return await client.ScalarAsync($"{read[..select]}inet_server_port(), {read[select..]}");
    }

    private Task<string?> DirectAsync(string read) => _cluster.ScalarAsync<string>(0, $"SELECT ({read})::text", Database);
}
