using NUnit.Framework;
using PgRouter.Sql;

namespace PgRouter.Tests.Sql;

[TestFixture]
public sealed class ClassifierTests
{
    private StatementParser _parser = null!;

    [OneTimeSetUp]
    public void StartParser() => _parser = new StatementParser();

    [OneTimeTearDown]
    public void StopParser() => _parser.Dispose();

    private static IEnumerable<TestCaseData> Table() =>
        StatementTable.Cases().Select(row => new TestCaseData(row).SetArgDisplayNames(row.Sql));

    [TestCaseSource(nameof(Table))]
    public void Every_statement_of_the_table_is_judged_as_written(object row)
    {
        var expected = (StatementCase)row;
        var info = _parser.Analyze(expected.Sql);
        Assert.That(info.Class, Is.EqualTo(expected.Class), info.Cause);
        Assert.That(info.Effects, Is.EqualTo(expected.Effects));
        Assert.That(info.Statements.Count > 0 ? info.Statements[0].Kind : StatementKind.Other, Is.EqualTo(expected.Kind));
    }

    [Test]
    public void The_table_has_at_least_250_statements() => Assert.That(StatementTable.Cases().Count(), Is.GreaterThanOrEqualTo(250));

    [TestCase("SELECT 1, 'a', NULL, $1 AS x", true)]
    [TestCase("SELECT now(), current_user UNION SELECT 1, 'a' LIMIT 1", false)]
    [TestCase("SELECT now(), inet_server_port() AS port UNION ALL SELECT $1, 1", true)]
    [TestCase("SELECT 1 + 1", false)]
    [TestCase("SELECT $1::mine", false)]
    [TestCase("SELECT length('a')", false)]
    [TestCase("SELECT f()", false)]
    [TestCase("SELECT 1 FROM t", false)]
    [TestCase("SELECT (SELECT 1)", false)]
    [TestCase("SELECT 1 FOR UPDATE", false)]
    [TestCase("VALUES (1), ($1)", false)]
    [TestCase("SHOW work_mem", false)]
    public void Nothing_that_anybody_has_made_has_a_part_in_a_constant(string sql, bool expected) =>
        Assert.That(_parser.Analyze(sql).Statements.Single().IsConstant, Is.EqualTo(expected));

