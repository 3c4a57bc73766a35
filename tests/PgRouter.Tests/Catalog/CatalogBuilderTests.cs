using NUnit.Framework;
using PgRouter.Core.Catalog;
using PgRouter.Sql;
using static PgRouter.Sql.SessionTraits;

namespace PgRouter.Tests.Catalog;

[TestFixture]
public sealed class CatalogBuilderTests
{
    private StatementParser _parser = null!;

    [OneTimeSetUp]
    public void StartParser() => _parser = new StatementParser();

    [OneTimeTearDown]
    public void StopParser() => _parser.Dispose();

    [Test]
    public void A_database_without_code_brings_nothing_about()
    {
        var catalog = Build(new CatalogRows { Relations = [Table(1, "t")] });
        Assert.That(catalog.AnyTraits, Is.EqualTo(None));
        Assert.That(TraitsOf(catalog, "INSERT INTO t SELECT * FROM t"), Is.EqualTo(None));
        Assert.That(catalog.HasSequences, Is.False);
    }

    [Test]
    public void Traits_go_through_calls_and_recursion()
    {
        var catalog = Build(new CatalogRows
        {
            Routines =
            [
                Sql(1, "a", "SELECT public.b()"),
                Sql(2, "b", "SELECT c(1)"),
                Plpgsql(3, "c", "BEGIN PERFORM a(); PERFORM pg_advisory_lock(1); END"),
                Sql(4, "d", "SELECT 1"),
            ],
        });
        Assert.That(TraitsOf(catalog, "SELECT a()"), Is.EqualTo(LocksAdvisory));
        Assert.That(TraitsOf(catalog, "SELECT public.c(1)"), Is.EqualTo(LocksAdvisory));
        Assert.That(TraitsOf(catalog, "SELECT d()"), Is.EqualTo(None));
        Assert.That(catalog.AnyTraits, Is.EqualTo(LocksAdvisory));
        Assert.That(catalog.AmbientTraits, Is.EqualTo(None));
    }

    [Test]
    public void A_chain_of_a_thousand_calls_is_followed()
    {
        var routines = Enumerable.Range(1, 1000).Select(i => Sql((uint)i, $"f{i}", $"SELECT f{i + 1}()")).Append(Sql(1001, "f1001", "SELECT setseed(0)"));
        Assert.That(TraitsOf(Build(new CatalogRows { Routines = [.. routines] }), "SELECT f1()"), Is.EqualTo(ChangesSettings));
    }

    [Test]
    public void Overloads_and_schemas_are_united_unless_the_schema_is_written()
    {
        var catalog = Build(new CatalogRows
        {
            Routines = [Sql(1, "f", "SELECT 1") with { Schema = "s" }, Sql(2, "f", "SELECT lastval()"), Sql(3, "f", "SELECT setseed(0)")],
        });
        Assert.That(TraitsOf(catalog, "SELECT f()"), Is.EqualTo(ReadsSequences | ChangesSettings));
        Assert.That(TraitsOf(catalog, "SELECT s.f()"), Is.EqualTo(None));
    }

    [Test]
    public void A_function_that_is_not_there_may_do_anything() =>
        Assert.That(TraitsOf(Build(new CatalogRows()), "SELECT f()"), Is.EqualTo(Anything));

    [TestCase("c", 'v', null, Anything)]
    [TestCase("c", 's', null, None)]
    [TestCase("c", 'i', null, None)]
    [TestCase("c", 'v', "pgcrypto", None)]
    [TestCase("c", 'v', "dblink", Anything)]
    [TestCase("internal", 'v', null, Anything)]
    [TestCase("plpython3u", 'i', null, Anything)]
    public void Languages_that_are_not_read_are_trusted_by_volatility_or_extension(
        string language, char volatility, string? extension, SessionTraits expected)
    {
        var row = Sql(1, "f", "x") with { Language = language, Volatility = volatility, Extension = extension, Body = null };
        Assert.That(TraitsOf(Build(new CatalogRows { Routines = [row] }), "SELECT f()"), Is.EqualTo(expected));
    }

