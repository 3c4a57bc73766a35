using NUnit.Framework;
using PgRouter.Sql;
using static PgRouter.Sql.SessionTraits;

namespace PgRouter.Tests.Sql;

[TestFixture]
public sealed class BodyReaderTests
{
    private const SessionTraits TemporaryDdl = RunsDdl | Writes;
    private const SessionTraits Ddl = TemporaryDdl | ChangesSchema;

    [TestCase("\"")]
    [TestCase("BEGIN PERFORM \"")]
    [TestCase("SELECT \"x")]
    [TestCase("'")]
    [TestCase("$")]
    [TestCase("$$")]
    [TestCase("U&\"")]
    [TestCase("/*")]
    public void A_body_that_ends_in_the_middle_of_a_token_is_read_as_far_as_it_goes(string body) =>
        Assert.That(BodyReader.Read(BodyLanguage.Plpgsql, body).Traits.HasFlag(SessionTraits.IsOpaque), Is.True);

    [TestCase("BEGIN RETURN 1; END", None)]
    [TestCase("BEGIN PERFORM pg_advisory_lock(1); END", LocksAdvisory)]
    [TestCase("BEGIN PERFORM pg_advisory_xact_lock(1); END", None)]
    [TestCase("BEGIN PERFORM pg_catalog.pg_try_advisory_lock_shared(1); END", LocksAdvisory)]
    [TestCase("BEGIN SET work_mem = '1MB'; END", ChangesSettings)]
    [TestCase("BEGIN SET LOCAL work_mem = '1MB'; END", None)]
    [TestCase("BEGIN SET TRANSACTION READ ONLY; END", None)]
    [TestCase("BEGIN SET CONSTRAINTS ALL DEFERRED; END", None)]
    [TestCase("BEGIN SET ROLE bob; END", ChangesSettings)]
    [TestCase("BEGIN RESET ALL; END", ChangesSettings)]
    [TestCase("BEGIN LOAD 'auto_explain'; END", ChangesSettings)]
    [TestCase("BEGIN PERFORM set_config('a.b', 'x', true); END", None)]
    [TestCase("BEGIN PERFORM set_config('a.b', f(1, 2), TRUE); END", None)]
    [TestCase("BEGIN PERFORM set_config('a.b', x[1, 2], 't'::bool); END", None)]
    [TestCase("BEGIN PERFORM set_config('a.b', 'x', false); END", ChangesSettings)]
    [TestCase("BEGIN PERFORM set_config('a.b', 'x', true AND y); END", ChangesSettings)]
    [TestCase("BEGIN PERFORM set_config('a.b', 'x', is_local); END", ChangesSettings)]
    [TestCase("BEGIN PERFORM pg_catalog.set_config(v, w, NOT true); END", ChangesSettings)]
    [TestCase("BEGIN CREATE TEMP TABLE t (a int); END", TemporaryDdl | CreatesTemporary)]
    [TestCase("BEGIN CREATE LOCAL TEMPORARY TABLE IF NOT EXISTS t AS SELECT 1; END", TemporaryDdl | CreatesTemporary)]
    [TestCase("BEGIN CREATE TEMP TABLE t (a int) ON COMMIT DROP; END", TemporaryDdl)]
    [TestCase("BEGIN CREATE TABLE pg_temp.t (a int); END", Ddl | CreatesTemporary | ReadsNode)]
    [TestCase("BEGIN CREATE OR REPLACE TEMP VIEW v AS SELECT 1; END", TemporaryDdl | CreatesTemporary)]
    [TestCase("BEGIN LISTEN c; END", Listens | Writes)]
    [TestCase("BEGIN NOTIFY c; END", Notifies | Writes)]
    [TestCase("BEGIN PERFORM pg_notify('c', 'x'); END", Notifies | Writes)]
    [TestCase("BEGIN PREPARE p AS SELECT 1; END", Prepares)]
    [TestCase("BEGIN DEALLOCATE ALL; END", Prepares)]
    [TestCase("BEGIN RETURN currval('s'); END", ReadsSequences)]
    [TestCase("BEGIN INSERT INTO t VALUES (nextval('s')); END", AdvancesSequences | Writes)]
    [TestCase("BEGIN FOR r IN SELECT * FROM t FOR UPDATE LOOP END LOOP; END", Writes)]
    [TestCase("BEGIN FOR r IN SELECT * FROM t LOOP NULL; END LOOP; END", None)]
    [TestCase("BEGIN COMMIT; END", ControlsTransaction)]
    [TestCase("BEGIN IF a THEN ROLLBACK; END IF; END", ControlsTransaction)]
    [TestCase("BEGIN DISCARD TEMP; END", Anything)]
    [TestCase("BEGIN RETURN pg_backend_pid(); END", UsesPids)]
    [TestCase("BEGIN SELECT count(*) INTO n FROM pg_prepared_statements; END", ReadsSession | ReadsNode)]
    [TestCase("BEGIN SELECT a INTO temp FROM t; END", None)]
    [TestCase("BEGIN RETURN pg_is_in_recovery(); END", ReadsNode)]
    [TestCase("BEGIN RETURN pg_catalog.lower('A'); END", None)]
    [TestCase("BEGIN RETURN (SELECT count(*) FROM pg_class); END", ReadsNode)]
    [TestCase("BEGIN RETURN (SELECT count(*) FROM information_schema.tables); END", ReadsNode)]
    [TestCase("BEGIN RETURN current_setting('transaction_read_only'); END", ReadsNode)]
    [TestCase("BEGIN RETURN current_setting(n); END", ReadsNode)]
    [TestCase("BEGIN RETURN current_setting('app.tenant', true); END", None)]
    [TestCase("BEGIN ALTER TABLE t ADD a int; END", Ddl)]
    [TestCase("BEGIN TRUNCATE t; END", Writes)]
    [TestCase("BEGIN DO $x$ BEGIN PERFORM setseed(1); END $x$; END", ChangesSettings)]
    [TestCase("BEGIN DO LANGUAGE plperl $x$ 1 $x$; END", Anything)]
    public void Statements_of_plpgsql_have_their_traits(string body, SessionTraits expected) =>
        Assert.That(BodyReader.Read(BodyLanguage.Plpgsql, body).Traits, Is.EqualTo(expected));

