namespace PgRouter.IntegrationTests.Wire;

/// <summary>State of the session that must look as if the client had a server of its own.</summary>
internal static class SessionScripts
{
    public const string Text = """
        === session settings
        Q "SET work_mem = '1MB'"
        > Z
        Q "SHOW work_mem"
        > Z
        Q "SELECT current_setting('work_mem')"
        > Z
        Q "RESET work_mem"
        > Z
        Q "SELECT current_setting('work_mem')"
        > Z
        Q "SET no_such_setting = 1"
        > Z
        Q "SET work_mem = 'nonsense'"
        > Z
        Q "SHOW work_mem"
        > Z
        === session settings that are reported
        Q "SET application_name = 'first'"
        > Z
        Q "SET TimeZone = 'Europe/Berlin'"
        > Z
        Q "SET DateStyle = 'German'"
        > Z
        Q "SELECT DATE '2020-02-03', current_setting('TimeZone'), current_setting('application_name')"
        > Z
        Q "RESET ALL"
        > Z
        Q "SELECT DATE '2020-02-03', current_setting('application_name')"
        > Z
        === session settings given at start up
        connect other application_name=started work_mem=3MB DateStyle=German options=-csearch_path=pg_catalog,public
        other: Q "SELECT current_setting('application_name'), current_setting('work_mem'), DATE '2020-02-03', current_setting('search_path')"
        other: > Z
        other: Q "SET work_mem = '4MB'"
        other: > Z
        other: Q "RESET work_mem"
        other: > Z
        other: Q "SELECT current_setting('work_mem')"
        other: > Z
        === session set config
        Q "SELECT set_config('work_mem', '5MB', false)"
        > Z
        Q "SHOW work_mem"
        > Z
        Q "SELECT set_config('wire.mine', 'kept', false), set_config('wire.other', 'kept too', false)"
        > Z
        Q "SELECT current_setting('wire.mine'), current_setting('wire.other')"
        > Z
        Q "SELECT set_config('work_mem', '6MB', true)"
        > Z
        Q "SHOW work_mem"
        > Z
        === session standard conforming strings
        Q "SET standard_conforming_strings = off"
        > Z
        Q "SELECT 'a\\'b'"
        > Z
        Q "SET standard_conforming_strings = on"
        > Z
        Q "SELECT 'a\\'"
        > Z
        === session discard all
        Q "SET work_mem = '1MB'"
        > Z
        P "s" "SELECT 1"
        S
        > Z
        Q "CREATE TEMP TABLE wire_temp (a int)"
        > Z
        Q "DISCARD ALL"
        > Z
        Q "SHOW work_mem"
        > Z
        B "" "s" []
        S
        > Z
        Q "SELECT * FROM wire_temp"
        > Z
        P "s" "SELECT 2"
        B "" "s" []
        E "" 0
        S
        > Z
        === session discard all in a transaction
        Q "BEGIN"
        > Z
        Q "DISCARD ALL"
        > Z
        Q "ROLLBACK"
        > Z
        === session prepare in sql
        Q "PREPARE q (int) AS SELECT $1 + 1"
        > Z
        Q "EXECUTE q (1)"
        > Z
        Q "SELECT name, statement FROM pg_prepared_statements WHERE name = 'q'"
        > Z
        Q "PREPARE q AS SELECT 2"
        > Z
        Q "DEALLOCATE q"
        > Z
        Q "EXECUTE q (1)"
        > Z
        Q "DEALLOCATE nothing"
        > Z
        Q "DEALLOCATE ALL"
        > Z
        === session statements of sql in the protocol
        Q "PREPARE q (int) AS SELECT $1 + 1 AS n"
        > Z
        B "" "q" ["4"]
        D P ""
        E "" 0
        S
        > Z
        D S "q"
        S
        > Z
        C S "q"
        S
        > Z
        === session deallocate all takes the statements of the protocol
        P "s" "SELECT 1"
        S
        > Z
        Q "DEALLOCATE ALL"
        > Z
        B "" "s" []
        S
        > Z
        P "s" "SELECT 2"
        B "" "s" []
        E "" 0
        S
        > Z
        === session temporary tables
        Q "CREATE TEMP TABLE wire_temp (a int)"
        > Z
        Q "INSERT INTO wire_temp VALUES (1), (2)"
        > Z
        Q "SELECT sum(a) FROM wire_temp"
        > Z
        P "" "SELECT count(*) FROM wire_temp"
        B "" "" []
        E "" 0
        S
        > Z
        Q "DROP TABLE wire_temp"
        > Z
        Q "SELECT sum(a) FROM wire_temp"
        > Z
        === session advisory locks
        Q "SELECT pg_advisory_lock(4711)"
        > Z
        Q "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND pid = pg_backend_pid()"
        > Z
        Q "SELECT pg_advisory_unlock(4711)"
        > Z
        Q "SELECT pg_advisory_unlock(4711)"
        > Z
        === session cursor with hold
        Q "BEGIN"
        > Z
        Q "DECLARE held CURSOR WITH HOLD FOR SELECT g FROM generate_series(1, 6) g"
        > Z
        Q "COMMIT"
        > Z
        Q "FETCH 2 FROM held"
        > Z
        Q "SELECT 1"
        > Z
        Q "FETCH ALL FROM held"
        > Z
        Q "CLOSE held"
        > Z
        Q "FETCH 1 FROM held"
        > Z
        === session listen and notify
        Q "LISTEN wire_channel"
        > Z
        Q "NOTIFY wire_channel, 'hello'"
        > A
        > Z
        Q "SELECT 1"
        > Z
        Q "UNLISTEN *"
        > Z
        Q "NOTIFY wire_channel, 'nobody'"
        > Z
        === session set role
        Q "SET ROLE wire_role"
        > Z
        Q "SELECT current_user, session_user"
        > Z
        Q "SELECT count(*) FROM wire_rows"
        > Z
        Q "RESET ROLE"
        > Z
        Q "SELECT current_user"
        > Z
        === session authorization
        Q "SET SESSION AUTHORIZATION wire_role"
        > Z
        Q "SELECT current_user, session_user"
        > Z
        Q "RESET SESSION AUTHORIZATION"
        > Z
        Q "SELECT current_user"
        > Z
        === session characteristics
        Q "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE"
        > Z
        Q "SHOW transaction_isolation"
        > Z
        Q "SHOW default_transaction_isolation"
        > Z
        === session client encoding
        Q "SET client_encoding = 'LATIN1'"
        > Z
        Q "SELECT '\xe4\xf6'"
        > Z
        Q "SELECT chr(228)"
        > Z
        Q "RESET client_encoding"
        > Z
        Q "SELECT chr(228)"
        > Z
        === session schema search path
        Q "SET search_path = pg_catalog"
        > Z
        Q "SELECT count(*) > 0 FROM wire_rows"
        > Z
        Q "SET search_path TO public, pg_catalog"
        > Z
        Q "SELECT count(*) > 0 FROM wire_rows"
        > Z
        === session ends
        Q "SELECT 1"
        > Z
        X
        > end
        === session two clients and their settings
        connect other
        Q "SET work_mem = '1MB'"
        > Z
        other: Q "SET work_mem = '2MB'"
        other: > Z
        Q "SHOW work_mem"
        > Z
        other: Q "SHOW work_mem"
        other: > Z
        Q "SELECT current_setting('work_mem')"
        > Z
        other: Q "SELECT current_setting('work_mem')"
        other: > Z
        """;
}
