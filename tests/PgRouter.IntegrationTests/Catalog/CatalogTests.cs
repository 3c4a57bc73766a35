using Npgsql;
using PgRouter.Core.Catalog;
using PgRouter.Sql;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Routers;
using static PgRouter.Sql.SessionTraits;

namespace PgRouter.IntegrationTests.Catalog;

/// <summary>The catalog of a real database, and what its functions really leave behind.</summary>
[TestFixture]
public sealed class CatalogTests
{
    private const string Database = "catalog_traits";

    private const string Objects = """
        CREATE EXTENSION pgcrypto; CREATE EXTENSION hstore; CREATE EXTENSION pg_trgm; CREATE EXTENSION citext; CREATE EXTENSION "uuid-ossp";
        CREATE EXTENSION dblink;
        CREATE SEQUENCE counter;
        CREATE FUNCTION harmless(a int) RETURNS int LANGUAGE sql AS 'SELECT a + 1';
        CREATE FUNCTION setting() RETURNS void LANGUAGE plpgsql AS $$ BEGIN SET work_mem = '7MB'; END $$;
        CREATE FUNCTION setting_with_clause() RETURNS void LANGUAGE plpgsql SET work_mem = '5MB' AS $$ BEGIN SET work_mem = '7MB'; END $$;
        CREATE FUNCTION setting_local() RETURNS void LANGUAGE plpgsql AS $$ BEGIN SET LOCAL work_mem = '7MB'; END $$;
        CREATE FUNCTION setting_local_by_name(n text) RETURNS text LANGUAGE sql AS $$ SELECT set_config(n, '7MB', true) $$;
        CREATE FUNCTION setting_by_name(n text) RETURNS text LANGUAGE sql AS $$ SELECT set_config(n, '7MB', false) $$;
        CREATE FUNCTION setting_through(n text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN public.setting_by_name(n); END $$;
        CREATE FUNCTION atomic_lock() RETURNS bool LANGUAGE sql RETURN pg_try_advisory_lock(4711);
        CREATE FUNCTION transaction_lock() RETURNS void LANGUAGE sql AS $$ SELECT pg_advisory_xact_lock(4712) $$;
        CREATE FUNCTION temporary_table() RETURNS void LANGUAGE plpgsql AS $$ BEGIN CREATE TEMP TABLE scratch (a int); END $$;
        CREATE FUNCTION temporary_for_now() RETURNS void LANGUAGE plpgsql AS $$ BEGIN CREATE TEMP TABLE brief (a int) ON COMMIT DROP; END $$;
        CREATE FUNCTION listening() RETURNS void LANGUAGE plpgsql AS $$ BEGIN LISTEN somewhere; END $$;
        CREATE FUNCTION preparing() RETURNS void LANGUAGE plpgsql AS $$ BEGIN PREPARE own AS SELECT 1; END $$;
        CREATE FUNCTION holding() RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'DECLARE held CURSOR WITH HOLD FOR SELECT 1'; END $$;
        CREATE FUNCTION built(what text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE what; END $$;
        CREATE FUNCTION counting() RETURNS bigint LANGUAGE sql AS $$ SELECT nextval('counter') $$;
        CREATE FUNCTION locked(s int, v int) RETURNS int LANGUAGE sql AS $$ SELECT pg_advisory_lock(v); SELECT v $$;
        CREATE AGGREGATE locking (int) (SFUNC = locked, STYPE = int);
        """;

    /// <summary>What a session has that it did not have when it began; names of <see cref="SessionTraits"/>.</summary>
    private const string LeftBehind = """
        SELECT ARRAY(SELECT 'ChangesSettings' FROM pg_settings WHERE source = 'session' AND name = 'work_mem'
            UNION ALL SELECT 'LocksAdvisory' FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()
            UNION ALL SELECT 'CreatesTemporary' FROM pg_class WHERE relnamespace = pg_my_temp_schema() AND relkind = 'r'
            UNION ALL SELECT 'Listens' FROM pg_listening_channels()
            UNION ALL SELECT 'Prepares' FROM pg_prepared_statements
            UNION ALL SELECT 'HoldsCursor' FROM pg_cursors WHERE is_holdable)
        """;

    private PgCluster _cluster = null!;
    private DatabaseCatalog _catalog = null!;
    private StatementParser _parser = null!;

    [OneTimeSetUp]
    public async Task LoadAsync()
    {
        _cluster = await CatalogBed.DatabaseAsync(Database, Objects);
        _catalog = await CatalogBed.CatalogAsync(_cluster, Database);
        _parser = new StatementParser();
    }

    [OneTimeTearDown]
    public void Stop() => _parser?.Dispose();

