using System.Text;
using NUnit.Framework;
using PgRouter.Sql;

namespace PgRouter.Tests.Sql;

[TestFixture]
public sealed class StatementShapesTests
{
    private StatementParser _parser = null!;

    [OneTimeSetUp]
    public void StartParser() => _parser = new StatementParser();

    [OneTimeTearDown]
    public void StopParser() => _parser.Dispose();

    [TestCase("SELECT a FROM t WHERE b = 1", "select  A\nfrom T where B=42;")]
    [TestCase("SELECT 'a'", "SELECT /* c */ 'b''c' -- d")]
    [TestCase("SELECT 'a'", "SELECT E'b\\'c'")]
    [TestCase("SELECT 'a'", "SELECT $x$ b ' $$ $x$")]
    [TestCase("SELECT 'a'", "SELECT 'a'\n  'b'")]
    [TestCase("SELECT 1.5", "SELECT 2e10")]
    [TestCase("SELECT X'1F'", "SELECT b'01'")]
    [TestCase("SELECT 1 WHERE a IN (1)", "SELECT 1 WHERE a IN (2, -3, 4)")]
    [TestCase("INSERT INTO t VALUES (1, 'a')", "INSERT INTO t VALUES (1, 'a'), (2, 'b'), (-3, 'c')")]
    [TestCase("INSERT INTO t VALUES (1, NULL)", "INSERT INTO t VALUES (1, null), (2, NULL)")]
    [TestCase("/* a */ SELECT 1", "SELECT 1 /* b */")]
    [TestCase("SELECT a <+-+b", "SELECT a < + - + b")]
    [TestCase("SELECT ++--\n1", "SELECT + + 2")]
    public void Texts_that_differ_in_constants_and_spelling_share_a_shape(string known, string other) =>
        Assert.That(Shape(other), Is.EqualTo(Shape(known)));

    [TestCase("Select a FROM t\nWHERE b = 'secret' AND c in (1, 2, 3) -- x", "select a from t where b=? and c in(?)")]
    [TestCase("/* pgrouter: primary */ SELECT 1.5, X'1F', $1", "/* pgrouter: primary */ select ?,?,$1")]
    [TestCase("SET work_mem = '64kB'", "set work_mem=?")]
    [TestCase("SELECT set_config('app.user', 'secret', false)", "select set_config(?,?,false)")]
    [TestCase("SELECT 'secret' \u0001", "(a text with odd characters)")]
    public void A_shape_for_people_shows_no_constant(string text, string expected)
    {
        var shapes = new StatementShapes();
        var info = _parser.Analyze(text);
        shapes.Learn(Encoding.UTF8.GetBytes(text), true, info);
        shapes.Learn("SELECT other"u8, true, _parser.Analyze("SELECT other"));
        Assert.That(shapes.TextsOf(new HashSet<StatementInfo> { info }).Single(), Is.EqualTo(KeyValuePair.Create(info, expected)));
    }

    [TestCase("SELECT 1", "SELECT 'a'")]
    [TestCase("SELECT 1", "SELECT 1.5")]
    [TestCase("SELECT 1", "SELECT 99999999999")]
    [TestCase("SELECT 1", "SELECT $1")]
    [TestCase("SELECT $1", "SELECT $2")]
    [TestCase("SELECT a", "SELECT \"a\"")]
    [TestCase("SELECT \"a\"", "SELECT \"A\"")]
    [TestCase("SELECT f(1)", "SELECT f(1, 2)")]
    [TestCase("SELECT 'a' 'b'", "SELECT 'a'\n'b'")]
    [TestCase("SELECT b '1'", "SELECT b'1'")]
    [TestCase("SELECT n '1'", "SELECT n'1'")]
    [TestCase("SELECT a @- 1", "SELECT a @ - 1")]
    [TestCase("SELECT a <-+ 1", "SELECT a <-@+ 1")]
    [TestCase("SELECT 1 . 5", "SELECT 1.5")]
    [TestCase("SELECT 123abc", "SELECT 123 abc")]
    [TestCase("SELECT a : : b", "SELECT a :: b")]
    [TestCase("/* pgrouter: primary */ SELECT 1", "SELECT 1")]
    [TestCase("/* pgrouter: primary */ SELECT 1", "/* pgrouter: standby */ SELECT 1")]
    [TestCase("/*NO LOAD BALANCE*/ SELECT 1", "SELECT 1")]
    [TestCase("SELECT float(9) 'x'", "SELECT float(99) 'x'")]
    [TestCase("SELECT 'a' -- ' \n , b", "SELECT 'a' , b , c")]
    [TestCase("SELECT ab", "SELECT a b")]
    [TestCase("SELECT é", "SELECT É")]
    [TestCase("SELECT s.in(1)", "SELECT s.in(1, 2)")]
    [TestCase("ALTER INDEX i ALTER COLUMN 1 SET STATISTICS 1", "ALTER INDEX i ALTER COLUMN 99999 SET STATISTICS 1")]
    [TestCase("ALTER INDEX i ALTER 1 SET STATISTICS 1", "ALTER INDEX i ALTER 99999 SET STATISTICS 1")]
    [TestCase("SELECT s.values(1)", "SELECT s.values(1, 2)")]
    [TestCase("SELECT 'a'", "SELECT 'a' -- c\n 'b'")]
    [TestCase("SELECT E'\\101'", "SELECT E'\\102'")]
    public void Texts_the_grammar_may_read_differently_have_shapes_of_their_own(string known, string other) =>
        Assert.That(Shape(other), Is.Not.EqualTo(Shape(known)));