    [Test]
    public void An_aggregate_is_what_its_functions_are()
    {
        var catalog = Build(new CatalogRows
        {
            Routines = [Sql(20001, "agg", "") with { Kind = 'a', Language = "internal" }, Sql(20002, "step", "SELECT setseed(0)")],
            Aggregates = [new AggregateRow(RoutineRow.FirstUserOid + 20001, new FunctionRef(RoutineRow.FirstUserOid + 20002, "step"))],
        });
        Assert.That(TraitsOf(catalog, "SELECT agg(x) FROM t"), Is.EqualTo(ChangesSettings));
    }

    [Test]
    public void Functions_behind_operators_and_casts_are_part_of_every_answer()
    {
        var catalog = Build(new CatalogRows
        {
            Routines = [Sql(20001, "op", "SELECT setseed(0)")],
            Implicit = [new FunctionRef(RoutineRow.FirstUserOid + 20001, "op"), new FunctionRef(100, "pg_advisory_lock"), new FunctionRef(101, "int4eq")],
        });
        Assert.That(catalog.AmbientTraits, Is.EqualTo(ChangesSettings | LocksAdvisory));
        Assert.That(TraitsOf(catalog, "SELECT 1"), Is.EqualTo(ChangesSettings | LocksAdvisory));
    }

    [Test]
    public void A_function_that_hides_a_built_in_one_is_part_of_every_answer() =>
        Assert.That(
            TraitsOf(Build(new CatalogRows { Routines = [Sql(1, "lower", "SELECT setseed(0)")] }), "SELECT lower('A')"), Is.EqualTo(ChangesSettings));

    [TestCase("SELECT t.fullname FROM t", ChangesSettings)]
    [TestCase("SELECT (g()).fullname", ChangesSettings)]
    [TestCase("SELECT (t.a).fullname.x FROM t", ChangesSettings)]
    [TestCase("SELECT x FROM t ORDER BY t.fullname", ChangesSettings)]
    [TestCase("DO $$ BEGIN PERFORM t.fullname FROM t; END $$", ChangesSettings)]
    [TestCase("SELECT h()", ChangesSettings)]
    [TestCase("SELECT fullname FROM t", None)]
    [TestCase("SELECT t.name FROM t", None)]
    public void A_function_of_a_row_may_be_called_like_a_column(string sql, SessionTraits expected)
    {
        var catalog = Build(new CatalogRows
        {
            Routines =
            [
                Sql(1, "fullname", "SELECT setseed(0)") with { TakesRow = true }, Sql(2, "g", "SELECT 1"), Sql(3, "h", "SELECT x.fullname FROM x"),
            ],
        });
        Assert.That(TraitsOf(catalog, sql), Is.EqualTo(expected));
        Assert.That(catalog.AmbientTraits, Is.EqualTo(None));
        Assert.That(catalog.AnyTraits, Is.EqualTo(ChangesSettings));
    }

    [Test]
    public void Checks_of_domains_are_part_of_every_answer() =>
        Assert.That(
            Build(new CatalogRows { ImplicitTexts = ["CHECK (VALUE > f())"], Routines = [Sql(1, "f", "SELECT lastval()")] }).AmbientTraits,
            Is.EqualTo(ReadsSequences));

