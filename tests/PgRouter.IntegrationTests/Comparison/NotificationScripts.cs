namespace PgRouter.IntegrationTests.Wire;

/// <summary>
/// LISTEN, NOTIFY and UNLISTEN alone and in transactions. Every channel begins with wire_channel, so that the process ids in front of it are not
/// compared; NotificationTests does.
/// </summary>
internal static class NotificationScripts
{
    public const string Text = """
        === notify oneself
        Q "LISTEN wire_channel"
        > Z
        Q "NOTIFY wire_channel"
        > Z
        Q "NOTIFY wire_channel, 'payload'"
        > Z
        Q "SELECT pg_notify('wire_channel', 'by function')"
        > Z
        Q "SELECT 1"
        > Z
        Q "UNLISTEN wire_channel"
        > Z
        Q "NOTIFY wire_channel"
        > Z
        === notify oneself in the extended protocol
        P "" "LISTEN wire_channel"
        B "" ""
        D P ""
        E "" 0
        S
        > Z
        P "notify" "SELECT pg_notify($1, $2)" {text text}
        S
        > Z
        B "" "notify" ["wire_channel" "one"]
        E "" 0
        B "" "notify" ["wire_channel" "two"]
        E "" 0
        S
        > Z
        P "" "NOTIFY wire_channel, 'three'"
        B "" ""
        E "" 0
        S
        P "" "SELECT 4"
        B "" ""
        E "" 0
        S
        P "" "NOTIFY wire_channel, 'five'"
        B "" ""
        E "" 0
        S
        > Z 3
        P "" "UNLISTEN *"
        B "" ""
        E "" 0
        S
        > Z
        B "" "notify" ["wire_channel" "nobody"]
        E "" 0
        S
        > Z
        === notify with a named LISTEN that is used twice
        P "listen" "LISTEN wire_channel"
        P "unlisten" "UNLISTEN wire_channel"
        S
        > Z
        B "" "listen"
        E "" 0
        S
        > Z
        B "" "listen"
        E "" 0
        S
        > Z
        Q "NOTIFY wire_channel, 'once'"
        > Z
        B "" "unlisten"
        E "" 0
        S
        > Z
        Q "NOTIFY wire_channel, 'never'"
        > Z
        B "" "listen"
        E "" 0
        S
        > Z
        Q "NOTIFY wire_channel, 'again'"
        > Z
        === notify from another client
        connect other
        Q "LISTEN wire_channel; LISTEN wire_channel_2"
        > Z
        other: Q "NOTIFY wire_channel, 'a'; NOTIFY wire_channel_2, 'b'; NOTIFY wire_channel, 'c'"
        other: > Z
        > A 3
        other: Q "NOTIFY wire_channel_3, 'x'"
        other: > Z
        other: Q "NOTIFY wire_channel, 'd'"
        other: > Z
        > A
        Q "SELECT 1"
        > Z
        === notify duplicates
        Q "LISTEN wire_channel"
        > Z
        Q "NOTIFY wire_channel, 'a'; NOTIFY wire_channel, 'a'; NOTIFY wire_channel, 'b'; NOTIFY wire_channel, 'a'"
        > Z
        Q "BEGIN; NOTIFY wire_channel, 'a'; SAVEPOINT s; NOTIFY wire_channel, 'a'; NOTIFY wire_channel, 'c'; ROLLBACK TO s; NOTIFY wire_channel, 'd'; COMMIT"
        > Z
        Q "SELECT pg_notify('wire_channel', (n % 3)::text) FROM generate_series(1, 10) n"
        > Z
        === notify in a transaction
        Q "LISTEN wire_channel"
        > Z
        Q "BEGIN"
        > Z
        Q "NOTIFY wire_channel, 'a'"
        > Z
        Q "SELECT 1"
        > Z
        Q "NOTIFY wire_channel, 'b'"
        > Z
        Q "COMMIT"
        > Z
        Q "BEGIN"
        > Z
        Q "NOTIFY wire_channel, 'c'"
        > Z
        Q "ROLLBACK"
        > Z
        Q "SELECT 2"
        > Z
        === notify that comes during a transaction
        connect other
        Q "LISTEN wire_channel"
        > Z
        Q "BEGIN"
        > Z
        Q "SELECT 1"
        > Z
        other: Q "NOTIFY wire_channel, 'late'"
        other: > Z
        Q "SELECT 2"
        > Z
        Q "COMMIT"
        > Z
        Q "BEGIN; SELECT 3"
        > Z
        other: Q "NOTIFY wire_channel, 'later'"
        other: > Z
        Q "SELECT 1/0"
        > Z
        Q "ROLLBACK"
        > Z
        === notify listens in a transaction
        connect other
        Q "BEGIN"
        > Z
        Q "LISTEN wire_channel"
        > Z
        other: Q "NOTIFY wire_channel, 'before the commit'"
        other: > Z
        Q "NOTIFY wire_channel, 'own'"
        > Z
        Q "COMMIT"
        > Z
        other: Q "NOTIFY wire_channel, 'after'"
        other: > Z
        > A
        === notify listens in a transaction that is rolled back
        Q "BEGIN"
        > Z
        Q "LISTEN wire_channel"
        > Z
        Q "ROLLBACK"
        > Z
        Q "NOTIFY wire_channel"
        > Z
        Q "BEGIN; LISTEN wire_channel; SELECT 1/0; COMMIT"
        > Z
        Q "COMMIT"
        > Z
        Q "NOTIFY wire_channel"
        > Z
        Q "LISTEN wire_channel; SELECT 1/0"
        > Z
        Q "NOTIFY wire_channel"
        > Z
        === notify and savepoints
        Q "BEGIN"
        > Z
        Q "LISTEN wire_channel_1"
        > Z
        Q "SAVEPOINT a"
        > Z
        Q "LISTEN wire_channel_2"
        > Z
        Q "SAVEPOINT b"
        > Z
        Q "LISTEN wire_channel_3"
        > Z
        Q "ROLLBACK TO a"
        > Z
        Q "LISTEN wire_channel_4"
        > Z
        Q "RELEASE a"
        > Z
        Q "COMMIT"
        > Z
        Q "NOTIFY wire_channel_1; NOTIFY wire_channel_2; NOTIFY wire_channel_3; NOTIFY wire_channel_4"
        > Z
        Q "BEGIN"
        > Z
        Q "SAVEPOINT a"
        > Z
        Q "UNLISTEN *"
        > Z
        Q "ROLLBACK TO a"
        > Z
        Q "UNLISTEN wire_channel_1"
        > Z
        Q "COMMIT"
        > Z
        Q "NOTIFY wire_channel_1; NOTIFY wire_channel_2; NOTIFY wire_channel_3; NOTIFY wire_channel_4"
        > Z
        === notify unlistened in a transaction
        connect other
        Q "LISTEN wire_channel; LISTEN wire_channel_2"
        > Z
        Q "BEGIN"
        > Z
        other: Q "NOTIFY wire_channel, 'not wanted any more'; NOTIFY wire_channel_2, 'wanted'"
        other: > Z
        Q "UNLISTEN wire_channel"
        > Z
        Q "COMMIT"
        > Z
        Q "BEGIN; UNLISTEN *; ROLLBACK"
        > Z
        Q "NOTIFY wire_channel; NOTIFY wire_channel_2, 'still'"
        > Z
        === notify names
        Q "LISTEN Wire_Channel"
        > Z
        Q "NOTIFY WIRE_CHANNEL, 'folded'"
        > Z
        Q "LISTEN \"wire_channel Quoted \"\"x\"\"\""
        > Z
        Q "NOTIFY \"wire_channel Quoted \"\"x\"\"\", 'quoted'"
        > Z
        Q "NOTIFY \"WIRE_CHANNEL\", 'another'"
        > Z
        Q "LISTEN wire_channel_of_a_name_that_is_much_too_long_for_postgresql_which_cuts_it"
        > Z
        Q "NOTIFY wire_channel_of_a_name_that_is_much_too_long_for_postgresql_which_cuts_otherwise, 'cut'"
        > Z
        Q "SELECT pg_notify('wire_channel_of_a_name_that_is_much_too_long_for_postgresql_which', 'cut')"
        > Z
        Q "LISTEN \"wire_channel_ärger\""
        > Z
        Q "NOTIFY \"wire_channel_ärger\", 'ö'"
        > Z
        Q "LISTEN \"\""
        > Z
        Q "LISTEN"
        > Z
        Q "LISTEN 'text'"
        > Z
        Q "NOTIFY wire_channel, '" 
        > Z
        Q "SELECT pg_notify('', 'x')"
        > Z
        Q "SELECT pg_notify(NULL, 'x')"
        > Z
        Q "SELECT pg_notify('wire_channel', repeat('x', 8000))"
        > Z
        Q "SELECT pg_notify('wire_channel', NULL)"
        > Z
        === notify and the channels that are asked for
        Q "SELECT pg_listening_channels()"
        > Z
        Q "LISTEN wire_channel_b; LISTEN wire_channel_a"
        > Z
        Q "SELECT pg_listening_channels()"
        > Z
        Q "SELECT * FROM pg_listening_channels() AS c (name) ORDER BY name"
        > Z
        Q "SELECT count(*) FROM pg_listening_channels()"
        > Z
        P "" "SELECT pg_listening_channels()"
        B "" ""
        D P ""
        E "" 0
        S
        > Z
        Q "UNLISTEN wire_channel_b"
        > Z
        Q "SELECT pg_listening_channels()"
        > Z
        Q "NOTIFY wire_channel_a, 'one only'"
        > Z
        Q "CREATE TEMP TABLE wire_pinned (a int)"
        > Z
        Q "LISTEN wire_channel_c"
        > Z
        Q "SELECT pg_listening_channels()"
        > Z
        Q "NOTIFY wire_channel_c, 'pinned'"
        > Z
        Q "DISCARD ALL"
        > Z
        Q "SELECT pg_listening_channels()"
        > Z
        === notify and DISCARD ALL
        Q "LISTEN wire_channel"
        > Z
        Q "DISCARD ALL"
        > Z
        Q "NOTIFY wire_channel"
        > Z
        P "" "LISTEN wire_channel"
        B "" ""
        E "" 0
        S
        > Z
        P "" "DISCARD ALL"
        B "" ""
        E "" 0
        S
        > Z
        Q "NOTIFY wire_channel"
        > Z
        Q "LISTEN wire_channel"
        > Z
        Q "SET work_mem = '1MB'"
        > Z
        Q "DISCARD ALL"
        > Z
        Q "NOTIFY wire_channel"
        > Z
        === notify and two phase commit
        Q "BEGIN; LISTEN wire_channel"
        > Z
        Q "PREPARE TRANSACTION 'wire_listen'"
        > Z
        Q "NOTIFY wire_channel"
        > Z
        Q "BEGIN; NOTIFY wire_channel"
        > Z
        Q "PREPARE TRANSACTION 'wire_notify'"
        > Z
        === notify and a COMMIT that fails
        Q "BEGIN; CREATE TABLE wire_deferred (n int UNIQUE DEFERRABLE INITIALLY DEFERRED); COMMIT"
        > Z
        Q "BEGIN"
        > Z
        Q "LISTEN wire_channel; SET work_mem = '3MB'; INSERT INTO wire_deferred VALUES (1), (1)"
        > Z
        Q "COMMIT"
        > Z
        Q "NOTIFY wire_channel; SHOW work_mem"
        > Z
        Q "LISTEN wire_channel; NOTIFY wire_channel; INSERT INTO wire_deferred VALUES (1), (1)"
        > Z
        Q "BEGIN; SET work_mem = '3MB'; LISTEN wire_channel; NOTIFY wire_channel; INSERT INTO wire_deferred VALUES (1), (1)"
        > Z
        P "" "COMMIT"
        B "" ""
        E "" 0
        S
        > Z
        Q "NOTIFY wire_channel; SHOW work_mem"
        > Z
        Q "DROP TABLE wire_deferred"
        > Z
        === notify and chained transactions
        Q "BEGIN; LISTEN wire_channel; NOTIFY wire_channel, 'a'; COMMIT AND CHAIN"
        > Z
        Q "NOTIFY wire_channel, 'b'"
        > Z
        Q "COMMIT AND CHAIN"
        > Z
        Q "NOTIFY wire_channel, 'c'"
        > Z
        Q "ROLLBACK AND CHAIN"
        > Z
        Q "UNLISTEN *; NOTIFY wire_channel, 'd'"
        > Z
        Q "COMMIT"
        > Z
        === notify pipelined
        Q "LISTEN wire_channel"
        Q "NOTIFY wire_channel, 'a'"
        Q "BEGIN"
        Q "NOTIFY wire_channel, 'b'"
        Q "COMMIT"
        Q "SELECT 1"
        Q "UNLISTEN wire_channel"
        Q "NOTIFY wire_channel, 'c'"
        Q "LISTEN wire_channel"
        Q "NOTIFY wire_channel, 'd'"
        > Z 10
        P "s" "SELECT 1"
        S
        P "t" "SELECT 2"
        S
        P "n" "NOTIFY wire_channel, 'e'"
        B "" "n"
        E "" 0
        S
        B "" "s"
        E "" 0
        S
        C S "t"
        S
        P "t" "SELECT 3"
        B "" "t"
        E "" 0
        S
        > Z 6
        === notify with Flush
        P "" "LISTEN wire_channel"
        B "" ""
        E "" 0
        H
        > C
        P "" "NOTIFY wire_channel, 'a'"
        B "" ""
        E "" 0
        H
        > C
        S
        > Z
        P "" "NOTIFY wire_channel, 'b'"
        B "" ""
        E "" 0
        H
        > C
        S
        > Z
        === notify by a trigger
        Q "LISTEN wire_channel"
        > Z
        Q "BEGIN; CREATE TABLE wire_notifies (n int); CREATE FUNCTION wire_notify() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_notify(''wire_channel'', NEW.n::text); RETURN NEW; END'; CREATE TRIGGER wire_notify BEFORE INSERT ON wire_notifies FOR EACH ROW EXECUTE FUNCTION wire_notify(); COMMIT"
        > Z
        Q "INSERT INTO wire_notifies VALUES (1), (2)"
        > Z
        Q "COPY wire_notifies FROM STDIN"
        > G
        d "3\n4\n"
        c
        > Z
        Q "DO $$ BEGIN NOTIFY wire_channel, 'by DO'; END $$"
        > Z
        Q "DROP TABLE wire_notifies; DROP FUNCTION wire_notify"
        > Z
        === notify listened to by code that the text does not show
        Q "LISTEN wire_channel_1"
        > Z
        Q "DO $$ BEGIN LISTEN wire_channel_2; END $$"
        > Z
        Q "NOTIFY wire_channel_1"
        > Z
        Q "NOTIFY wire_channel_2"
        > Z
        Q "SELECT c FROM pg_listening_channels() AS c ORDER BY c"
        > Z
        Q "LISTEN wire_channel_3"
        > Z
        Q "NOTIFY wire_channel_2"
        > Z
        Q "NOTIFY wire_channel_3"
        > Z
        Q "SELECT c FROM pg_listening_channels() AS c ORDER BY c"
        > Z
        Q "UNLISTEN wire_channel_2"
        > Z
        Q "NOTIFY wire_channel_2"
        > Z
        Q "NOTIFY wire_channel_3"
        > Z
        Q "UNLISTEN *"
        > Z
        Q "SELECT c FROM pg_listening_channels() AS c ORDER BY c"
        > Z
        Q "LISTEN wire_channel_4"
        > Z
        Q "NOTIFY wire_channel_2"
        > Z
        Q "NOTIFY wire_channel_4"
        > Z
        Q "BEGIN; DO $$ BEGIN LISTEN wire_channel_5; END $$; COMMIT"
        > Z
        Q "NOTIFY wire_channel_4"
        > Z
        Q "NOTIFY wire_channel_5"
        > Z
        === notify and answers of the router's own
        Q "LISTEN wire_channel"
        > Z
        Q ""
        > Z
        Q "BEGIN; NOTIFY wire_channel, 'a'; COMMIT; SELECT 1/0"
        > Z
        P "s" "SELECT 1"
        S
        > Z
        C S "s"
        S
        > Z
        Q "DEALLOCATE ALL"
        > Z
        B "" "no_such_statement"
        S
        > Z
        Q "NOTIFY wire_channel, 'b'"
        > Z
        """;
}