    [Test]
    public void With_standard_conforming_strings_off_a_backslash_escapes()
    {
        var sql = Encoding.UTF8.GetBytes(@"SELECT 'a\'; DELETE FROM t; --'");
        Assert.That(_parser.Analyze(sql, true).Class, Is.EqualTo(StatementClass.Write));
        Assert.That(_parser.Analyze(sql, false).Class, Is.EqualTo(StatementClass.Read));
        var shapes = new StatementShapes();
        shapes.Learn(sql, false, _parser.Analyze(sql, false));
        Assert.That(shapes.Find(sql, true), Is.Null);
        Assert.That(shapes.Find(sql, false)!.Class, Is.EqualTo(StatementClass.Read));
    }

    [Test]
    public void Texts_whose_literals_matter_are_kept_as_they_stand()
    {
        var shapes = new StatementShapes();
        Learn(shapes, "SET x.y = 1");
        Assert.That(Find(shapes, "SET x.y = 1")!.Statements[0].Value, Is.EqualTo("1"));
        Assert.That(Find(shapes, "SET x.y = 2"), Is.Null);
        Learn(shapes, "SET x.y = 2");
        Assert.That(Find(shapes, "SET x.y = 2")!.Statements[0].Value, Is.EqualTo("2"));
        Assert.That(Find(shapes, "SET x.y = 1")!.Statements[0].Value, Is.EqualTo("1"));
    }

    [Test]
    public void Find_allocates_nothing()
    {
        var shapes = new StatementShapes();
        var sql = "SELECT abalance FROM pgbench_accounts WHERE aid = 12345;"u8.ToArray();
        shapes.Learn(sql, true, _parser.Analyze(sql, true));
        shapes.Find(sql, true);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
            shapes.Find(sql, true);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    [Test]
    public void The_cache_stays_within_its_bytes_and_keeps_what_is_used()
    {
        var shapes = new StatementShapes(maxBytes: 50_000);
        Learn(shapes, "SELECT kept");
        for (var i = 0; i < 2000; i++)
        {
            Learn(shapes, $"SELECT c{i}");
            Assert.That(Find(shapes, "SELECT kept"), Is.Not.Null);
        }

        Assert.That(shapes.Bytes, Is.LessThanOrEqualTo(50_000));
        Assert.That(Find(shapes, "SELECT c0"), Is.Null);
        Assert.That(Find(shapes, "SELECT c1999"), Is.Not.Null);
    }

    /// <summary>What it says of its memory is what the entries take, within a half.</summary>
    [Test]
    public void A_hundred_thousand_shapes_take_no_more_memory_than_allowed()
    {
        const int Limit = 4 * 1024 * 1024;
        var shapes = new StatementShapes(Limit);
        var info = _parser.Analyze("SELECT a, sum(b) FROM t JOIN u USING (c) WHERE d = 1 GROUP BY a");
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < 100_000; i++)
        {
            var statement = info.Statements[0] with { Tables = [.. info.Statements[0].Tables] };
            shapes.Learn(Encoding.UTF8.GetBytes($"SELECT a, sum(b) FROM t JOIN u USING (c) WHERE d{i} = 1 GROUP BY a"), true, new StatementInfo(info.Class, info.Cause, [statement]));
        }

        Assert.That(shapes.Bytes, Is.InRange(Limit / 2, Limit));
        Assert.That(GC.GetTotalMemory(forceFullCollection: true) - before, Is.LessThan(1.5 * Limit));
        GC.KeepAlive(shapes);
    }

    [Test]
    public void A_full_cache_takes_texts_whose_literals_matter_too()
    {
        var shapes = new StatementShapes(maxBytes: 20_000);
        for (var i = 0; i < 500; i++)
        {
            Learn(shapes, $"SELECT c{i}");
            Learn(shapes, $"SET x.y{i} = 1");
            Assert.That(Find(shapes, $"SET x.y{i} = 1"), Is.Not.Null);
        }
    }

    [Test]
    public void Too_long_texts_and_verdicts_for_the_moment_are_not_kept()
    {
        var shapes = new StatementShapes();
        Learn(shapes, "SELECT '" + new string('x', StatementShapes.MaxTextBytes) + "'");
        shapes.Learn("SELECT 1"u8, true, new StatementInfo(StatementClass.Unknown, "x", []) { IsLasting = false });
        Assert.That(shapes.Count, Is.Zero);
    }

    private static string Shape(string sql)
    {
        var folder = new ShapeFolder(StatementShapes.MaxTextBytes);
        folder.Fold(Encoding.UTF8.GetBytes(sql), standardConformingStrings: true);
        return Encoding.Latin1.GetString(folder.Shape);
    }

    private void Learn(StatementShapes shapes, string sql) => shapes.Learn(Encoding.UTF8.GetBytes(sql), true, _parser.Analyze(sql));

    private static StatementInfo? Find(StatementShapes shapes, string sql) => shapes.Find(Encoding.UTF8.GetBytes(sql), true);
}