    [Test]
    public void Triggers_and_defaults_count_when_their_table_is_written()
    {
        var catalog = Build(new CatalogRows
        {
            Relations = [Table(1, "t"), Table(2, "u"), Table(3, "v")],
            Routines = [Plpgsql(20001, "fire", "BEGIN LISTEN a; RETURN NEW; END")],
            Triggers = [new TriggerRow(1, new FunctionRef(RoutineRow.FirstUserOid + 20001, "fire"))],
            Texts = [new RelationText(2, RelationTextKind.OnWrite, "nextval('s'::regclass)")],
        });
        Assert.That(TraitsOf(catalog, "SELECT * FROM t, u"), Is.EqualTo(None));
        Assert.That(TraitsOf(catalog, "DELETE FROM t"), Is.EqualTo(Listens | Writes));
        Assert.That(TraitsOf(catalog, "INSERT INTO public.u DEFAULT VALUES"), Is.EqualTo(AdvancesSequences | Writes));
        Assert.That(TraitsOf(catalog, "INSERT INTO v VALUES (1)"), Is.EqualTo(None));
        Assert.That(catalog.TraitsOfWrites, Is.EqualTo(Listens | AdvancesSequences | Writes));
    }

    [Test]
    public void Writes_reach_partitions_and_foreign_keys_that_cascade()
    {
        var catalog = Build(new CatalogRows
        {
            Relations = [Table(1, "parent"), Table(2, "part"), Table(3, "child")],
            Routines = [Sql(20001, "fire", "SELECT setseed(0)")],
            Triggers = [new TriggerRow(3, new FunctionRef(RoutineRow.FirstUserOid + 20001, "fire"))],
            Edges = [new RelationEdge(1, 2), new RelationEdge(2, 3)],
        });
        Assert.That(TraitsOf(catalog, "DELETE FROM parent"), Is.EqualTo(ChangesSettings));
        Assert.That(TraitsOf(catalog, "SELECT * FROM parent"), Is.EqualTo(None));
    }

    [Test]
    public void Views_bring_what_their_queries_bring_and_writes_go_through_them()
    {
        var catalog = Build(new CatalogRows
        {
            Relations = [Table(1, "t"), Table(2, "v") with { Kind = 'v' }, Table(3, "w") with { Kind = 'v' }],
            Routines = [Sql(20001, "f", "SELECT lastval()"), Sql(20002, "fire", "SELECT setseed(0)")],
            Triggers = [new TriggerRow(1, new FunctionRef(RoutineRow.FirstUserOid + 20002, "fire"))],
            Dependencies =
            [
                new RelationDependency(2, RelationTextKind.View, IsFunction: true, RoutineRow.FirstUserOid + 20001),
                new RelationDependency(2, RelationTextKind.View, IsFunction: false, 1),
                new RelationDependency(3, RelationTextKind.View, IsFunction: false, 2),
            ],
        });
        Assert.That(TraitsOf(catalog, "SELECT * FROM w"), Is.EqualTo(ReadsSequences));
        Assert.That(TraitsOf(catalog, "UPDATE w SET a = 1"), Is.EqualTo(ReadsSequences | ChangesSettings));
    }

    [Test]
    public void Rules_and_policies_count()
    {
        var catalog = Build(new CatalogRows
        {
            Relations = [Table(1, "t")],
            Texts =
            [
                new RelationText(1, RelationTextKind.Rule, "CREATE RULE r AS\n ON INSERT TO public.t DO ALSO  NOTIFY t;"),
                new RelationText(1, RelationTextKind.Policy, "(a = pg_backend_pid())"),
            ],
        });
        Assert.That(TraitsOf(catalog, "SELECT * FROM t"), Is.EqualTo(UsesPids));
        Assert.That(TraitsOf(catalog, "INSERT INTO t VALUES (1)"), Is.EqualTo(UsesPids | Notifies | Writes));
    }

    [Test]
    public void A_function_that_writes_a_table_fires_its_triggers()
    {
        var catalog = Build(new CatalogRows
        {
            Relations = [Table(1, "t")],
            Routines = [Plpgsql(20001, "fire", "BEGIN SET a.b = 1; END"), Plpgsql(20002, "f", "BEGIN INSERT INTO T VALUES (1); END")],
            Triggers = [new TriggerRow(1, new FunctionRef(RoutineRow.FirstUserOid + 20001, "fire"))],
        });
        Assert.That(TraitsOf(catalog, "SELECT f()"), Is.EqualTo(ChangesSettings | Writes));
    }

