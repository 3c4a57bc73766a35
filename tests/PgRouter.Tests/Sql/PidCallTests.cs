using System.Text;
using NUnit.Framework;
using PgRouter.Sql;

namespace PgRouter.Tests.Sql;

/// <summary>Calls of pg_backend_pid and its kind: where they stand, and where they stand in another text of the same shape.</summary>
[TestFixture]
public sealed class PidCallTests
{
    private StatementParser _parser = null!;

    [OneTimeSetUp]
    public void StartParser() => _parser = new StatementParser();

    [OneTimeTearDown]
    public void StopParser() => _parser.Dispose();

    [TestCase("SELECT pg_backend_pid()", "OutputColumn")]
    [TestCase("SELECT pg_backend_pid()::text", "OutputColumn")]
    [TestCase("SELECT (SELECT pg_backend_pid())", "OutputColumn")]
    [TestCase("SELECT pg_backend_pid() AS pid", "Expression")]
    [TestCase("SELECT \"pg_backend_pid\" ( ), PG_CATALOG . Pg_Backend_Pid /* x */ () AS b", "OutputColumn Expression")]
    [TestCase("SELECT DISTINCT pg_backend_pid() ORDER BY pg_backend_pid()", "OutputColumn OutputColumn")]
    [TestCase("SELECT 1 WHERE 1 < pg_backend_pid()", "Expression")]
    [TestCase("INSERT INTO t VALUES (pg_backend_pid()) RETURNING pg_backend_pid()", "Expression OutputColumn")]
    [TestCase("UPDATE t SET a = pg_backend_pid()", "Expression")]
    [TestCase("SELECT * FROM pg_backend_pid()", "FromItem")]
    [TestCase("SELECT * FROM pg_backend_pid() AS p(q)", "FromItemWithAlias")]
    [TestCase("SELECT (SELECT 1 FROM generate_series(1, pg_backend_pid()))", "Expression")]
    [TestCase("SELECT * FROM ROWS FROM (pg_backend_pid(), now())", "RowsFrom")]
    [TestCase("SELECT * FROM ROWS FROM (pg_backend_pid(), now()) AS r", "RowsFrom")]
    [TestCase("SELECT * FROM ROWS FROM (pg_backend_pid(), now()) AS r(a, b), pg_backend_pid()", "FromItemWithAlias FromItem")]
    [TestCase("EXECUTE p(pg_backend_pid())", "Expression")]
    [TestCase("CREATE TABLE t AS SELECT pg_backend_pid() AS a", "Expression")]
    [TestCase("WITH pg_backend_pid(a) AS (SELECT 1) SELECT pg_backend_pid() FROM pg_backend_pid", "Untouched OutputColumn")]
    [TestCase("CREATE TABLE t (a int DEFAULT pg_backend_pid()); SELECT pg_backend_pid()", "Untouched OutputColumn")]
    [TestCase("SELECT pg_cancel_backend(7)", "BareColumn")]
    [TestCase("SELECT pg_terminate_backend($1, 100) AS done, pg_cancel_backend(pg_backend_pid())", "NamedBareColumn BareColumn Untouched")]
    [TestCase("SELECT pg_terminate_backend(7) WHERE false; SELECT pg_backend_pid()", "Untouched OutputColumn")]
    public void Calls_are_found_in_their_places(string sql, string expected) =>
        Assert.That(string.Join(" ", _parser.Analyze(sql).PidCalls!.Select(call => call.Place)), Is.EqualTo(expected));

