using System.Text;
using PgRouter.Sql;

namespace PgRouter.Tests.Sql;

/// <summary>The truth table of statements: a heading of class, kind and effects, and below it the texts it holds for.</summary>
internal static class StatementTable
{
    private const string Table = """
        == Empty Other None
        ;
        /* nothing */
        -- nothing
        /* a /* nested */ b */ ; ;

        == Read Select None
        SELECT 1
        select * from t
        SELECT a, b AS c FROM s.t WHERE x = 'y' ORDER BY 1 LIMIT 10 OFFSET 5
        SELECT count(*) FROM users
        SELECT inet_server_port(), count(*) FROM users
        SELECT count(*), pg_backend_pid() FROM users
        SELECT inet_server_addr(), version()
        SELECT now(), current_timestamp, localtime, current_user, session_user, current_schema
        SELECT random(), clock_timestamp(), gen_random_uuid(), timeofday()
        SELECT pg_sleep(0.1)
        SELECT pg_catalog.now()
        SELECT coalesce(a, b), nullif(a, b), greatest(a, b), least(a, b) FROM t
        SELECT extract(year FROM d), substring(a FROM 1 FOR 2), trim(both ' ' from a), position('a' IN b) FROM t
        SELECT a AT TIME ZONE 'utc', a SIMILAR TO 'b', a LIKE 'c', a ILIKE 'd' FROM t
        SELECT (a, b) OVERLAPS (c, d) FROM t
        SELECT sum(x) FILTER (WHERE y) OVER (PARTITION BY z ORDER BY w ROWS UNBOUNDED PRECEDING) FROM t
        SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY x) FROM t
        SELECT json_build_object('a', 1), jsonb_agg(x), string_agg(y, ',') FROM t
        SELECT * FROM generate_series(1, 10) g
        SELECT * FROM ROWS FROM (generate_series(1, 2), unnest(ARRAY[1])) x
        SELECT * FROM t TABLESAMPLE system(10)
        SELECT * FROM t TABLESAMPLE bernoulli(10) REPEATABLE (1)
        SELECT * FROM a JOIN b USING (x) LEFT JOIN c ON true, LATERAL (SELECT 1) d
        SELECT * FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.x = a.x)
        SELECT (SELECT max(x) FROM t), ARRAY(SELECT 1), ROW(1, 2), CASE WHEN true THEN 1 END
        SELECT 1 UNION SELECT 2 UNION ALL SELECT 3 INTERSECT SELECT 4 EXCEPT SELECT 5
        (SELECT 1) UNION (SELECT 2) ORDER BY 1
        TABLE t
        VALUES (1), (2)
        WITH a AS (SELECT 1) SELECT * FROM a
        WITH RECURSIVE a(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM a WHERE n < 5) SELECT * FROM a
        WITH pg_class AS (SELECT 1) SELECT * FROM pg_class
        SELECT DISTINCT ON (a) a FROM t GROUP BY ROLLUP (a) HAVING count(*) > 1
        SELECT 'a'::text, CAST(b AS int), date '2020-01-01', interval '1' day, 't'::regclass
        SELECT $1::int + $2
        SELECT E'a\'b', $$dollar ' quote$$, B'01', X'1F', U&'d\0061t', N'x'
        SELECT 'FOR UPDATE', "insert", 'nextval()' FROM "Update"
        SELECT xmlelement(name a, 'b'), xmlforest(1 AS c)
        SELECT * FROM xmltable('a' PASSING b COLUMNS c int)
        SELECT t.* FROM t WINDOW w AS (PARTITION BY a)
        SELECT a FROM t ORDER BY a FETCH FIRST 5 ROWS WITH TIES
        SELECT current_setting('app.user_id')
        SELECT current_setting('app.user_id', true)::int
        SELECT /* nextval() */ 1 -- FOR UPDATE
        SELECT a[1:2], (b).c FROM t
        SELECT a IS DISTINCT FROM b, a IS NULL, a BETWEEN 1 AND 2, a = ANY (ARRAY[1]), a IN (1, 2) FROM t
        SELECT information_schema._pg_truetypid(a), pg_catalog.lower('A') FROM t
        SELECT ts_rewrite('a'::tsquery, 'a', 'b')
        SELECT has_table_privilege('t', 'select'), to_regclass('t'), format_type(23, 0)
        SELECT pg_get_viewdef('v'), obj_description(1, 'pg_class'), pg_typeof(1)
        SELECT to_tsvector('a') @@ to_tsquery('b')
        SELECT count(*) FROM users;
        /* traceparent='00-1' */ SELECT 1
        SELECT 1 AS "FOR UPDATE"

        == Read Copy None
        COPY t TO STDOUT
        COPY s.t (a, b) TO STDOUT WITH (FORMAT csv)
        COPY (SELECT * FROM t) TO STDOUT
        COPY (VALUES (1)) TO STDOUT

        == Read Explain None
        EXPLAIN SELECT * FROM t
        EXPLAIN VERBOSE SELECT * FROM t
        EXPLAIN ANALYZE SELECT * FROM t
        EXPLAIN (ANALYZE, BUFFERS) SELECT * FROM t
        EXPLAIN (FORMAT json) SELECT * FROM t

        == Read Prepare PreparesStatement
        PREPARE p AS SELECT * FROM t WHERE a = $1
        PREPARE p (int, text) AS SELECT $1, $2

        == NeedsCatalog Select RunsOpaqueCode
        SELECT f(1)
        SELECT s.f(1, 2) FROM t
        SELECT * FROM f(1)
        SELECT * FROM t WHERE g(a) > 1
        SELECT * FROM t ORDER BY h(a)
        SELECT public.now()
        SELECT "Now"()
        SELECT pg_catalog.no_such_function()
        SELECT (SELECT f(x) FROM t)
        WITH a AS (SELECT f()) SELECT * FROM a
        SELECT 1 UNION SELECT f()
        SELECT count(*) FILTER (WHERE f(x)) FROM t
        SELECT sum(x) OVER (ORDER BY f(x)) FROM t
        SELECT * FROM a JOIN b ON f(a.x) = b.x
        SELECT * FROM t TABLESAMPLE my_method(10)
        VALUES (f(1))
        SELECT CASE WHEN f(1) THEN 1 END
        SELECT now(), f()

        == NeedsCatalog Copy RunsOpaqueCode
        COPY (SELECT f()) TO STDOUT

        == NeedsCatalog Explain None
        EXPLAIN SELECT f()

        == NeedsCatalog Explain RunsOpaqueCode
        EXPLAIN ANALYZE SELECT f()

        == PrimaryRead Select None
        SELECT pg_is_in_recovery()
        SELECT count(*), pg_catalog.pg_is_in_recovery() FROM t
        SELECT pg_current_wal_lsn(), pg_last_wal_replay_lsn()
        SELECT pg_stat_get_numscans(1)
        SELECT * FROM pg_stat_activity
        SELECT * FROM pg_class
        SELECT * FROM pg_catalog.pg_class c JOIN t ON true
        SELECT * FROM information_schema.tables
        SELECT * FROM t WHERE a IN (SELECT oid FROM pg_type)
        SELECT * FROM pg_temp.x
        SELECT current_setting('transaction_read_only')
        SELECT current_setting('in_hot_standby')
        SELECT current_setting(name) FROM t
        SELECT pg_table_size('t'), pg_database_size('d')
        SELECT pg_current_snapshot(), txid_current_if_assigned()
        SELECT pg_read_file('x')
        SELECT pg_advisory_xact_lock(1)
        SELECT pg_try_advisory_xact_lock(1, 2)
        SELECT lo_get(1)
        SELECT * FROM pg_ls_dir('.')
        SELECT pg_postmaster_start_time()
        SELECT table_to_xml('t', true, true, '')
        WITH a AS (SELECT * FROM pg_class) SELECT * FROM a
        WITH pg_class AS (SELECT * FROM pg_class) SELECT * FROM pg_class

        == PrimaryRead Select LocksAdvisory
        SELECT pg_advisory_lock(1)
        SELECT pg_advisory_lock_shared(1, 2)
        SELECT pg_try_advisory_lock(1)
        SELECT pg_try_advisory_lock_shared(1)
        SELECT id FROM t WHERE pg_try_advisory_lock(id)

        == PrimaryRead Select UnlocksAdvisory
        SELECT pg_advisory_unlock(1)
        SELECT pg_advisory_unlock_shared(1)

        == PrimaryRead Select UnlocksAdvisory,UnlocksAllAdvisory
        SELECT pg_advisory_unlock_all()

        == PrimaryRead Select ReadsSequenceState
        SELECT currval('s')
        SELECT lastval()

        == PrimaryRead Select BindsToServer
        SELECT setseed(0.5)

        == PrimaryRead Select SetsParameter,ChangesSessionOpaquely
        SELECT set_config('a.b', x, false) FROM t
        SELECT set_config('a.b', 'c', false) FROM t
        SELECT set_config($1, $2, false)
        SELECT set_config('a.b', 'c', $1)
        SELECT set_config('a.b', 'c', false) WHERE false
        SELECT upper(set_config('a.b', 'c', false))

        == PrimaryRead Select SetsParameter
        SELECT set_config('a.b', 'c', true) FROM t

        == PrimaryRead Show None
        SHOW search_path
        SHOW ALL
        SHOW TIME ZONE
        SHOW transaction_read_only
        SHOW pools
        SHOW STATS
        SHOW pool

        == PrimaryRead Execute ExecutesPrepared
        EXECUTE p
        EXECUTE p(1, 'a')

        == PrimaryRead Explain ExecutesPrepared
        EXPLAIN EXECUTE p
        EXPLAIN ANALYZE EXECUTE p(1)

        == PrimaryRead Fetch None
        FETCH c
        FETCH 5 FROM c
        FETCH ALL FROM c
        MOVE FORWARD 2 IN c

        == PrimaryRead ClosePortal ClosesCursor
        CLOSE c
        CLOSE ALL

        == Read DeclareCursor None
        DECLARE c CURSOR FOR SELECT * FROM t
        DECLARE c BINARY INSENSITIVE SCROLL CURSOR FOR SELECT 1
        DECLARE c CURSOR WITHOUT HOLD FOR SELECT 1

        == PrimaryRead DeclareCursor DeclaresHoldCursor
        DECLARE c CURSOR WITH HOLD FOR SELECT 1

        == PrimaryRead Set SetsTransaction
        SET TRANSACTION SNAPSHOT '00000003-1'

        == PrimaryRead Set SetsParameter,ChangesSessionOpaquely
        SET TIME ZONE INTERVAL '1' HOUR
        SET search_path FROM CURRENT

        == PrimaryRead Copy None
        COPY pg_class TO STDOUT
        COPY (SELECT * FROM pg_stat_activity) TO STDOUT

        == State Set SetsParameter
        SET x.y = 1
        SET work_mem TO '64MB'
        SET search_path TO a, "B", public
        SET LOCAL statement_timeout = 100
        SET SESSION application_name = 'x'
        SET TIME ZONE 'UTC'
        SET TIME ZONE -3
        SET TIME ZONE INTERVAL '-08:00' HOUR TO MINUTE
        SET NAMES 'utf8'
        SET SCHEMA 's'
        SET standard_conforming_strings = off
        SET datestyle TO iso, dmy

        == State Set ResetsParameter
        SET work_mem TO DEFAULT
        SET LOCAL work_mem TO DEFAULT
        SET TIME ZONE LOCAL

        == State Reset ResetsParameter
        RESET work_mem
        RESET ALL
        RESET TIME ZONE

        == State Set SetsRole
        SET ROLE bob
        SET ROLE NONE
        SET LOCAL ROLE bob
        SET SESSION AUTHORIZATION 'bob'
        SET SESSION AUTHORIZATION DEFAULT
        SET role = 'bob'

        == State Reset SetsRole
        RESET ROLE
        RESET SESSION AUTHORIZATION

        == State Set SetsParameter,SetsTransaction
        SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY
        SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE

        == State Select SetsParameter
        SELECT set_config('a.b', 'c', false)
        SELECT pg_catalog.set_config('search_path', '', false)
        SELECT set_config('a.b', 'c', true), set_config('d.e', 'f', true)
        SELECT set_config('a.b', 'c', false), now()

        == State Select SetsRole
        SELECT set_config('role', 'bob', false)

        == State Discard DiscardsAll
        DISCARD ALL
        == State Discard DiscardsPlans
        DISCARD PLANS
        == State Discard DiscardsSequences
        DISCARD SEQUENCES
        == State Discard DiscardsTemp
        DISCARD TEMP
        DISCARD TEMPORARY

        == State Deallocate DeallocatesPrepared
        DEALLOCATE p
        DEALLOCATE PREPARE p
        DEALLOCATE ALL

        == Transaction Transaction None
        BEGIN
        BEGIN WORK
        BEGIN READ ONLY
        START TRANSACTION ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE
        COMMIT
        COMMIT AND CHAIN
        END
        ROLLBACK
        ABORT
        SAVEPOINT s
        RELEASE s
        RELEASE SAVEPOINT s
        ROLLBACK TO s
        ROLLBACK TO SAVEPOINT s

        == Transaction Set SetsTransaction
        SET TRANSACTION READ ONLY
        SET TRANSACTION ISOLATION LEVEL REPEATABLE READ
        SET LOCAL transaction_read_only = on
        SET transaction_isolation = 'serializable'
        SET CONSTRAINTS ALL DEFERRED
        SET CONSTRAINTS a, b IMMEDIATE

        == Write Transaction None
        PREPARE TRANSACTION 'x'
        COMMIT PREPARED 'x'
        ROLLBACK PREPARED 'x'

        == PrimaryRead Select None
        SELECT cmin FROM t
        SELECT a FROM t WHERE t.cmax IS NULL

        == Write Execute ExecutesPrepared,WritesSequenceState
        EXECUTE p (nextval('s'))

        == Write Select None
        SELECT * FROM t FOR UPDATE
        SELECT * FROM t FOR NO KEY UPDATE
        SELECT * FROM t FOR SHARE
        SELECT * FROM t FOR KEY SHARE OF t SKIP LOCKED
        SELECT * FROM (SELECT * FROM t FOR UPDATE) x
        WITH a AS (SELECT * FROM t FOR UPDATE) SELECT * FROM a
        SELECT (SELECT x FROM t LIMIT 1 FOR SHARE)
        SELECT 1 INTO t
        SELECT * INTO UNLOGGED t FROM u
        WITH a AS (INSERT INTO t VALUES (1) RETURNING *) SELECT * FROM a
        WITH a AS (UPDATE t SET x = 1 RETURNING *) SELECT * FROM a
        WITH a AS (DELETE FROM t RETURNING *) SELECT * FROM a
        WITH a AS (SELECT 1), b AS (DELETE FROM t) SELECT * FROM a
        SELECT txid_current()
        SELECT pg_current_xact_id()
        SELECT pg_export_snapshot()
        SELECT lo_create(0)
        SELECT lo_unlink(1)
        SELECT pg_switch_wal()
        SELECT pg_create_physical_replication_slot('x')
        SELECT pg_terminate_backend(1)
        SELECT pg_stat_reset()
        SELECT pg_reload_conf()
        SELECT now(), pg_is_in_recovery(), txid_current()

        == Write Select RunsOpaqueCode
        SELECT query_to_xml('select 1', true, true, '')
        SELECT * FROM ts_stat('select 1')
        SELECT ts_rewrite('a'::tsquery, 'select 1')

        == Write Select BindsToServer
        SELECT pg_backup_start('x')
        SELECT pg_replication_origin_session_setup('x')
        SELECT pg_create_physical_replication_slot('x', true, true)
        SELECT pg_create_logical_replication_slot('x', 'test_decoding', true)

        == Write Select WritesSequenceState
        SELECT nextval('s')
        SELECT pg_catalog.nextval('s')
        SELECT setval('s', 1)
        SELECT * FROM t WHERE a = nextval('s')
        SELECT 1 FROM (SELECT nextval('s')) x

        == Write Select CreatesTemporary
        SELECT 1 INTO TEMP t
        SELECT 1 INTO pg_temp.t

        == Write Insert None
        INSERT INTO t VALUES (1)
        INSERT INTO t DEFAULT VALUES
        INSERT INTO t SELECT * FROM u
        INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING
        INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = excluded.b RETURNING *
        WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a

        == Write Insert WritesSequenceState
        INSERT INTO t VALUES (nextval('s'))

        == Write Insert RunsOpaqueCode
        INSERT INTO t SELECT f(x) FROM u

        == Write Update None
        UPDATE t SET a = 1
        UPDATE t SET a = b.a FROM b WHERE t.x = b.x
        UPDATE pgbench_accounts SET abalance = abalance + -312 WHERE aid = 12345;
        UPDATE t SET a = 1 WHERE CURRENT OF c

        == Write Delete None
        DELETE FROM t
        DELETE FROM t USING u WHERE t.x = u.x

        == Write Merge None
        MERGE INTO a USING b ON a.x = b.x WHEN MATCHED THEN DELETE

        == Write Truncate None
        TRUNCATE t
        TRUNCATE TABLE a, b RESTART IDENTITY CASCADE

        == Write Copy None
        COPY t FROM STDIN
        COPY t FROM '/x'
        COPY t TO '/x'
        COPY t TO PROGRAM 'x'
        COPY (INSERT INTO t VALUES (1) RETURNING *) TO STDOUT

        == Write Explain None
        EXPLAIN INSERT INTO t VALUES (1)
        EXPLAIN ANALYZE DELETE FROM t
        EXPLAIN SELECT nextval('s')
        EXPLAIN (ANALYZE off) SELECT nextval('s')
        EXPLAIN (ANALYZE 0) SELECT nextval('s')
        EXPLAIN CREATE TABLE x AS SELECT 1

        == Write Explain WritesSequenceState
        EXPLAIN ANALYZE SELECT nextval('s')
        EXPLAIN (ANALYZE 1) SELECT nextval('s')
        EXPLAIN (ANALYZE 'on') SELECT nextval('s')

        == Write Prepare PreparesStatement
        PREPARE p AS INSERT INTO t VALUES ($1)
        PREPARE p AS SELECT nextval('s')

        == Write DeclareCursor None
        DECLARE c CURSOR FOR SELECT * FROM t FOR UPDATE

        == Write Ddl None
        CREATE TABLE t (a int)
        CREATE TABLE t (a int DEFAULT nextval('s'))
        CREATE TABLE t AS SELECT 1
        CREATE TEMP TABLE t (a int) ON COMMIT DROP
        CREATE TEMP TABLE t ON COMMIT DROP AS SELECT 1
        CREATE INDEX i ON t (a)
        CREATE INDEX CONCURRENTLY i ON t (lower(a))
        CREATE VIEW v AS SELECT 1
        CREATE MATERIALIZED VIEW v AS SELECT 1
        REFRESH MATERIALIZED VIEW v
        CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$
        CREATE PROCEDURE p() LANGUAGE sql AS 'SELECT 1'
        CREATE SEQUENCE s
        CREATE SCHEMA s
        CREATE TYPE e AS ENUM ('a')
        CREATE TYPE c AS (a int)
        CREATE DOMAIN d AS int
        CREATE AGGREGATE a (int) (sfunc = f, stype = int)
        CREATE OPERATOR + (leftarg = int, function = f)
        CREATE EXTENSION x
        CREATE ROLE r
        CREATE DATABASE d
        CREATE TABLESPACE t LOCATION '/x'
        CREATE TRIGGER t BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()
        CREATE RULE r AS ON INSERT TO t DO INSTEAD NOTHING
        CREATE POLICY p ON t
        CREATE PUBLICATION p FOR ALL TABLES
        CREATE STATISTICS s ON a, b FROM t
        ALTER TABLE t ADD COLUMN a int
        ALTER TABLE t RENAME TO u
        ALTER TABLE t SET SCHEMA s
        ALTER TABLE t OWNER TO r
        ALTER SYSTEM SET x = 1
        ALTER ROLE r SET x = 1
        ALTER DATABASE d SET x = 1
        ALTER SEQUENCE s RESTART
        DROP TABLE t
        DROP TABLE pg_temp.t
        DROP FUNCTION f()
        DROP DATABASE d
        DROP OWNED BY r
        REASSIGN OWNED BY r TO q
        GRANT SELECT ON t TO r
        GRANT a TO b
        REVOKE ALL ON t FROM r
        COMMENT ON TABLE t IS 'x'
        SECURITY LABEL ON TABLE t IS 'x'
        IMPORT FOREIGN SCHEMA s FROM SERVER x INTO y

        == Write Ddl CreatesTemporary
        CREATE TEMP TABLE t (a int)
        CREATE TEMPORARY TABLE t AS SELECT 1
        CREATE LOCAL TEMP TABLE t (a int) ON COMMIT DELETE ROWS
        CREATE TABLE pg_temp.t (a int)
        CREATE TEMP VIEW v AS SELECT 1
        CREATE TEMP SEQUENCE s
        CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'

        == Write Ddl ExecutesPrepared
        CREATE TABLE t AS EXECUTE p

        == Write Other None
        VACUUM
        VACUUM FULL t
        ANALYZE t
        REINDEX TABLE t
        CLUSTER
        CHECKPOINT

        == Write Listen Listens
        LISTEN c
        == Write Unlisten Unlistens
        UNLISTEN c
        UNLISTEN *
        == Write Select Notifies
        SELECT pg_notify('c', 'x')
        SELECT pg_notify(name, 'x') FROM t

        == PrimaryRead Select ReadsChannels
        SELECT pg_listening_channels()
        SELECT * FROM pg_listening_channels() AS c

        == Write Notify Notifies
        NOTIFY c
        NOTIFY c, 'x'
        == Write Lock None
        LOCK TABLE t
        LOCK t IN SHARE MODE NOWAIT
        == Write Load ChangesSessionOpaquely
        LOAD 'x'
        == Write Call RunsOpaqueCode
        CALL p(1)
        == Write Do RunsOpaqueCode
        DO $$ BEGIN PERFORM 1; END $$
        DO LANGUAGE plpgsql 'x'

        == Local Local None
        SHOW POOL_NODES
        show pool_version;
        /* x */ SHOW pool_status ;
        PGPOOL SHOW ALL
        pgpool set x to 1
        EXPLAIN ROUTE SELECT 1
        explain route INSERT INTO t VALUES (';')

        == Unknown Other None
        this is not SQL
        )
        == Unknown Select None
        SELECT FROM WHERE
        SELECT 'unterminated
        SELECT /* unterminated
        SELECT $a$ unterminated
        SELECT "unterminated
        == Unknown Ddl CreatesTemporary
        CREATE TEMP TABLE
        == Unknown Listen Listens
        LISTEN
        == Unknown Set SetsParameter,ChangesSessionOpaquely
        SET x = 0x10
        """;

    public static IEnumerable<StatementCase> Cases()
    {
        var heading = default(StatementCase)!;
        foreach (var line in Table.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!line.StartsWith("== ", StringComparison.Ordinal))
            {
                yield return heading with { Sql = line };
                continue;
            }

            var words = line.Split(' ');
            heading = new StatementCase("", Enum.Parse<StatementClass>(words[1]), Enum.Parse<StatementKind>(words[2]),
                Enum.Parse<SessionEffects>(words[3]));
        }
    }
}

/// <summary>One row of <see cref="StatementTable"/>.</summary>
internal sealed record StatementCase(string Sql, StatementClass Class, StatementKind Kind, SessionEffects Effects)
{
    public byte[] Bytes => Encoding.UTF8.GetBytes(Sql);

    public override string ToString() => Sql;
}