    [Test]
    public void A_table_whose_name_is_put_in_at_run_time_may_be_any()
    {
        var catalog = Build(new CatalogRows
        {
            Relations = [Table(1, "t")],
            Routines =
            [
                Plpgsql(20001, "fire", "BEGIN SET a.b = 1; END"),
                Plpgsql(20002, "f", "BEGIN EXECUTE format('DELETE FROM %I', x); END"),
            ],
            Triggers = [new TriggerRow(1, new FunctionRef(RoutineRow.FirstUserOid + 20001, "fire"))],
        });
        Assert.That(TraitsOf(catalog, "SELECT f()"), Is.EqualTo(ChangesSettings | Writes));
    }

    [Test]
    public void DDL_fires_event_triggers_also_from_inside_functions()
    {
        var catalog = Build(new CatalogRows
        {
            Routines = [Plpgsql(20001, "fire", "BEGIN PERFORM setseed(0); END"), Plpgsql(20002, "f", "BEGIN CREATE TABLE x (); END")],
            EventTriggers = [new FunctionRef(RoutineRow.FirstUserOid + 20001, "fire")],
        });
        Assert.That(TraitsOf(catalog, "CREATE TABLE y ()"), Is.EqualTo(ChangesSettings));
        Assert.That(TraitsOf(catalog, "SELECT f()"), Is.EqualTo(ChangesSettings | RunsDdl | ChangesSchema | Writes));
        Assert.That(TraitsOf(catalog, "INSERT INTO y DEFAULT VALUES"), Is.EqualTo(None));
    }

    [TestCase("DO $$ BEGIN PERFORM f(); END $$", LocksAdvisory)]
    [TestCase("DO $$ BEGIN INSERT INTO t VALUES (1); END $$", ChangesSettings | Writes)]
    [TestCase("DO $$ BEGIN PERFORM a FROM t; END $$", None)]
    [TestCase("DO LANGUAGE plperl 'x'", Anything)]
    [TestCase("CALL f()", LocksAdvisory)]
    [TestCase("CALL public.f()", LocksAdvisory)]
    [TestCase("CALL g()", Anything)]
    [TestCase("SELECT 1; SELECT f()", LocksAdvisory)]
    [TestCase("SELECT f()", LocksAdvisory)]
    [TestCase("INSERT INTO u SELECT f()", LocksAdvisory)]
    [TestCase("EXPLAIN ANALYZE SELECT f()", LocksAdvisory)]
    [TestCase("CREATE VIEW v AS SELECT f()", None)]
    [TestCase("CREATE TABLE x AS SELECT f()", LocksAdvisory)]
    [TestCase("PREPARE p AS SELECT f()", None)]
    [TestCase("COPY (SELECT f()) TO STDOUT", LocksAdvisory)]
    [TestCase("COPY t FROM STDIN", ChangesSettings)]
    [TestCase("TRUNCATE t", ChangesSettings)]
    [TestCase("", None)]
    public void Code_in_statements_counts_when_it_runs(string sql, SessionTraits expected)
    {
        var catalog = Build(new CatalogRows
        {
            Relations = [Table(1, "t"), Table(2, "u")],
            Routines = [Sql(20001, "f", "SELECT pg_advisory_lock(1)"), Sql(20002, "fire", "SELECT setseed(0)")],
            Triggers = [new TriggerRow(1, new FunctionRef(RoutineRow.FirstUserOid + 20002, "fire"))],
        });
        Assert.That(TraitsOf(catalog, sql), Is.EqualTo(expected));
    }

    [Test]
    public void Of_a_database_that_is_not_known_nothing_can_be_excluded()
    {
        var unknown = DatabaseCatalog.Unknown(7);
        Assert.That(unknown.Generation, Is.EqualTo(7));
        Assert.That(unknown.AnyTraits, Is.EqualTo(Anything));
        Assert.That(TraitsOf(unknown, "SELECT 1"), Is.EqualTo(Anything));
        Assert.That(unknown.HasSequences, Is.True);
    }