    [TestCase("BEGIN -- SET work_mem = 1;\n RETURN 1; END", None)]
    [TestCase("BEGIN /* ; SET a.b = 1; /* nested */ ; SET a.b = 2; */ RETURN 1; END", None)]
    [TestCase("BEGIN RAISE NOTICE '; SET work_mem = 1;'; END", None)]
    [TestCase("BEGIN RAISE NOTICE $a$; SET work_mem = $b$ 1;$a$; END", None)]
    [TestCase("BEGIN x := '''; SET work_mem = 1; --'; END", None)]
    [TestCase("BEGIN x := E'\\'; SET work_mem = 1; --'; END", None)]
    [TestCase("BEGIN x := '\\'; SET a.b = 1; --'; END", ChangesSettings)]
    [TestCase("BEGIN sEt WORK_MEM = 1; END", ChangesSettings)]
    [TestCase("BEGIN\n--x\nSET--y\nwork_mem = 1; END", ChangesSettings)]
    [TestCase("<<outer>> DECLARE a int; BEGIN <<inner>> SET a.b = 1; END", ChangesSettings)]
    [TestCase("BEGIN UPDATE t SET a = 1; END", Writes)]
    [TestCase("BEGIN INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET a = 2; END", Writes)]
    [TestCase("DECLARE reset int; BEGIN reset := 1; reset = 2; END", None)]
    [TestCase("BEGIN SELECT a AS comment, b AS start FROM t; END", None)]
    [TestCase("BEGIN PERFORM \"set_config\"('a.b', 'x', false); END", ChangesSettings)]
    [TestCase("BEGIN PERFORM \"SET_CONFIG\"('a.b', 'x', false); END", None)]
    [TestCase("BEGIN PERFORM U&\"\\0073et_config\"('a.b', 'x', false); END", Anything)]
    [TestCase("BEGIN RETURN 'no end; END", Anything)]
    [TestCase("", None)]
    public void Quotes_and_comments_hide_and_do_not_hide(string body, SessionTraits expected) =>
        Assert.That(BodyReader.Read(BodyLanguage.Plpgsql, body).Traits, Is.EqualTo(expected));