    [TestCase("SELECT 1")]
    [TestCase("SELECT pg_backend_pid FROM t")]
    [TestCase("SELECT other.pg_backend_pid()")]
    [TestCase("SELECT 'pg_backend_pid()'")]
    [TestCase("SELECT * FROM pg_stat_activity WHERE pid = pg_backend_pid()")]
    [TestCase("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")]
    [TestCase("SELECT pg_blocking_pids(pg_backend_pid())")]
    [TestCase("SELECT pg_terminate_backend(pg_backend_pid()) FROM t")]
    [TestCase("CREATE VIEW v AS SELECT pg_backend_pid()")]
    [TestCase("CREATE MATERIALIZED VIEW v AS SELECT pg_backend_pid()")]
    [TestCase("CREATE FUNCTION pg_backend_pid() RETURNS int LANGUAGE sql AS 'SELECT 1'")]
    [TestCase("DO 'BEGIN PERFORM pg_backend_pid(); END'")]
    public void What_means_servers_or_is_stored_is_left(string sql) => Assert.That(_parser.Analyze(sql).PidCalls, Is.Null);

    [TestCase("SELECT pg_cancel_backend(4200001)", "4200001", 4200001, 0, false)]
    [TestCase("SELECT pg_cancel_backend( '4200001' :: pg_catalog.int4 )", "'4200001' :: pg_catalog.int4", 4200001, 0, false)]
    [TestCase("SELECT pg_cancel_backend($12::int)", "$12::int", null, 12, false)]
    [TestCase("SELECT pg_cancel_backend(pg_catalog.pg_backend_pid())", "pg_catalog.pg_backend_pid()", null, 0, true)]
    public void Arguments_are_read(string sql, string text, int? constant, int parameter, bool isOwnPid)
    {
        var pid = Sites(sql)[0].Pid!.Value;
        Assert.That(sql[pid.Start..pid.Stop], Is.EqualTo(text));
        Assert.That((pid.Constant, pid.Parameter, pid.IsOwnPid), Is.EqualTo(((long?)constant, parameter, isOwnPid)));
    }

    [TestCase("SELECT pg_cancel_backend(-1)")]
    [TestCase("SELECT pg_cancel_backend(1 + 1)")]
    [TestCase("SELECT pg_cancel_backend(pid => 1)")]
    [TestCase("SELECT pg_terminate_backend(1, 2 * 3)")]
    [TestCase("SELECT pg_terminate_backend((SELECT 1))")]
    public void Arguments_that_are_computed_leave_the_call_to_the_server(string sql) => Assert.That(Sites(sql)[0].IsSignal, Is.False);

    [Test]
    public void Places_hold_for_every_text_of_the_shape()
    {
        var shapes = new StatementShapes();
        var first = "SELECT 'a', pg_backend_pid(), 'b'"u8;
        shapes.Learn(first, true, _parser.Analyze(first, true));
        var second = "select /* c */ 'x y z pg_backend_pid(' ,\n PG_BACKEND_PID ( ) , ''"u8;
        var site = PidCallSite.Locate(second, true, shapes.Find(second, true)!.PidCalls!)[0];
        Assert.That(Encoding.UTF8.GetString(second[site.Start..site.Stop]), Is.EqualTo("PG_BACKEND_PID ( )"));
    }

    [Test]
    public void With_ordinality_belongs_to_the_item() =>
        Assert.That(Sites("SELECT * FROM pg_backend_pid() WITH ORDINALITY x")[0], Has.Property("WithOrdinality").True.And.Property("Stop").EqualTo(46));

    [Test]
    public void A_place_in_the_new_text_is_told_in_the_old()
    {
        var edits = new TextEdits();
        edits.Replace(3, 4, "wxyz"u8.ToArray());
        edits.Replace(6, 9, "1"u8.ToArray());
        Assert.That(Encoding.UTF8.GetString(edits.Apply("äbcdefghi"u8)), Is.EqualTo("äbwxyzde1i"));
        Assert.That(Enumerable.Range(1, 10).Select(edits.OldPosition), Is.EqualTo(new[] { 1, 2, 3, 3, 3, 3, 4, 5, 6, 9 }));
    }

    private IReadOnlyList<PidCallSite> Sites(string sql) =>
        PidCallSite.Locate(Encoding.UTF8.GetBytes(sql), true, _parser.Analyze(sql).PidCalls!);
}
