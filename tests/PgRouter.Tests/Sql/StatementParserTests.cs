using System.Diagnostics;
using System.Text;
using NUnit.Framework;
using PgRouter.Sql;

namespace PgRouter.Tests.Sql;

[TestFixture]
public sealed class StatementParserTests
{
    private StatementParser _parser = null!;

    [OneTimeSetUp]
    public void StartParser() => _parser = new StatementParser();

    [OneTimeTearDown]
    public void StopParser() => _parser.Dispose();

    [TestCase("100,000 terms", StatementClass.Unknown)]
    [TestCase("19,000 terms", StatementClass.Read)]
    [TestCase("13,000 unions", StatementClass.Read)]
    [TestCase("39,000 postfix operators", StatementClass.Read)]
    [TestCase("13,000 joins", StatementClass.Read)]
    [TestCase("50,000 items", StatementClass.Read)]
    [TestCase("2,000 subqueries", StatementClass.Read)]
    [TestCase("10,000 brackets", StatementClass.Unknown)]
    [TestCase("1,000,000 brackets", StatementClass.Unknown)]
    [TestCase("open brackets", StatementClass.Unknown)]
    [TestCase("5 MB", StatementClass.Unknown)]
    [TestCase("100,000 open comments", StatementClass.Unknown)]
    [TestCase("100,000 comments", StatementClass.Unknown)]
    [TestCase("20,000 comments in a comment", StatementClass.Unknown)]
    [TestCase("15,000 signs", StatementClass.Unknown)]
    [TestCase("60,000 signs", StatementClass.Unknown)]
    [TestCase("100,000 signs behind an operator", StatementClass.Unknown)]
    [TestCase("100,000 dollars", StatementClass.Unknown)]
    [TestCase("banners", StatementClass.Read)]
    public void No_text_is_too_much(string name, StatementClass expected)
    {
        var sql = HugeText(name);
        var clock = Stopwatch.StartNew();
        var info = _parser.Analyze(sql);
        Assert.That(info.Class, Is.EqualTo(expected), info.Cause);
        Assert.That(new StatementShapes().Find(Encoding.UTF8.GetBytes(sql), true), Is.Null);
        Assert.That(clock.Elapsed, Is.LessThan(TimeSpan.FromSeconds(10)));
    }

    [Test]
    public void Random_bytes_are_safe()
    {
        var random = new Random(1);
        var shapes = new StatementShapes();
        for (var i = 0; i < 3000; i++)
        {
            var sql = new byte[random.Next(1, 60)];
            random.NextBytes(sql);
            if (i % 2 == 0)
                "SELECT '"u8[..Math.Min(8, sql.Length)].CopyTo(sql);
            var info = _parser.Analyze(sql, i % 3 == 0);
            Assert.That(info, Is.Not.Null);
            shapes.Learn(sql, i % 3 == 0, info);
            Assert.That(shapes.Find(sql, i % 3 == 0), Is.Not.Null);
        }
    }

    [Test]
    public void Text_in_another_encoding_is_still_read()
    {
        byte[] sql = [.. "SELECT '"u8, 0xE9, .. "' FROM t"u8];
        Assert.That(_parser.Analyze(sql, true).Class, Is.EqualTo(StatementClass.Read));
    }

    [Test]
    public void A_zero_byte_makes_a_text_unknown() =>
        Assert.That(_parser.Analyze("SELECT 1\0; DELETE FROM t"u8, true).Class, Is.EqualTo(StatementClass.Unknown));

    [Test]
    public void Oversize_text_keeps_the_effects_and_verbs_its_words_tell()
    {
        var large = new string('x', 2_000_000);
        var info = _parser.Analyze($"BEGIN; LISTEN c; PREPARE p AS SELECT '{large}'; CREATE TEMP TABLE t (a int)");
        Assert.That(info.Cause, Is.EqualTo("larger than the parse limit"));
        Assert.That(
            info.Effects, Is.EqualTo(SessionEffects.Listens | SessionEffects.PreparesStatement | SessionEffects.CreatesTemporary));
        Assert.That(info.HasTransactionVerb, Is.True);
        Assert.That(info.Statements, Has.Count.EqualTo(4));
    }

    [Test]
    public void A_full_queue_answers_at_once_with_a_verdict_that_is_not_kept()
    {
        using var parser = new StatementParser(queueCapacity: 1);
        using var release = new ManualResetEventSlim();
        using var started = new ManualResetEventSlim();
        parser.Parse("SELECT 1"u8.ToArray(), true, _ =>
        {
            started.Set();
            release.Wait();
        });
        started.Wait();
        parser.Parse("SELECT 2"u8.ToArray(), true, _ => { });
        StatementInfo? info = null;
        parser.Parse("SELECT 3"u8.ToArray(), true, verdict => info = verdict);
        release.Set();
        Assert.That(info!.Class, Is.EqualTo(StatementClass.Unknown));
        Assert.That(info.IsLasting, Is.False);
    }

    [Test]
    public void Dispose_completes_what_was_queued()
    {
        var completed = 0;
        var parser = new StatementParser(threads: 2);
        for (var i = 0; i < 100; i++)
            parser.Parse("SELECT 1"u8.ToArray(), true, _ => Interlocked.Increment(ref completed));
        parser.Dispose();
        Assert.That(completed, Is.EqualTo(100));
        Assert.That(() => parser.Parse([], true, _ => { }), Throws.InstanceOf<ObjectDisposedException>());
    }