    [TestCase("SELECT * FROM a, s.b JOIN c ON true", "a s.b c")]
    [TestCase("WITH a AS (SELECT * FROM b) SELECT * FROM a", "b")]
    [TestCase("WITH a AS (SELECT * FROM a) SELECT * FROM a", "a")]
    [TestCase("WITH RECURSIVE a AS (SELECT * FROM a) SELECT * FROM a", "")]
    [TestCase("WITH a AS (SELECT 1), b AS (SELECT * FROM a) SELECT * FROM b, s.a", "s.a")]
    [TestCase("WITH b AS (SELECT * FROM a), a AS (SELECT 1) SELECT * FROM b", "a")]
    [TestCase("SELECT * FROM (WITH a AS (SELECT 1) SELECT * FROM a) x, a", "a")]
    [TestCase("WITH t AS (SELECT 1) INSERT INTO t SELECT * FROM t", "t!")]
    [TestCase("UPDATE a SET x = (SELECT 1 FROM b) FROM c", "a! b c")]
    [TestCase("TRUNCATE a, b", "a! b!")]
    [TestCase("CREATE INDEX i ON s.t (a)", "s.t!")]
    [TestCase("COPY t FROM STDIN", "t!")]
    [TestCase("COPY t TO STDOUT", "t")]
    [TestCase("CREATE TABLE a AS SELECT * FROM b", "a! b")]
    public void Tables_are_listed_without_the_names_of_WITH(string sql, string expected)
    {
        var tables = _parser.Analyze(sql).Statements[0].Tables
            .Select(table => (table.Schema is null ? "" : table.Schema + ".") + table.Name + (table.IsWritten ? "!" : ""));
        Assert.That(tables, Is.EquivalentTo(expected.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
    }

    [TestCase("SET x.y = 1", "x.y", "1")]
    [TestCase("SET X.Y = -1.5", "x.y", "-1.5")]
    [TestCase("SET x.y = -3", "x.y", "-3")]
    [TestCase("SET x.y = - 3", "x.y", "-3")]
    [TestCase("SET x.y = 0", "x.y", "0")]
    [TestCase("SET x.y TO on", "x.y", "'on'")]
    [TestCase("SET x.y = 'it''s'", "x.y", "'it''s'")]
    [TestCase(@"SET x.y = 'a\b'", "x.y", @"E'a\\b'")]
    [TestCase("SET x.y = ''", "x.y", "''")]
    [TestCase("SET search_path TO a, \"B c\", public", "search_path", "'a', 'B c', 'public'")]
    [TestCase("SET TIME ZONE INTERVAL '-08:00' HOUR TO MINUTE", "timezone", "'INTERVAL ''-08:00'''")]
    [TestCase("SET work_mem TO DEFAULT", "work_mem", null)]
    [TestCase("RESET work_mem", "work_mem", null)]
    [TestCase("RESET ALL", null, null)]
    [TestCase("SET ROLE bob", "role", "'bob'")]
    [TestCase("SELECT set_config('Work_Mem', '1MB', false)", "work_mem", "'1MB'")]
    [TestCase("SELECT set_config('x.y', NULL, false)", "x.y", null)]
    [TestCase("SELECT set_config('search_path', 'a, \"B, c\" , Public', false)", "search_path", "'a', 'B, c', 'public'")]
    [TestCase("SELECT set_config('datestyle', 'ISO, DMY', false)", "datestyle", "'ISO, DMY'")]
    public void A_setting_has_its_name_and_a_value_that_can_follow_SET(string sql, string? name, string? value)
    {
        var statement = _parser.Analyze(sql).Statements[0];
        Assert.That(statement.Name, Is.EqualTo(name));
        Assert.That(statement.Value, Is.EqualTo(value));
    }

    [Test]
    public void The_value_of_every_SET_can_be_parsed_again()
    {
        foreach (var row in StatementTable.Cases().Where(row => row.Class == StatementClass.State))
        {
            foreach (var setting in _parser.Analyze(row.Sql).Statements[0].Settings)
            {
                var again = _parser.Analyze($"SET {setting.Name} TO {setting.Value ?? "DEFAULT"}");
                Assert.That(again.Statements[0].Value, Is.EqualTo(setting.Value), row.Sql);
            }
        }
    }

    [Test]
    public void Several_set_config_calls_are_several_settings()
    {
        var settings = _parser.Analyze("SELECT set_config('a.b', 'c', true), set_config('d.e', 'f', false)").Statements[0].Settings;
        Assert.That(settings, Is.EqualTo(new[] { new SettingChange("a.b", "'c'", true), new SettingChange("d.e", "'f'", false) }));
    }

    [TestCase("BEGIN", TransactionVerb.Begin, null, null)]
    [TestCase("BEGIN READ ONLY", TransactionVerb.Begin, true, null)]
    [TestCase("START TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ WRITE", TransactionVerb.Begin, false, "repeatable read")]
    [TestCase("SET TRANSACTION READ ONLY", TransactionVerb.None, true, null)]
    [TestCase("SET transaction_read_only = off", TransactionVerb.None, false, null)]
    [TestCase("END", TransactionVerb.Commit, null, null)]
    [TestCase("ABORT", TransactionVerb.Rollback, null, null)]
    [TestCase("SAVEPOINT s", TransactionVerb.Savepoint, null, null)]
    [TestCase("RELEASE s", TransactionVerb.Release, null, null)]
    [TestCase("ROLLBACK TO s", TransactionVerb.RollbackTo, null, null)]
    [TestCase("PREPARE TRANSACTION 'x'", TransactionVerb.PrepareTransaction, null, null)]
    [TestCase("COMMIT PREPARED 'x'", TransactionVerb.CommitPrepared, null, null)]
    [TestCase("ROLLBACK PREPARED 'x'", TransactionVerb.RollbackPrepared, null, null)]
    public void Transaction_verbs_carry_their_modes(string sql, TransactionVerb verb, bool? readOnly, string? isolation)
    {
        var info = _parser.Analyze(sql);
        Assert.That(info.Verb, Is.EqualTo(verb));
        Assert.That(info.Statements[0].ReadOnly, Is.EqualTo(readOnly));
        Assert.That(info.Statements[0].Isolation, Is.EqualTo(isolation));
    }

    [Test]
    public void AND_CHAIN_is_seen() => Assert.That(_parser.Analyze("COMMIT AND CHAIN").Statements[0].Chains, Is.True);

    [TestCase("SELECT 1; INSERT INTO t VALUES (1); SELECT 2", StatementClass.Write, "INSERT")]
    [TestCase("BEGIN; SELECT 1; COMMIT", StatementClass.Transaction, "BEGIN")]
    [TestCase("SELECT 1; SELECT pg_is_in_recovery()", StatementClass.PrimaryRead, "pg_is_in_recovery()")]
    [TestCase("SELECT 1; SELECT 2;", StatementClass.Read, "SELECT")]
    [TestCase("SHOW POOL_NODES; SELECT 1", StatementClass.PrimaryRead, "SHOW")]
    [TestCase("EXPLAIN ROUTE SELECT 1; SELECT 2", StatementClass.Unknown, "syntax error")]
    public void Of_several_statements_the_strictest_wins(string sql, StatementClass expected, string cause)
    {
        var info = _parser.Analyze(sql);
        Assert.That(info.Class, Is.EqualTo(expected));
        Assert.That(info.Cause, Is.EqualTo(cause));
        Assert.That(info.LocalCommand, Is.Null);
    }

    [Test]
    public void Statements_of_one_text_are_listed_in_order()
    {
        StatementKind[] kinds = [StatementKind.Transaction, StatementKind.Update, StatementKind.Transaction];
        var info = _parser.Analyze("BEGIN; UPDATE t SET a = 1; COMMIT");
        Assert.That(info.Statements.Select(s => s.Kind), Is.EqualTo(kinds));
        Assert.That(info.Verb, Is.EqualTo(TransactionVerb.None));
        Assert.That(info.HasTransactionVerb, Is.True);
    }

    [TestCase("SELECT f(1, 2), s.g(), f(1, 2)", "f/2 s.g/0")]
    [TestCase("SELECT my_agg(0.5) WITHIN GROUP (ORDER BY x) FROM t", "my_agg/2")]
    [TestCase("SELECT now(), pg_catalog.lower('A')", "")]
    public void Unknown_functions_are_listed_with_their_argument_count(string sql, string expected)
    {
        var functions = _parser.Analyze(sql).Statements[0].Functions
            .Select(function => $"{(function.Schema is null ? "" : function.Schema + ".")}{function.Name}/{function.ArgumentCount}");
        Assert.That(functions, Is.EqualTo(expected.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
    }

    [TestCase("CREATE TABLE t (a int)", true, false)]
    [TestCase("CREATE TEMP TABLE t (a int)", true, true)]
    [TestCase("CREATE TEMP TABLE t (a int) ON COMMIT DROP", true, true)]
    [TestCase("CREATE TABLE t (a text DEFAULT 'pg_temp')", true, false)]
    [TestCase("COMMENT ON TABLE t IS 'pg_temp'", true, false)]
    [TestCase("SELECT 1 INTO t", true, false)]
    [TestCase("SELECT 1 INTO UNLOGGED t", true, false)]
    [TestCase("SELECT 1 INTO TEMP t", true, true)]
    [TestCase("EXPLAIN ANALYZE CREATE TABLE t AS SELECT 1", true, false)]
    [TestCase("EXPLAIN CREATE TABLE t AS SELECT 1", false, false)]
    [TestCase("INSERT INTO t VALUES (1)", false, false)]
    [TestCase("TRUNCATE t", false, false)]
    public void Whatever_changes_the_schema_says_so(string sql, bool changes, bool isTemporary)
    {
        var info = _parser.Analyze(sql);
        Assert.That((info.HasDdl, info.Statements[0].ChangesSchema, info.Statements[0].IsTemporary), Is.EqualTo((changes, changes, isTemporary)));
    }

    [TestCase("EXECUTE p", true)]
    [TestCase("EXECUTE p (1, 'a', lower('B'))", true)]
    [TestCase("EXECUTE p (f(1))", false)]
    [TestCase("EXECUTE p (pg_is_in_recovery())", false)]
    [TestCase("EXECUTE p (nextval('s'))", false)]
    public void Arguments_of_EXECUTE_are_judged_by_themselves(string sql, bool arePlain) =>
        Assert.That(_parser.Analyze(sql).Statements[0].HasPlainArguments, Is.EqualTo(arePlain));

    [TestCase("SHOW POOL_NODES", "SHOW POOL_NODES")]
    [TestCase("  show pool_nodes ; ", "show pool_nodes")]
    [TestCase("/* x */ PGPOOL SHOW backend; -- y", "PGPOOL SHOW backend")]
    [TestCase("EXPLAIN ROUTE SELECT ';' ;;", "EXPLAIN ROUTE SELECT ';'")]
    public void A_local_command_is_the_text_without_its_semicolon(string sql, string expected) =>
        Assert.That(_parser.Analyze(sql).LocalCommand, Is.EqualTo(expected));
}
