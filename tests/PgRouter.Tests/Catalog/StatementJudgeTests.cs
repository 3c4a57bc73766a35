using NUnit.Framework;
using PgRouter.Core.Catalog;
using PgRouter.Sql;

namespace PgRouter.Tests.Catalog;

/// <summary>What the names in a text mean, and which tables it reads and writes by all that they lead to.</summary>
[TestFixture]
public sealed class StatementJudgeTests
{
    private static readonly SearchPath Public = new(["public"]);

    /// <summary>Oids by name, so that the expectations can be read.</summary>
    private static readonly Dictionary<string, uint> Oids = new()
    {
        ["t"] = 1,
        ["u"] = 2,
        ["log"] = 3,
        ["parent"] = 4,
        ["part"] = 5,
        ["child"] = 6,
        ["grandchild"] = 7,
        ["v"] = 8,
        ["mv"] = 9,
        ["foreign_table"] = 10,
        ["secret"] = 11,
        ["unlogged"] = 12,
        ["a.t"] = 13,
        ["b.t"] = 14,
        ["referencing"] = 15,
        ["vol"] = 16,
        ["loose"] = 17,
    };

    private StatementParser _parser = null!;
    private DatabaseCatalog _catalog = null!;

    [OneTimeSetUp]
    public void Build()
    {
        _parser = new StatementParser();
        _catalog = CatalogBuilder.Build(Rows(), 1, new BodyMemory());
    }

    [OneTimeTearDown]
    public void Stop() => _parser.Dispose();

    private static CatalogRows Rows() => new()
    {
        Relations =
        [
            Table("t"), Table("u"), Table("log"), Table("parent", 'p'), Table("part"), Table("child"), Table("grandchild"), Table("v", 'v'), Table("mv", 'm'),
            Table("foreign_table", 'f'), Table("secret"), Table("unlogged") with { Persistence = 'u' }, Table("a.t"), Table("b.t") with { Persistence = 'u' },
            Table("referencing"), Table("vol", 'v'), Table("loose"),
        ],
        Routines =
        [
            Routine(101, "logs", "BEGIN INSERT INTO log VALUES (1); RETURN NEW; END", "plpgsql"),
            Routine(102, "reads", "SELECT count(*) FROM u") with { Volatility = 's' },
            Routine(103, "writes", "UPDATE u SET x = 1"),
            Routine(104, "anything", "BEGIN EXECUTE x; END", "plpgsql"),
            Routine(105, "somewhere", "BEGIN EXECUTE format('DELETE FROM %I', x); END", "plpgsql"),
            Routine(106, "makes", "BEGIN CREATE TABLE y (); END", "plpgsql"),
            Routine(107, "makes_temporary", "BEGIN CREATE TEMP TABLE y () ON COMMIT DROP; END", "plpgsql"),
            Routine(108, "tenant", "SELECT t.x FROM t") with { Volatility = 's' },
            Routine(109, "elsewhere", "SELECT t.x FROM t") with { Volatility = 's', Settings = "{search_path=b}" },
            Routine(110, "moves", "SELECT set_config('search_path', 'b', true)"),
            Routine(111, "f", "SELECT 1") with { Schema = "a", Volatility = 'i' },
            Routine(112, "f", "SELECT 1") with { Schema = "b" },
            Routine(113, "p", "BEGIN UPDATE t SET x = 1; COMMIT; END", "plpgsql") with { Kind = 'p' },
            Routine(114, "calls_volatile", "SELECT harmless()") with { Volatility = 's' },
            Routine(115, "harmless", "SELECT 1"),
        ],
        Triggers = [new TriggerRow(Oids["t"], new FunctionRef(Oid(101), "logs"))],
        Edges = [new RelationEdge(Oids["parent"], Oids["part"]), new RelationEdge(Oids["part"], Oids["child"]), new RelationEdge(Oids["child"], Oids["grandchild"])],
        References = [new RelationEdge(Oids["u"], Oids["referencing"]), new RelationEdge(Oids["referencing"], Oids["loose"])],
        Dependencies =
        [
            new RelationDependency(Oids["v"], RelationTextKind.View, IsFunction: false, Oids["t"]),
            new RelationDependency(Oids["v"], RelationTextKind.View, IsFunction: true, Oid(102)),
            new RelationDependency(Oids["t"], RelationTextKind.Policy, IsFunction: false, Oids["secret"]),
            new RelationDependency(Oids["loose"], RelationTextKind.Rule, IsFunction: false, Oids["log"]),
            new RelationDependency(Oids["vol"], RelationTextKind.View, IsFunction: true, Oid(115)),
        ],
    };