    [TestCase("SELECT harmless(1)", None)]
    [TestCase("SELECT setting()", ChangesSettings)]
    [TestCase("SELECT setting_with_clause()", ChangesSettings)]
    [TestCase("SELECT setting_local()", None)]
    [TestCase("SELECT setting_local_by_name('work_mem')", None)]
    [TestCase("SELECT setting_by_name('work_mem')", ChangesSettings)]
    [TestCase("SELECT setting_through('work_mem')", ChangesSettings)]
    [TestCase("SELECT atomic_lock()", LocksAdvisory)]
    [TestCase("SELECT transaction_lock()", None)]
    [TestCase("SELECT temporary_table()", CreatesTemporary)]
    [TestCase("SELECT temporary_for_now()", None)]
    [TestCase("SELECT listening()", Listens)]
    [TestCase("SELECT preparing()", Prepares)]
    [TestCase("SELECT holding()", HoldsCursor)]
    [TestCase("SELECT locking(1)", LocksAdvisory)]
    [TestCase("DO $$ BEGIN PERFORM setting(); PERFORM listening(); END $$", ChangesSettings | Listens)]
    [TestCase("SELECT gen_salt('md5'), digest('a', 'md5'), uuid_generate_v4(), 'a=>1'::hstore, 'A'::citext = 'a', similarity('a', 'b')", None)]
    public async Task A_function_leaves_behind_what_its_traits_say(string sql, SessionTraits expected)
    {
        await using var session = await CatalogBed.SessionAsync(_cluster, Database);
        await using (var command = new NpgsqlCommand(sql, session))
            await command.ExecuteNonQueryAsync();
        await using var question = new NpgsqlCommand(LeftBehind, session);
        var left = ((string[])(await question.ExecuteScalarAsync())!).Select(Enum.Parse<SessionTraits>).Aggregate(None, (a, b) => a | b);
        Assert.That(left, Is.EqualTo(expected), "what PostgreSQL says");
        Assert.That(_catalog.TraitsOf(_parser.Analyze(sql)) & LeavesState, Is.EqualTo(expected), "what the catalog says");
    }

    [TestCase("SELECT built('SELECT 1')")]
    [TestCase("SELECT dblink_connect('a', 'dbname=postgres')")]
    [TestCase("SELECT nobody_knows()")]
    public void What_cannot_be_read_may_do_anything(string sql) =>
        Assert.That(_catalog.TraitsOf(_parser.Analyze(sql)), Is.EqualTo(Anything));

    [Test]
    public void Statements_without_functions_bring_nothing_about_though_extensions_have_operators_and_types() =>
        Assert.That(_catalog.AmbientTraits, Is.EqualTo(None));

    [Test]
    public void Facts_of_a_function_are_those_of_pg_proc()
    {
        var row = _catalog.Routines.Single(routine => routine.Row.Name == "setting_with_clause").Row;
        Assert.That((row.Schema, row.Language, row.Kind, row.Volatility, row.Settings), Is.EqualTo(("public", "plpgsql", 'f', 'v', "{work_mem=5MB}")));
        Assert.That(_catalog.Routines.Where(routine => routine.Row.Extension == "hstore"), Is.Not.Empty);
        Assert.That(_catalog.HasSequences);
    }

    [Test]
    public async Task Triggers_rules_defaults_and_views_count_with_their_tables()
    {
        const string Name = "catalog_tables";
        var cluster = await CatalogBed.DatabaseAsync(Name, """
            CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('a.b', 'x', false); RETURN NEW; END $$;
            CREATE TABLE plain (a int);
            CREATE TABLE numbered (id serial, a int);
            CREATE TABLE identified (id int GENERATED ALWAYS AS IDENTITY, a int);
            CREATE TABLE fired (id int PRIMARY KEY);
            CREATE TABLE parted (a int) PARTITION BY LIST (a);
            CREATE TABLE part1 PARTITION OF parted FOR VALUES IN (1);
            CREATE TRIGGER t BEFORE INSERT ON fired FOR EACH ROW EXECUTE FUNCTION fire();
            CREATE TRIGGER t BEFORE INSERT ON parted FOR EACH ROW EXECUTE FUNCTION fire();
            CREATE TABLE child (id int REFERENCES fired ON DELETE CASCADE);
            CREATE FUNCTION last() RETURNS bigint LANGUAGE sql AS 'SELECT lastval()';
            CREATE VIEW looking AS SELECT last() AS n FROM plain;
            CREATE VIEW through AS SELECT id FROM fired;
            CREATE RULE also AS ON DELETE TO plain DO ALSO NOTIFY gone;
            """);
        var catalog = await CatalogBed.CatalogAsync(cluster, Name);
        Assert.Multiple(() =>
        {
            Assert.That(TraitsOf("INSERT INTO plain VALUES (1)"), Is.EqualTo(Notifies | Writes));
            Assert.That(TraitsOf("SELECT * FROM plain, numbered, fired"), Is.EqualTo(None));
            Assert.That(TraitsOf("INSERT INTO numbered (a) VALUES (1)"), Is.EqualTo(AdvancesSequences | Writes));
            Assert.That(TraitsOf("INSERT INTO public.identified (a) VALUES (1)"), Is.EqualTo(AdvancesSequences | Writes));
            Assert.That(TraitsOf("INSERT INTO fired VALUES (1)"), Is.EqualTo(ChangesSettings));
            Assert.That(TraitsOf("INSERT INTO through VALUES (1)"), Is.EqualTo(ChangesSettings));
            Assert.That(TraitsOf("INSERT INTO parted VALUES (1)"), Is.EqualTo(ChangesSettings));
            Assert.That(TraitsOf("INSERT INTO part1 VALUES (1)"), Is.EqualTo(ChangesSettings));
            Assert.That(TraitsOf("INSERT INTO child VALUES (1)"), Is.EqualTo(None));
            Assert.That(TraitsOf("SELECT * FROM looking"), Is.EqualTo(ReadsSequences));
            Assert.That(catalog.AmbientTraits, Is.EqualTo(None));
        });

        SessionTraits TraitsOf(string sql) => catalog.TraitsOf(_parser.Analyze(sql));
    }

