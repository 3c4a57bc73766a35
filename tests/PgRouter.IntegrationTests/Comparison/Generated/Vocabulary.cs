namespace PgRouter.IntegrationTests.Wire;

/// <summary>
/// The statements of generated sessions, by what they do to the session. All answer the same whenever they are run: no times, no process
/// ids, no values of sequences that others advance. Names are few, so that statements meet.
/// </summary>
internal static class Vocabulary
{
    /// <summary>Transactions and savepoints, at every place where they are right and wrong.</summary>
    public static string[] Transactions { get; } =
    [
        "BEGIN", "BEGIN", "BEGIN", "START TRANSACTION READ ONLY", "BEGIN ISOLATION LEVEL SERIALIZABLE", "COMMIT", "COMMIT", "END", "ROLLBACK", "ABORT",
        "COMMIT AND CHAIN", "ROLLBACK AND CHAIN", "SAVEPOINT a", "SAVEPOINT b", "ROLLBACK TO a", "ROLLBACK TO b", "RELEASE a", "RELEASE b",
        "SET TRANSACTION READ ONLY", "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "BEGIN; COMMIT", "BEGIN; SELECT 1", "SELECT 2; COMMIT; SELECT 3",
        "SELECT 4; ROLLBACK", "BEGIN; SELECT 1/0", "SAVEPOINT a; SELECT 5", "SHOW transaction_isolation", "SHOW transaction_read_only",
    ];

    /// <summary>Settings of the session, of the transaction, by statement and by function; and what shows them.</summary>
    public static string[] Settings { get; } =
    [
        "SET work_mem = '1MB'", "SET work_mem = '2MB'", "SET LOCAL work_mem = '3MB'", "RESET work_mem", "SET work_mem TO DEFAULT", "SET work_mem = 'wrong'",
        "SET TimeZone = 'Asia/Tokyo'", "SET LOCAL TimeZone = 'Europe/Berlin'", "SET DateStyle = 'German'", "SET DateStyle = 'ISO, MDY'", "RESET DateStyle",
        "SET application_name = 'one'", "SET application_name = 'two'", "SET LOCAL application_name = 'three'", "RESET ALL", "SET no_such_setting = 1",
        "SELECT set_config('work_mem', '4MB', false)", "SELECT set_config('work_mem', '5MB', true)", "SELECT set_config('TimeZone', 'UTC', false)",
        "SET ROLE wire_role", "RESET ROLE", "SET LOCAL ROLE wire_role", "SET search_path = pg_catalog", "RESET search_path", "SET enable_seqscan = off",
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE", "SET work_mem = '6MB'; SELECT 1/0",
        "SET work_mem = '7MB'; SET TimeZone = 'Asia/Kolkata'", "BEGIN; SET work_mem = '8MB'; ROLLBACK", "BEGIN; SET work_mem = '9MB'; COMMIT",
        .. Shows,
    ];

    /// <summary>What shows the settings.</summary>
    public static string[] Shows =>
    [
        "SHOW work_mem", "SELECT current_setting('work_mem')", "SHOW TimeZone", "SELECT timestamptz '2020-02-03 04:05:06+00'", "SELECT DATE '2020-02-03'",
        "SELECT current_setting('application_name')", "SELECT current_user, session_user", "SHOW search_path", "SHOW default_transaction_read_only",
    ];

    /// <summary>Statements prepared in SQL; their names are those of the protocol's too.</summary>
    public static string[] Prepared { get; } =
    [
        "PREPARE s AS SELECT 's of sql'", "PREPARE t (int) AS SELECT $1 + 1", "PREPARE u AS SELECT count(*) FROM wire_rows", "PREPARE v AS SELEKT",
        "EXECUTE s", "EXECUTE t (41)", "EXECUTE t", "EXECUTE u", "DEALLOCATE s", "DEALLOCATE t", "DEALLOCATE ALL", "EXECUTE s; EXECUTE t (1)",
        "SELECT name FROM pg_prepared_statements ORDER BY name", "DISCARD PLANS",
    ];

    /// <summary>Temporary tables, cursors, locks, sequences of the session, and what ends them.</summary>
    public static string[] Objects { get; } =
    [
        "CREATE TEMP TABLE wire_temp (a int)", "CREATE TEMP TABLE wire_temp (a int) ON COMMIT DROP", "CREATE TEMP TABLE wire_temp AS SELECT 7 AS a",
        "INSERT INTO wire_temp VALUES (1), (2)", "SELECT count(*) FROM wire_temp", "SELECT a FROM wire_temp ORDER BY a", "DROP TABLE wire_temp",
        "TRUNCATE wire_temp", "CREATE TEMP TABLE wire_temp (a int); INSERT INTO wire_temp VALUES (3)", "DISCARD ALL", "DISCARD SEQUENCES",
        "DECLARE c CURSOR FOR SELECT g FROM generate_series(1, 9) g", "DECLARE held CURSOR WITH HOLD FOR SELECT g FROM generate_series(1, 9) g",
        "FETCH 2 FROM c", "FETCH 2 FROM held", "MOVE 1 FROM held", "CLOSE c", "CLOSE held", "CLOSE ALL", "SELECT name FROM pg_cursors WHERE name <> '' ORDER BY name",
        "SELECT pg_advisory_lock(4850)", "SELECT pg_advisory_xact_lock(4851)", "SELECT pg_try_advisory_lock(4852)", "SELECT pg_advisory_unlock(4850)",
        "SELECT pg_advisory_unlock_all()", "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()",
        "CREATE TEMP SEQUENCE wire_seq", "SELECT nextval('wire_seq')", "SELECT currval('wire_seq')", "DROP SEQUENCE wire_seq",
    ];

    /// <summary>Reads, writes and errors.</summary>
    public static string[] Work { get; } =
    [
        "SELECT 1", "SELECT count(*) FROM wire_rows", "SELECT name FROM wire_rows WHERE id = 3", "UPDATE wire_rows SET name = name WHERE id = 4",
        "UPDATE wire_rows SET name = name WHERE id = 5 RETURNING id", "SELECT id FROM wire_rows WHERE id = 6 FOR UPDATE", "SELECT 1/0", "SELEKT",
        "SELECT broken", "SELECT 10 / (3 - g) FROM generate_series(1, 5) g", "", "SELECT 1; SELECT 1/0; SELECT 2", "SELECT 8; SELECT 9",
        "DO $$ BEGIN RAISE NOTICE 'noticed'; END $$", "DO $$ BEGIN RAISE EXCEPTION 'raised'; END $$", "COPY (SELECT g FROM generate_series(1, 3) g) TO STDOUT",
        "COPY (SELECT 1/0) TO STDOUT", "EXPLAIN (COSTS off) SELECT 1", "VACUUM wire_secret", "SELECT count(*) FROM wire_secret",
    ];

    /// <summary>Texts of Parse: no COPY from the client among them, for nobody would send its data.</summary>
    public static string[] Parsed { get; } =
    [
        "SELECT 's of the protocol'", "SELECT $1::int4 + 1", "SELECT g FROM generate_series(1, 6) g", "SELECT count(*) FROM wire_rows",
        "UPDATE wire_rows SET name = name WHERE id = 7", "SELEKT", "SELECT broken", "SELECT 1/0", "",
        "SET work_mem = '11MB'", "SHOW work_mem", "SET LOCAL work_mem = '12MB'", "SELECT DATE '2020-02-03'", "EXECUTE s", "DEALLOCATE s",
        "CREATE TEMP TABLE wire_temp (a int)", "INSERT INTO wire_temp VALUES (5)", "SELECT count(*) FROM wire_temp",
    ];
}