    [TestCase("SELECT 1", "", "")]
    [TestCase("SELECT * FROM u", "u", "")]
    [TestCase("SELECT * FROM t", "t secret", "")] // Its policy reads another.
    [TestCase("SELECT * FROM v", "v t secret u", "")]
    [TestCase("WITH u AS (SELECT 1) SELECT * FROM u", "", "")]
    [TestCase("SELECT reads()", "u", "")]
    [TestCase("SELECT * FROM mv", "mv", "")]
    [TestCase("SELECT * FROM parent", "parent part child grandchild", "")]
    [TestCase("INSERT INTO u SELECT * FROM mv", "u mv", "u")]
    [TestCase("INSERT INTO t VALUES (1)", "t secret log", "t log")]
    [TestCase("UPDATE v SET x = 1", "v t secret u log", "v t log")]
    [TestCase("DELETE FROM part", "part child grandchild", "part child grandchild")]
    [TestCase("INSERT INTO loose VALUES (1)", "loose log", "loose log")]
    [TestCase("WITH d AS (DELETE FROM u RETURNING *) SELECT * FROM d, mv", "u mv", "u")]
    [TestCase("MERGE INTO u USING mv ON true WHEN MATCHED THEN DELETE", "u mv", "u")]
    [TestCase("COPY u FROM STDIN", "u", "u")]
    [TestCase("COPY u TO STDOUT", "u", "")]
    [TestCase("SELECT * FROM u FOR UPDATE", "u", "")]
    [TestCase("SELECT writes()", "u", "u")]
    [TestCase("CALL p()", "t secret log", "t log")]
    [TestCase("DO $$ BEGIN UPDATE u SET x = 1; END $$", "u", "u")]
    [TestCase("DO $$ BEGIN PERFORM x FROM u; END $$", "u", "")]
    [TestCase("DO $$ BEGIN EXECUTE x; END $$", "all", "all")]
    [TestCase("TRUNCATE u", "u referencing loose log", "u referencing loose log")]
    [TestCase("SELECT anything()", "all", "all")]
    [TestCase("SELECT somewhere()", "all", "all")]
    [TestCase("INSERT INTO foreign_table VALUES (1)", "foreign_table", "all")]
    [TestCase("CREATE TABLE x (a int)", "all", "all")]
    [TestCase("CREATE TABLE x AS SELECT 1", "all", "all")]
    [TestCase("REFRESH MATERIALIZED VIEW mv", "all", "all")]
    [TestCase("GRANT SELECT ON u TO PUBLIC", "all", "all")]
    [TestCase("CREATE TEMP TABLE x (a int)", "", "")]
    [TestCase("CREATE TEMP TABLE x AS SELECT * FROM u", "u", "")]
    [TestCase("SELECT * INTO TEMP x FROM u", "u", "")]
    [TestCase("SELECT * INTO x FROM u", "all", "all")]
    [TestCase("SELECT makes()", "", "all")]
    [TestCase("SELECT makes_temporary()", "", "")]
    [TestCase("SELECT query_to_xml('DELETE FROM u', true, true, '')", "all", "all")]
    [TestCase("SELECT nextval('s'), pg_notify('a', 'b'), lo_create(0)", "", "")]
    [TestCase("EXECUTE x", "all", "all")]
    [TestCase("VACUUM u", "all", "all")]
    [TestCase("COMMIT PREPARED 'x'", "", "all")]
    [TestCase("COMMIT", "", "")]
    [TestCase("LOCK TABLE u", "u", "u")]
    [TestCase("NOTIFY a", "", "")]
    [TestCase("SET a.b = 1", "", "")]
    [TestCase("SELEKT", "all", "all")]
    [TestCase("INSERT INTO u VALUES (1); DELETE FROM mv", "u mv", "u mv")]
    [TestCase("INSERT INTO nobody_knows VALUES (1)", "all", "all")]
    [TestCase("SELECT * FROM nobody_knows", "all", "")]
    [TestCase("SELECT nobody_knows()", "all", "all")]
    [TestCase("SELECT * FROM pg_class", "all", "")]
    [TestCase("SELECT * FROM information_schema.tables", "all", "")]
    public void A_text_reads_and_writes(string sql, string reads, string writes)
    {
        var answer = _catalog.Judge(_parser.Analyze(sql), Public);
        Assert.That((Names(answer.Reads), Names(answer.Writes)), Is.EqualTo((Sorted(reads), Sorted(writes))));
    }

    [TestCase("SELECT * FROM t", "a", "a.t")]
    [TestCase("SELECT * FROM t", "b", "b.t")]
    [TestCase("SELECT * FROM t", "a b", "a.t b.t")] // Which of them the role may use is not known.
    [TestCase("SELECT * FROM a.t", "b", "a.t")]
    [TestCase("SELECT public.tenant()", "a", "a.t")]
    [TestCase("SELECT public.tenant()", "b", "b.t")]
    [TestCase("SELECT public.elsewhere()", "a", "a.t b.t t secret")] // It sets a path of its own.
    [TestCase("SET search_path = b; SELECT * FROM t", "a", "a.t b.t t secret")]
    public void Names_mean_what_the_search_path_says(string sql, string path, string reads) =>
        Assert.That(Names(_catalog.Judge(_parser.Analyze(sql), new SearchPath([.. path.Split(' ')])).Reads), Is.EqualTo(Sorted(reads)));