    [TestCase("SELECT f(1)", StatementClass.Read)]
    [TestCase("SELECT f()", StatementClass.NeedsCatalog)]
    [TestCase("SELECT s.f()", StatementClass.NeedsCatalog)]
    [TestCase("SELECT public.f()", StatementClass.NeedsCatalog)]
    [TestCase("SELECT f(1, 2)", StatementClass.Read)]
    [TestCase("SELECT f(1, 2, 3)", StatementClass.NeedsCatalog)]
    [TestCase("SELECT v(1, 2, 3)", StatementClass.Read)]
    [TestCase("SELECT lying()", StatementClass.NeedsCatalog)]
    [TestCase("SELECT python()", StatementClass.NeedsCatalog)]
    [TestCase("SELECT unknown()", StatementClass.NeedsCatalog)]
    [TestCase("SELECT f(1), lying()", StatementClass.NeedsCatalog)]
    [TestCase("SELECT 1; SELECT f(1)", StatementClass.Read)]
    [TestCase("INSERT INTO plain SELECT f(1)", StatementClass.Write)]
    [TestCase("SELECT * FROM plain", StatementClass.Read)]
    [TestCase("SELECT * FROM unlogged", StatementClass.PrimaryRead)]
    [TestCase("SELECT * FROM public.seq", StatementClass.PrimaryRead)]
    [TestCase("SELECT * FROM view", StatementClass.PrimaryRead)]
    [TestCase("SELECT * FROM plain WHERE a IN (SELECT a FROM view)", StatementClass.PrimaryRead)]
    [TestCase("SELECT reads_unlogged()", StatementClass.NeedsCatalog)]
    [TestCase("SET a.b = 1", StatementClass.State)]
    [TestCase("BEGIN", StatementClass.Transaction)]
    public void Stable_functions_run_anywhere_and_what_a_standby_cannot_read_does_not(string sql, StatementClass expected)
    {
        var catalog = Build(new CatalogRows
        {
            Routines =
            [
                Sql(20001, "f", "SELECT $1") with { Volatility = 's', ArgumentCount = 2, DefaultCount = 1 },
                Sql(20002, "f", "SELECT 1") with { Schema = "s" },
                Sql(20003, "lying", "SELECT nextval('seq')") with { Volatility = 'i' },
                Sql(20004, "python", "") with { Volatility = 'i', Language = "plpython3u" },
                Sql(20005, "v", "SELECT 1") with { Volatility = 'i', ArgumentCount = 2, IsVariadic = true },
                Sql(20006, "reads_unlogged", "SELECT count(*) FROM unlogged") with { Volatility = 's' },
                Sql(20007, "counting", "SELECT nextval('seq')"),
            ],
            Relations =
            [
                Table(1, "plain"), Table(2, "unlogged") with { Persistence = 'u' }, Table(3, "seq") with { Kind = 'S' },
                Table(4, "view") with { Kind = 'v' },
            ],
            Dependencies = [new RelationDependency(4, RelationTextKind.View, IsFunction: true, RoutineRow.FirstUserOid + 20007)],
        });
        Assert.That(catalog.Judge(_parser.Analyze(sql), SearchPath.Any).Class, Is.EqualTo(expected));
    }

    private static DatabaseCatalog Build(CatalogRows rows) => CatalogBuilder.Build(rows, 1, new BodyMemory());

    private SessionTraits TraitsOf(DatabaseCatalog catalog, string sql) => catalog.TraitsOf(_parser.Analyze(sql));

    private static RelationRow Table(uint oid, string name) => new(oid, "public", name, 'r', 'p');

    private static RoutineRow Sql(uint oid, string name, string body) =>
        new(RoutineRow.FirstUserOid + oid, "public", name, "", 0, 0, false, "sql", 'f', 'v', false, null, false, null, body);

    private static RoutineRow Plpgsql(uint oid, string name, string body) => Sql(oid, name, body) with { Language = "plpgsql" };
}