    [Test]
    public async Task An_empty_database_is_known_to_have_nothing()
    {
        var cluster = await CatalogBed.DatabaseAsync("catalog_empty", "SELECT 1");
        var catalog = await CatalogBed.CatalogAsync(cluster, "catalog_empty");
        Assert.That((catalog.IsKnown, catalog.AnyTraits, catalog.HasSequences), Is.EqualTo((true, None, false)));
    }

    [Test]
    public async Task A_user_of_the_database_serves_when_the_check_user_is_not_let_in()
    {
        await _cluster.ExecuteAsync(0, "DROP ROLE IF EXISTS catalog_reader");
        await _cluster.ExecuteAsync(0, "CREATE ROLE catalog_reader LOGIN PASSWORD 'reader'");
        var loader = CatalogBed.Loader(_cluster, "nobody_here", "wrong", user => user == "catalog_reader" ? "reader" : null);
        var rows = await loader.LoadAsync(Database, ["stranger", "catalog_reader"], CancellationToken.None);
        Assert.That(rows.Routines.Select(row => row.Name), Does.Contain("setting_through"));
        Assert.That(
            async () => await loader.LoadAsync(Database, ["stranger"], CancellationToken.None), Throws.InstanceOf<CatalogException>());
        Assert.That(
            async () => await CatalogBed.Loader(_cluster).LoadAsync("no_such_database", [], CancellationToken.None),
            Throws.InstanceOf<CatalogException>().With.Message.Contains("no_such_database"));
    }

    [Test]
    public async Task A_view_that_is_locked_does_not_hold_the_load_for_long()
    {
        const string Name = "catalog_locked";
        var cluster = await CatalogBed.DatabaseAsync(Name, "CREATE TABLE t (a int); CREATE VIEW v AS SELECT a FROM t");
        await using var session = await CatalogBed.SessionAsync(cluster, Name);
        await using (var command = new NpgsqlCommand("BEGIN; LOCK TABLE v, t IN ACCESS EXCLUSIVE MODE", session))
            await command.ExecuteNonQueryAsync();
        Assert.That(
            async () => await CatalogBed.CatalogAsync(cluster, Name), Throws.InstanceOf<CatalogException>().With.Message.Contains("lock timeout"));
    }

    [Test]
    public async Task The_router_reads_a_database_when_a_client_comes_and_again_after_its_DDL()
    {
        const string Name = "catalog_routed";
        var cluster = await CatalogBed.DatabaseAsync(Name, "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'");
        await using var router = await RouterProcessFixture.StartAsync(
            cluster, new Dictionary<string, string> { ["log_min_messages"] = "debug1" });
        await using var client = new NpgsqlConnection(router.ConnectionString(Name) + ";Pooling=false");
        await client.OpenAsync();
        await router.WaitForLogAsync($"The catalog of database {Name} is read: 1 functions, which may bring about: None");
        await using (var command = new NpgsqlCommand(
            "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT pg_advisory_lock(1); SELECT 2'", client))
            await command.ExecuteNonQueryAsync();
        await router.WaitForLogAsync($"The catalog of database {Name} is read: 1 functions, which may bring about: LocksAdvisory");
        await using (var command = new NpgsqlCommand("BEGIN; CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT 1'; COMMIT", client))
            await command.ExecuteNonQueryAsync();
        await router.WaitForLogAsync($"The catalog of database {Name} is read: 2 functions");
    }
}