    [TestCase("SELECT f()", "a", StatementClass.Read)]
    [TestCase("SELECT f()", "b", StatementClass.NeedsCatalog)]
    [TestCase("SELECT f()", "b a", StatementClass.NeedsCatalog)]
    [TestCase("SELECT f()", "public", StatementClass.NeedsCatalog)] // Nobody knows what it could be.
    [TestCase("SELECT a.f()", "b", StatementClass.Read)]
    [TestCase("SELECT a.f(1)", "b", StatementClass.NeedsCatalog)]
    [TestCase("SELECT * FROM t", "a", StatementClass.Read)]
    [TestCase("SELECT * FROM t", "b", StatementClass.PrimaryRead)]
    [TestCase("SELECT public.tenant()", "a", StatementClass.Read)]
    [TestCase("SELECT public.tenant()", "b", StatementClass.NeedsCatalog)]
    [TestCase("SELECT * FROM public.vol", "a", StatementClass.PrimaryRead)]
    [TestCase("SELECT public.calls_volatile()", "a", StatementClass.Read)] // It is declared stable, and what it calls does nothing.
    public void Two_tenants_never_share_an_answer(string sql, string path, StatementClass expected) =>
        Assert.That(_catalog.Judge(_parser.Analyze(sql), new SearchPath([.. path.Split(' ')])).Class, Is.EqualTo(expected));

    [TestCase("SELECT public.moves()", true)]
    [TestCase("SELECT anything()", true)]
    [TestCase("SELECT reads()", false)]
    [TestCase("SELECT elsewhere()", false)] // Its path ends with it.
    [TestCase("DO $$ BEGIN SET LOCAL search_path = b; END $$", true)]
    public void Code_may_change_what_names_mean_behind_it(string sql, bool changes) =>
        Assert.That(_catalog.Judge(_parser.Analyze(sql), Public).ChangesNames, Is.EqualTo(changes));

    /// <summary>Names that the catalog does not have may be temporary objects, of a session that has some.</summary>
    [TestCase("INSERT INTO tmp VALUES (1)", "", false)]
    [TestCase("CREATE INDEX ON tmp (a)", "", false)]
    [TestCase("DROP TABLE tmp", "", false)]
    [TestCase("DROP TABLE IF EXISTS tmp, other", "", false)]
    [TestCase("ALTER TABLE tmp ADD b int", "", false)]
    [TestCase("DROP TABLE tmp, u", "all", true)]
    [TestCase("DROP TABLE public.tmp", "all", true)]
    [TestCase("DROP FUNCTION tmp()", "all", true)]
    [TestCase("CREATE TABLE tmp (a int)", "", false)]
    public void A_session_with_temporary_objects(string sql, string writes, bool changesSchema)
    {
        var answer = _catalog.Judge(_parser.Analyze(sql), Public, hasTemporary: true);
        Assert.That((Names(answer.Writes), answer.ChangesSchema), Is.EqualTo((writes, changesSchema)));
    }

    [TestCase("SELECT 1", false, "", "")]
    [TestCase("SELECT 1 + 1", false, "all", "all")] // An operator may be anybody's.
    [TestCase("SELECT * FROM t", true, "all", "all")]
    [TestCase("SELECT f()", true, "all", "all")]
    [TestCase("INSERT INTO t VALUES (1)", true, "all", "all")]
    [TestCase("BEGIN", false, "all", "")]
    public void Of_a_database_that_is_not_known(string sql, bool isUncertain, string reads, string writes)
    {
        var info = _parser.Analyze(sql);
        var answer = DatabaseCatalog.Unknown(1).Judge(info, Public);
        Assert.That((answer.Class, answer.IsUncertain, answer.HasUnknownNames), Is.EqualTo((info.Class, isUncertain, false)));
        Assert.That((Names(answer.Reads), Names(answer.Writes)), Is.EqualTo((reads, writes)));
    }

    [TestCase("SELECT * FROM nobody_knows", true)]
    [TestCase("SELECT nobody_knows()", true)]
    [TestCase("SELECT * FROM u", false)]
    [TestCase("SELECT * FROM pg_class", false)]
    public void A_name_that_is_not_there_is_uncertain_and_looked_up(string sql, bool expected)
    {
        var answer = _catalog.Judge(_parser.Analyze(sql), Public);
        Assert.That((answer.IsUncertain, answer.HasUnknownNames), Is.EqualTo((expected, expected)));
    }

    private static uint Oid(uint number) => RoutineRow.FirstUserOid + number;

    private static string Names(TableSet tables) =>
        tables.IsAll ? "all" : string.Join(' ', tables.Oids.ToArray().Select(oid => Oids.Single(entry => entry.Value == oid).Key).Order(StringComparer.Ordinal));

    private static string Sorted(string names) => string.Join(' ', names.Split(' ', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));

    private static RelationRow Table(string name, char kind = 'r')
    {
        var parts = name.Split('.');
        return new RelationRow(Oids[name], parts.Length > 1 ? parts[0] : "public", parts[^1], kind, 'p');
    }

    private static RoutineRow Routine(uint number, string name, string body, string language = "sql") =>
        new(Oid(number), "public", name, "", 0, 0, false, language, 'f', 'v', false, null, false, null, body);
}