    [TestCase("EXECUTE 'SELECT 1'", None)]
    [TestCase("EXECUTE 'SET work_mem = 1'", ChangesSettings)]
    [TestCase("EXECUTE 'SELECT ' || 'pg_advisory_lock($1)' USING 1", LocksAdvisory)]
    [TestCase("EXECUTE $q$SELECT set_config('a.b', 'x', true)$q$ INTO v", None)]
    [TestCase("EXECUTE 'SELECT 1 INTO TEMP t'", TemporaryDdl | CreatesTemporary)]
    [TestCase("EXECUTE format('INSERT INTO %I (a) VALUES (%L)', TG_TABLE_NAME, 1)", Writes)]
    [TestCase("EXECUTE format('CREATE TABLE %I.%I (a int)', s, t)", Ddl)]
    [TestCase("EXECUTE format('SELECT %I(1)', f)", Anything)]
    [TestCase("EXECUTE format('SELECT %s', f)", Anything)]
    [TestCase("EXECUTE format('SELECT 100 %% 3')", None)]
    [TestCase("EXECUTE format('SET %I = %L', a, b)", ChangesSettings)]
    [TestCase("EXECUTE 'DROP TABLE ' || quote_ident(t) || ' CASCADE'", Ddl)]
    [TestCase("EXECUTE 'UPDATE ' || quote_ident(t) || ' SET a = ' || quote_literal(v)", Writes)]
    [TestCase("EXECUTE 'DROP TABLE ' || t", Anything)]
    [TestCase("EXECUTE q", Anything)]
    [TestCase("EXECUTE E'SELECT\\n1'", Anything)]
    [TestCase("RETURN QUERY EXECUTE 'SELECT lastval()'", ReadsSequences)]
    [TestCase("RETURN QUERY EXECUTE q USING 1", Anything)]
    [TestCase("FOR r IN EXECUTE 'SELECT 1' LOOP SET a.b = 1; END LOOP", ChangesSettings)]
    [TestCase("OPEN c FOR EXECUTE 'SELECT 1 FOR SHARE'", Writes)]
    [TestCase("EXECUTE 'EXECUTE p'", Anything)]
    [TestCase("EXECUTE 'DO ''BEGIN LISTEN a; END'''", Listens | Writes)]
    [TestCase("CREATE TRIGGER a BEFORE INSERT ON t EXECUTE FUNCTION f()", Ddl)]
    [TestCase("GRANT EXECUTE ON FUNCTION f() TO bob", Ddl)]
    public void Dynamic_SQL_is_read_as_far_as_it_stands_in_the_body(string statement, SessionTraits expected) =>
        Assert.That(BodyReader.Read(BodyLanguage.Plpgsql, $"BEGIN {statement}; END").Traits, Is.EqualTo(expected));

    [TestCase("SELECT 1", None)]
    [TestCase("SELECT 1; SELECT pg_advisory_lock(1)", LocksAdvisory)]
    [TestCase("SELECT a INTO TEMP t FROM b", TemporaryDdl | CreatesTemporary)]
    [TestCase("SELECT a INTO LOCAL TEMPORARY t FROM b", TemporaryDdl | CreatesTemporary)]
    [TestCase("DECLARE c CURSOR WITH HOLD FOR SELECT 1", HoldsCursor)]
    [TestCase("DECLARE c CURSOR WITHOUT HOLD FOR SELECT 1", None)]
    [TestCase("EXECUTE p(1)", Anything)]
    [TestCase("CREATE TABLE t AS EXECUTE p", Anything)]
    [TestCase("EXPLAIN ANALYZE EXECUTE p", Anything)]
    [TestCase("WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x", Writes)]
    [TestCase("BEGIN ATOMIC INSERT INTO t VALUES (1); SELECT 1; END", Writes)]
    [TestCase("SELECT query_to_xml('SELECT 1', true, true, '')", Anything)]
    public void Statements_of_SQL_have_their_traits(string body, SessionTraits expected) =>
        Assert.That(BodyReader.Read(BodyLanguage.Sql, body).Traits, Is.EqualTo(expected));

    [TestCase("CREATE TRIGGER t BEFORE INSERT OR UPDATE ON a FOR EACH ROW WHEN (f(new.a)) EXECUTE FUNCTION g()", None)]
    [TestCase("CHECK ((a > nextval('s'::regclass)))", AdvancesSequences | Writes)]
    public void In_a_definition_only_calls_count(string text, SessionTraits expected) =>
        Assert.That(BodyReader.Read(BodyLanguage.Expression, text).Traits, Is.EqualTo(expected));

    [Test]
    public void Calls_keep_schema_and_case_and_the_names_of_tables_are_there()
    {
        var body = BodyReader.Read(
            BodyLanguage.Plpgsql, "BEGIN PERFORM F(1), s.G (2), \"Odd\".\"H\"\"\"(3), db.s.i(4) FROM \"Tab\" JOIN x ON true; END");
        Assert.That(body.Calls, Is.SupersetOf(new FunctionName[]
        {
            new(null, "f"), new("s", "g"), new("Odd", "H\""), new("s", "i"),
        }));
        Assert.That(body.Names, Is.SupersetOf(new[] { "Tab", "x" }));
    }

    [Test]
    public void A_name_longer_than_an_identifier_can_be_is_cut()
    {
        var name = new string('a', 70);
        Assert.That(BodyReader.Read(BodyLanguage.Sql, $"SELECT {name}()").Calls, Does.Contain(new FunctionName(null, name[..63])));
    }

    [Test]
    public void A_body_larger_than_the_limit_is_opaque() =>
        Assert.That(BodyReader.Read(BodyLanguage.Sql, new string(' ', BodyReader.MaxChars + 1)), Is.SameAs(RoutineBody.Opaque));

    [Test]
    public void DO_inside_DO_without_end_is_opaque()
    {
        var text = "SELECT 1";
        for (var i = 0; i < 12; i++)
            text = $"DO $a{i}$ {text} $a{i}$";
        Assert.That(BodyReader.Read(BodyLanguage.Sql, text).Traits, Is.EqualTo(Anything));
    }
}
