namespace PgRouter.IntegrationTests.Wire;

/// <summary>Errors at each position of the extended protocol and what they leave behind.</summary>
internal static class ErrorScripts
{
    public const string Text = """
        === error in parse skips to sync
        P "bad" "SELEKT 1"
        B "" "bad" []
        D P ""
        E "" 0
        C S "bad"
        S
        > Z
        B "" "bad" []
        S
        > Z
        === error in bind skips to sync
        P "s" "SELECT $1::int4" {int4}
        B "" "s" ["x"]
        D P ""
        E "" 0
        P "t" "SELECT 2"
        S
        > Z
        B "" "t" []
        S
        > Z
        B "" "s" ["1"]
        E "" 0
        S
        > Z
        === error in bind by the number of parameters
        P "" "SELECT $1::int4" {int4}
        B "" "" ["1" "2"]
        S
        > Z
        B "" "" []
        S
        > Z
        === error in describe
        D S "nothing"
        S
        > Z
        D P "nothing"
        S
        > Z
        D S ""
        S
        > Z
        === error in execute skips to sync
        P "" "SELECT 1 / $1::int4" {int4}
        B "" "" ["0"]
        E "" 0
        E "" 0
        C P ""
        S
        > Z
        === error 26000 unknown statement
        B "" "nothing" []
        E "" 0
        S
        > Z
        Q "SELECT 1"
        > Z
        === error 34000 unknown portal
        E "nothing" 0
        S
        > Z
        Q "SELECT 1"
        > Z
        === error 42P05 statement exists
        P "s" "SELECT 1"
        S
        > Z
        P "s" "SELECT 2"
        B "" "s" []
        E "" 0
        S
        > Z
        B "" "s" []
        E "" 0
        S
        > Z
        === error 42P05 within one batch
        P "s" "SELECT 1"
        P "s" "SELECT 2"
        B "" "s" []
        E "" 0
        S
        > Z
        B "" "s" []
        E "" 0
        S
        > Z
        === error 42P03 portal exists
        P "s" "SELECT 1"
        B "p" "s" []
        B "p" "s" []
        E "p" 0
        S
        > Z
        === error 3B001 unknown savepoint
        Q "BEGIN"
        > Z
        Q "ROLLBACK TO nothing"
        > Z
        Q "ROLLBACK"
        > Z
        === error unknown statement fails the transaction
        Q "BEGIN"
        > Z
        B "" "nothing" []
        S
        > Z
        Q "SELECT 1"
        > Z
        Q "COMMIT"
        > Z
        === error statement exists fails the transaction
        P "s" "SELECT 1"
        S
        > Z
        Q "BEGIN"
        > Z
        P "s" "SELECT 2"
        S
        > Z
        Q "SELECT 1"
        > Z
        Q "COMMIT"
        > Z
        === error describe of an unknown statement fails the transaction
        Q "BEGIN"
        > Z
        D S "nothing"
        S
        > Z
        Q "COMMIT"
        > Z
        === error unknown statement undoes the writes of its sync
        Q "CREATE TEMP TABLE wire_k (a int)"
        > Z
        P "" "INSERT INTO wire_k VALUES (1)"
        B "" "" []
        E "" 0
        B "" "nothing" []
        E "" 0
        S
        > Z
        Q "SELECT count(*) FROM wire_k"
        > Z
        === error statement exists undoes the writes of its sync
        Q "CREATE TEMP TABLE wire_k (a int)"
        > Z
        P "s" "SELECT 1"
        S
        > Z
        P "" "INSERT INTO wire_k VALUES (1)"
        B "" "" []
        E "" 0
        P "s" "SELECT 1"
        S
        > Z
        Q "SELECT count(*) FROM wire_k"
        > Z
        === error takes back a statement that was skipped
        B "" "nothing" []
        P "s" "SELECT 1"
        S
        > Z
        P "s" "SELECT 2"
        B "" "s" []
        E "" 0
        S
        > Z
        === error takes back a parse of a known text
        P "a" "SELECT 'text'"
        S
        > Z
        P "" "SELEKT"
        P "b" "SELECT 'text'"
        S
        > Z
        B "" "b" []
        S
        > Z
        B "" "a" []
        E "" 0
        S
        > Z
        === error takes back a close that was skipped
        P "s" "SELECT 'kept'"
        S
        > Z
        P "" "SELEKT"
        C S "s"
        S
        > Z
        B "" "s" []
        E "" 0
        S
        > Z
        === error takes back close and parse of one name
        P "s" "SELECT 'old'"
        S
        > Z
        P "" "SELEKT"
        C S "s"
        P "s" "SELECT 'new'"
        S
        > Z
        B "" "s" []
        E "" 0
        S
        > Z
        === error then flush then sync
        P "" "SELEKT"
        H
        > E
        B "" "" []
        E "" 0
        H
        P "x" "SELECT 1"
        S
        > Z
        B "" "x" []
        S
        > Z
        === error in the middle of a pipeline leaves the other syncs alone
        P "s" "SELECT $1::int4" {int4}
        B "" "s" ["1"]
        E "" 0
        S
        B "" "s" ["x"]
        E "" 0
        S
        B "" "s" ["3"]
        E "" 0
        S
        B "" "gone" []
        E "" 0
        S
        B "" "s" ["5"]
        E "" 0
        S
        > Z 5
        === error malformed bind
        P "s" "SELECT 1"
        S
        > Z
        raw "\x42\x00\x00\x00\x07\0s\0"
        S
        > Z
        Q "SELECT 1"
        > Z
        === error malformed describe and close
        raw "\x44\x00\x00\x00\x06X\0"
        S
        > Z
        raw "\x43\x00\x00\x00\x06X\0"
        S
        > Z
        Q "SELECT 1"
        > Z
        === error malformed execute
        raw "\x45\x00\x00\x00\x05\0"
        S
        > Z
        Q "SELECT 1"
        > Z
        === error two statements in one parse
        P "" "SELECT 1; SELECT 2"
        S
        > Z
        P "m" "SELECT 1; SELECT 2"
        S
        > Z
        Q "SELECT 1"
        > Z
        """;
}
