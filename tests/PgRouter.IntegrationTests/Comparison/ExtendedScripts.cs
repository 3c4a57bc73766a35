namespace PgRouter.IntegrationTests.Wire;

/// <summary>Extended protocol: messages in many orders.</summary>
internal static class ExtendedScripts
{
    public const string Text = """
        === extended the usual way
        P "" "SELECT $1::int4 + 1 AS n" {int4}
        B "" "" ["41"]
        D P ""
        E "" 0
        S
        > Z
        === extended named statement over many syncs
        P "add" "SELECT $1::int4 + $2::int4" {int4 int4}
        D S "add"
        S
        > Z
        B "" "add" ["1" "2"]
        E "" 0
        S
        > Z
        B "" "add" ["3" null]
        D P ""
        E "" 0
        S
        > Z
        C S "add"
        S
        > Z
        B "" "add" ["1" "2"]
        E "" 0
        S
        > Z
        === extended unnamed statement after sync
        P "" "SELECT $1::text" {text}
        S
        > Z
        B "" "" ["a"]
        E "" 0
        S
        > Z
        B "" "" ["b"]
        D P ""
        E "" 0
        S
        > Z
        D S ""
        S
        > Z
        === extended unnamed statement is destroyed by a simple query
        P "" "SELECT 1"
        S
        > Z
        Q "SELECT 2"
        > Z
        B "" "" []
        E "" 0
        S
        > Z
        === extended unnamed statement survives an error of its bind
        P "" "SELECT $1::int4" {int4}
        S
        > Z
        B "" "" ["x"]
        E "" 0
        S
        > Z
        B "" "" ["7"]
        E "" 0
        S
        > Z
        === extended unnamed statement does not survive a parse that failed
        P "" "SELECT 1"
        S
        > Z
        P "" "SELEKT 1"
        S
        > Z
        B "" "" []
        E "" 0
        S
        > Z
        === extended describe before and after
        P "d" "SELECT 1 AS a, 'x'::text AS b"
        D S "d"
        B "p" "d" []
        D P "p"
        D S "d"
        E "p" 0
        D P "p"
        S
        > Z
        === extended describe of commands without rows
        P "d" "CREATE TEMP TABLE wire_d (a int)"
        D S "d"
        B "" "d" []
        D P ""
        E "" 0
        S
        > Z
        P "i" "INSERT INTO wire_d VALUES ($1), ($2)"
        D S "i"
        B "" "i" ["1" "2"]
        E "" 0
        S
        > Z
        === extended empty query
        P "" ""
        D S ""
        B "" "" []
        D P ""
        E "" 0
        S
        > Z
        P "e" "  "
        S
        > Z
        B "" "e" []
        E "" 0
        S
        > Z
        === extended only sync
        S
        > Z
        S
        S
        S
        > Z 3
        === extended sync in a transaction
        Q "BEGIN"
        > Z
        S
        > Z
        C S "nothing"
        C P "nothing"
        S
        > Z
        Q "ROLLBACK"
        > Z
        === extended close of what does not exist
        C S "nothing"
        C P "nothing"
        C S ""
        C P ""
        S
        > Z
        === extended flush gives the replies so far
        P "f" "SELECT $1::int4" {int4}
        H
        > 1
        D S "f"
        H
        > T
        B "" "f" ["5"]
        H
        > 2
        E "" 0
        H
        > C
        S
        > Z
        === extended flush then a write
        P "" "SELECT count(*) > 0 FROM wire_rows"
        B "" "" []
        E "" 0
        H
        > C
        P "" "UPDATE wire_rows SET name = name WHERE id = 1"
        B "" "" []
        E "" 0
        S
        > Z
        === extended row limit on an unnamed portal
        P "" "SELECT g FROM generate_series(1, 5) g"
        B "" "" []
        E "" 2
        E "" 2
        E "" 2
        S
        > Z
        === extended row limit on a named portal in a transaction
        Q "BEGIN"
        > Z
        P "" "SELECT g FROM generate_series(1, 7) g"
        B "cursor" "" []
        E "cursor" 3
        S
        > Z
        E "cursor" 3
        S
        > Z
        E "cursor" 3
        S
        > Z
        E "cursor" 3
        S
        > Z
        C P "cursor"
        S
        > Z
        E "cursor" 1
        S
        > Z
        Q "ROLLBACK"
        > Z
        === extended portals end with their transaction
        P "s" "SELECT g FROM generate_series(1, 7) g"
        B "cursor" "s" []
        E "cursor" 3
        S
        > Z
        E "cursor" 3
        S
        > Z
        D P "cursor"
        S
        > Z
        === extended two portals of one statement
        P "s" "SELECT g, $1::text FROM generate_series(1, 4) g" {text}
        B "a" "s" ["first"]
        B "b" "s" ["second"]
        E "a" 2
        E "b" 1
        E "a" 0
        E "b" 0
        C P "a"
        E "b" 0
        S
        > Z
        === extended pipeline of several syncs
        P "" "SELECT 1"
        B "" "" []
        E "" 0
        S
        P "" "SELECT broken"
        B "" "" []
        E "" 0
        S
        P "n" "SELECT 3"
        B "" "n" []
        E "" 0
        S
        B "" "n" []
        E "" 0
        S
        > Z 4
        === extended several statements in one sync
        P "a" "SELECT 1"
        P "b" "SELECT 2"
        P "" "SELECT 3"
        B "" "a" []
        E "" 0
        B "" "b" []
        E "" 0
        B "" "" []
        E "" 0
        S
        > Z
        === extended write and read in one sync
        P "" "CREATE TEMP TABLE wire_w (a int)"
        B "" "" []
        E "" 0
        P "" "INSERT INTO wire_w SELECT generate_series(1, 3) RETURNING a"
        B "" "" []
        E "" 0
        P "" "SELECT sum(a) FROM wire_w"
        B "" "" []
        D P ""
        E "" 0
        S
        > Z
        === extended an error undoes the writes of its sync
        Q "CREATE TEMP TABLE wire_u (a int)"
        > Z
        P "" "INSERT INTO wire_u VALUES (1)"
        B "" "" []
        E "" 0
        P "" "SELECT 1/0"
        B "" "" []
        E "" 0
        S
        > Z
        Q "SELECT count(*) FROM wire_u"
        > Z
        === extended simple query after a parse without sync
        P "" "SELECT 1"
        B "" "" []
        E "" 0
        Q "SELECT 2"
        > Z
        P "n" "SELECT 3"
        Q "SELECT 4"
        > Z
        B "" "n" []
        E "" 0
        S
        > Z
        === extended simple query after an error without sync is skipped
        P "" "SELEKT 1"
        Q "SELECT 2"
        S
        > Z
        Q "SELECT 3"
        > Z
        === extended binary formats
        P "" "SELECT $1::int4, $2::text, $3::int8, $4::bytea, NULL::int4" {int4 text int8 bytea}
        B "" "" ["\x00\x00\x00\x2a" "abc" "\x00\x00\x00\x00\x00\x00\x00\x07" "\x00\xff"] {binary text binary binary} {binary}
        D P ""
        E "" 0
        S
        > Z
        B "" "" ["\x00\x00\x00\x2a" "abc" "\x00\x00\x00\x00\x00\x00\x00\x07" "\x00\xff"] {binary} {binary text binary text binary}
        D P ""
        E "" 0
        S
        > Z
        === extended parameter types inferred
        P "t" "SELECT $1 + 1, $2 || 'x'"
        D S "t"
        S
        > Z
        P "u" "SELECT $1, $2" {1043}
        D S "u"
        S
        > Z
        === extended same text under two names
        P "a" "SELECT $1::int4 AS shared" {int4}
        P "b" "SELECT $1::int4 AS shared" {int4}
        S
        > Z
        B "" "a" ["1"]
        E "" 0
        B "" "b" ["2"]
        E "" 0
        C S "a"
        B "" "b" ["3"]
        E "" 0
        S
        > Z
        B "" "a" ["4"]
        E "" 0
        S
        > Z
        === extended same name made again after close in one batch
        P "s" "SELECT 'old'"
        S
        > Z
        C S "s"
        P "s" "SELECT 'new'"
        B "" "s" []
        E "" 0
        S
        > Z
        B "" "s" []
        E "" 0
        S
        > Z
        === extended result type changes under a prepared statement
        Q "CREATE TEMP TABLE wire_c (a int); INSERT INTO wire_c VALUES (1)"
        > Z
        P "s" "SELECT * FROM (SELECT * FROM wire_c UNION ALL SELECT * FROM wire_c) AS both_times"
        B "" "s" []
        E "" 0
        S
        > Z
        Q "ALTER TABLE wire_c ADD COLUMN b text"
        > Z
        B "" "s" []
        E "" 0
        S
        > Z
        === extended prepared names with odd bytes
        P "ä \"quoted\" \\" "SELECT 1"
        B "påø" "ä \"quoted\" \\" []
        D P "påø"
        E "påø" 0
        C P "påø"
        C S "ä \"quoted\" \\"
        S
        > Z
        === extended two clients use one name for two texts
        connect other
        P "s" "SELECT 'mine'"
        S
        > Z
        other: P "s" "SELECT 'other'"
        other: S
        other: > Z
        B "" "s" []
        E "" 0
        S
        > Z
        other: B "" "s" []
        other: E "" 0
        other: S
        other: > Z
        """;
}