    [TestCase("/* pgrouter: primary */ SELECT 1", "primary")]
    [TestCase("/*pgrouter:standby*/SELECT 1", "standby")]
    [TestCase("-- x\n/* y */ /* PgRouter: Node=2 */ SELECT 1", "node=2")]
    [TestCase("/* pgrouter: max_lag=100ms, consistency=eventual */ SELECT 1", "lag=100 consistency=eventual")]
    [TestCase("/* pgrouter: max_lag=2s */ SELECT 1", "lag=2000")]
    [TestCase("/*NO LOAD BALANCE*/ SELECT 1", "primary")]
    [TestCase(" /* no  load balance */ SELECT 1", "primary")]
    [TestCase("/* pgrouter: auto */ SELECT 1", "auto")]
    [TestCase("/* pgrouter: standby, max_lag=100ms */ SELECT 1", "standby lag=100")]
    [TestCase("/* pgrouter: node=1, standby */ SELECT 1", "")]
    [TestCase("/* pgrouter: nonsense */ SELECT 1", "")]
    [TestCase("/* pgrouter: node=x */ SELECT 1", "")]
    [TestCase("/* pgrouter: primary, standby */ SELECT 1", "")]
    [TestCase("/* pgrouter: primary, nonsense */ SELECT 1", "")]
    [TestCase("/* pgrouter */ SELECT 1", "")]
    [TestCase("SELECT 1 /* pgrouter: primary */", "")]
    [TestCase("/* any comment */ SELECT 1", "")]
    public void Hints_in_front_of_the_text_are_read(string sql, string expected)
    {
        var hint = _parser.Analyze(sql).Hint;
        var shapes = new StatementShapes();
        shapes.Learn(Encoding.UTF8.GetBytes(sql), true, _parser.Analyze(sql));
        Assert.That(Describe(hint), Is.EqualTo(expected));
        Assert.That(Describe(shapes.Find(Encoding.UTF8.GetBytes(sql), true)!.Hint), Is.EqualTo(expected));
    }

    [Test]
    public void The_library_describes_itself() => Assert.That(LibPgQuery.Describe(), Does.Contain("grammar of PostgreSQL 1"));

    private static string Describe(RouteHint? hint)
    {
        if (hint is null)
            return "";
        string?[] parts =
        [
            hint.Primary ? "primary" : null,
            hint.Standby ? "standby" : null,
            hint.Node is { } node ? $"node={node}" : null,
            hint.Auto ? "auto" : null,
            hint.MaxLag is { } lag ? $"lag={lag.TotalMilliseconds}" : null,
            hint.Consistency is { } word ? $"consistency={word}" : null,
        ];
        return string.Join(' ', parts.Where(part => part is not null));
    }

    /// <summary>Made by name, so that no test report prints megabytes.</summary>
    private static string HugeText(string name) => name switch
    {
        "100,000 terms" => "SELECT " + Repeat("1+", 100_000) + "1",
        "19,000 terms" => "SELECT " + Repeat("1+", 19_000) + "1",
        "13,000 unions" => "SELECT 1" + Repeat(" UNION SELECT 1", 13_000),
        "39,000 postfix operators" => "SELECT 1" + Repeat(" ISNULL", 39_000),
        "13,000 joins" => "SELECT * FROM t" + Repeat(" CROSS JOIN t", 13_000),
        "50,000 items" => "SELECT 1 WHERE 1 IN (" + Repeat("1,", 50_000) + "1)",
        "2,000 subqueries" => "SELECT " + Repeat("(SELECT ", 2000) + "1" + Repeat(")", 2000),
        "10,000 brackets" => "SELECT " + Repeat("(", 10_000) + "1" + Repeat(")", 10_000),
        "1,000,000 brackets" => "SELECT " + Repeat("(", 1_000_000) + "1" + Repeat(")", 1_000_000),
        "open brackets" => "SELECT " + Repeat("(", 500_000),
        "5 MB" => "SELECT '" + new string('x', 5_000_000) + "'",
        "100,000 open comments" => Repeat("/*", 100_000),
        "100,000 comments" => Repeat("/**/", 100_000) + "SELECT 1",
        "20,000 comments in a comment" => "/*" + Repeat("/**/", 20_000) + "*/SELECT 1",
        "15,000 signs" => "SELECT " + Repeat("+", 15_000) + "1",
        "60,000 signs" => "SELECT " + Repeat("+-", 30_000) + "1",
        "100,000 signs behind an operator" => "SELECT 1 " + Repeat("<", 1000) + Repeat("+", 100_000) + "1",
        "banners" => Repeat("/***************************************/\n-- " + Repeat("-", 75) + "\n-- " + Repeat("=", 75) + "\n", 300)
            + "SELECT '+------------+------------+------------+'",
        "100,000 dollars" => Repeat("$a$ $b$", 100_000),
        _ => throw new ArgumentException(name),
    };

    private static string Repeat(string text, int count) => new StringBuilder(text.Length * count).Insert(0, text, count).ToString();
}
