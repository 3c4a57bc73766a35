namespace PgRouter.IntegrationTests.Wire;

/// <summary>Simple queries: every kind of result.</summary>
internal static class SimpleScripts
{
    public const string Text = """
        === simple rows of many types
        Q "SELECT 1::int2, 2::int4, 3::int8, 1.5::numeric, 'text', true, NULL, ARRAY[1,2], '{\"a\":1}'::jsonb, '\\x00ff'::bytea, DATE '2020-02-03'"
        > Z
        === simple many rows
        Q "SELECT g, repeat('r', g) FROM generate_series(1, 500) g"
        > Z
        === simple no rows
        Q "SELECT id FROM wire_rows WHERE false"
        > Z
        === simple no columns
        Q "SELECT FROM generate_series(1, 3)"
        > Z
        === simple empty query
        Q ""
        > Z
        Q ";"
        > Z
        Q "  -- only a comment"
        > Z
        Q "/* and */ ; ; "
        > Z
        === simple empty query in a transaction
        Q "BEGIN"
        > Z
        Q ""
        > Z
        Q ";;"
        > Z
        Q "ROLLBACK"
        > Z
        === simple syntax error
        Q "SELEKT 1"
        > Z
        Q "SELECT 1"
        > Z
        === simple errors of many kinds
        Q "SELECT 1/0"
        > Z
        Q "SELECT * FROM no_such_table"
        > Z
        Q "SELECT no_such_column FROM wire_rows"
        > Z
        Q "SELECT 'a'::int4"
        > Z
        Q "INSERT INTO wire_rows VALUES (1, 'twice')"
        > Z
        Q "SELECT no_such_function(1)"
        > Z
        === simple error after rows
        Q "SELECT 10 / (5 - g) FROM generate_series(1, 10) g"
        > Z
        === simple notices
        Q "DO $$ BEGIN RAISE NOTICE 'one'; RAISE WARNING 'two' USING HINT = 'a hint', DETAIL = 'a detail'; RAISE INFO 'three'; END $$"
        > Z
        === simple notice and error
        Q "DO $$ BEGIN RAISE NOTICE 'before'; RAISE EXCEPTION 'boom' USING ERRCODE = '22012'; END $$"
        > Z
        === simple multi statement
        Q "SELECT 1; SELECT 2, 3; SELECT FROM wire_rows WHERE false"
        > Z
        === simple multi statement with an error in the middle
        Q "SELECT 1; SELECT 1/0; SELECT 2"
        > Z
        Q "SELECT 3"
        > Z
        === simple multi statement with empty ones
        Q ";SELECT 1;;SELECT 2;"
        > Z
        === simple multi statement rolls back as one
        Q "CREATE TEMP TABLE wire_one (a int); INSERT INTO wire_one VALUES (1); SELECT 1/0"
        > Z
        Q "SELECT count(*) FROM wire_one"
        > Z
        === simple multi statement with transaction verbs
        Q "BEGIN; SELECT 1; COMMIT; SELECT 2"
        > Z
        Q "COMMIT; BEGIN; SELECT 3"
        > Z
        Q "ROLLBACK"
        > Z
        === simple pipeline in one write
        Q "SELECT 1"
        Q "SELECT broken"
        Q "BEGIN"
        Q "SELECT 2"
        Q "COMMIT"
        Q ""
        Q "SELECT 3"
        > Z 7
        === simple reads and writes in one pipeline
        Q "SELECT count(*) FROM wire_rows"
        Q "UPDATE wire_rows SET name = name WHERE id = 1"
        Q "SELECT name FROM wire_rows WHERE id = 1"
        Q "UPDATE wire_rows SET name = name WHERE id = 2 RETURNING id"
        > Z 4
        === simple command tags
        Q "CREATE TEMP TABLE wire_tags (a int, b text)"
        > Z
        Q "INSERT INTO wire_tags SELECT g, 'x' FROM generate_series(1, 7) g"
        > Z
        Q "UPDATE wire_tags SET b = 'y' WHERE a < 4"
        > Z
        Q "DELETE FROM wire_tags WHERE a > 5 RETURNING a + 0 AS a, b || '' AS b"
        > Z
        Q "TRUNCATE wire_tags"
        > Z
        Q "DROP TABLE wire_tags"
        > Z
        === simple utf8 and escapes
        Q "SELECT 'äöü€😀', E'tab\\t', U&'\\0041', $tag$ it's $tag$"
        > Z
        === simple explain and show
        Q "EXPLAIN (COSTS off) SELECT * FROM wire_rows WHERE id = 3"
        > Z
        Q "SHOW standard_conforming_strings"
        > Z
        Q "SHOW no_such_setting"
        > Z
        === simple text with a zero byte in the middle
        raw "\x51\x00\x00\x00\x11SELECT \0 1\0\0\0"
        > Z
        Q "SELECT 1"
        > Z
        === simple invalid utf8
        Q "SELECT '\xff\xfe'"
        > Z
        Q "SELECT 1"
        > Z
        === function call message
        F 1606 ["4"]
        > Z
        F 1606 ["4" "5"]
        > Z
        F 99999999 ["4"]
        > Z
        Q "BEGIN"
        > Z
        F 1606 ["9"]
        > Z
        F 1606 ["x"]
        > Z
        F 1606 ["9"]
        > Z
        Q "ROLLBACK"
        > Z
        === notices of a session with a lower client_min_messages
        Q "SET client_min_messages = debug1"
        > Z
        Q "CREATE TEMP TABLE wire_noisy (a int PRIMARY KEY)"
        > Z
        Q "RESET client_min_messages"
        > Z
        """;
}
