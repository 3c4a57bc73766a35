namespace PgRouter.IntegrationTests.Wire;

/// <summary>Prepared statements by SQL and by the protocol: one namespace.</summary>
internal static class NameScripts
{
    public const string Text = """
        === names execute in sql what the protocol prepared
        P "s" "SELECT $1::int4 + 1 AS n"
        S
        > Z
        Q "EXECUTE s (1)"
        > Z
        Q "EXECUTE s (1); EXECUTE s (2)"
        > Z
        Q "EXPLAIN (COSTS OFF) EXECUTE s (1)"
        > Z
        Q "DEALLOCATE s"
        > Z
        Q "EXECUTE s (1)"
        > Z
        === names prepare in sql and use in the protocol
        Q "PREPARE q AS SELECT 1 AS one"
        > Z
        Q "PREPARE r (int, text) AS SELECT $1 AS a, $2 AS b"
        > Z
        D S "q"
        B "" "r" ["4" "x"]
        E "" 0
        S
        > Z
        P "q" "SELECT 2"
        S
        > Z
        C S "q"
        P "q" "SELECT 2"
        B "" "q" []
        E "" 0
        S
        > Z
        Q "EXECUTE q"
        > Z
        === names already taken
        P "s" "SELECT 1"
        S
        > Z
        Q "PREPARE s AS SELECT 2"
        > Z
        Q "BEGIN"
        > Z
        Q "PREPARE s AS SELECT 2"
        > Z
        Q "SELECT 1"
        > Z
        Q "ROLLBACK"
        > Z
        Q "EXECUTE s"
        > Z
        === names with quotes and cases
        Q "PREPARE \"Mixed Case\" AS SELECT 1"
        > Z
        Q "PREPARE UPPER AS SELECT 2"
        > Z
        Q "EXECUTE \"Mixed Case\"; EXECUTE upper; EXECUTE Upper"
        > Z
        B "" "upper" []
        E "" 0
        S
        > Z
        Q "EXECUTE mixed"
        > Z
        Q "DEALLOCATE PREPARE \"Mixed Case\""
        > Z
        Q "EXECUTE \"Mixed Case\""
        > Z
        === names and places of errors
        Q "PREPARE q AS SELECT no_such_column"
        > Z
        Q "PREPARE longer_than_the_name_of_the_server AS SELECT 1 FROM no_such_table"
        > Z
        Q "EXECUTE q"
        > Z
        Q "PREPARE q (int) AS SELECT $1"
        > Z
        Q "EXECUTE q ('a')"
        > Z
        Q "EXECUTE q (1, 2)"
        > Z
        Q "EXECUTE q (no_such_column)"
        > Z
        Q "EXECUTE q (7)"
        > Z
        === names in a transaction that fails
        Q "BEGIN"
        > Z
        Q "PREPARE q AS SELECT 1"
        > Z
        Q "SELECT 1/0"
        > Z
        Q "PREPARE r AS SELECT 1"
        > Z
        Q "EXECUTE q"
        > Z
        Q "DEALLOCATE q"
        > Z
        Q "ROLLBACK"
        > Z
        Q "EXECUTE q"
        > Z
        Q "EXECUTE r"
        > Z
        === names in texts of several statements
        Q "PREPARE q AS SELECT 1; EXECUTE q"
        > Z
        Q "EXECUTE q"
        > Z
        P "s" "SELECT 3"
        S
        > Z
        Q "EXECUTE q; EXECUTE s; DEALLOCATE s; EXECUTE s"
        > Z
        Q "DEALLOCATE q"
        > Z
        Q "EXECUTE q"
        > Z
        === names in the extended protocol
        P "s" "SELECT $1::int4 * 2"
        S
        > Z
        P "" "EXECUTE s (21)"
        B "" "" []
        D P ""
        E "" 0
        S
        > Z
        P "again" "EXECUTE s (4)"
        S
        > Z
        B "" "again" []
        E "" 0
        S
        > Z
        P "" "DEALLOCATE s"
        B "" "" []
        E "" 0
        S
        > Z
        B "" "s" ["1"]
        E "" 0
        S
        > Z
        === names prepared in the extended protocol
        P "" "PREPARE q AS SELECT 5"
        B "" "" []
        E "" 0
        S
        > Z
        Q "EXECUTE q"
        > Z
        B "" "q" []
        E "" 0
        S
        > Z
        P "q" "SELECT 6"
        S
        > Z
        P "" "DEALLOCATE ALL"
        B "" "" []
        E "" 0
        S
        > Z
        Q "EXECUTE q"
        > Z
        === names in pg_prepared_statements
        P "s" "SELECT $1::int4"
        S
        > Z
        Q "PREPARE q (text) AS SELECT $1"
        > Z
        Q "SELECT name, statement, parameter_types, from_sql FROM pg_prepared_statements ORDER BY name"
        > Z
        Q "EXECUTE q ('x')"
        > Z
        Q "BEGIN"
        > Z
        Q "SELECT name FROM pg_prepared_statements ORDER BY name"
        > Z
        Q "EXECUTE s (1)"
        > Z
        Q "SELECT count(*) FROM pg_catalog.pg_prepared_statements"
        > Z
        Q "COMMIT"
        > Z
        === names of a table made from a prepared statement
        Q "PREPARE q AS SELECT 1 AS a"
        > Z
        Q "CREATE TEMP TABLE wire_made AS EXECUTE q"
        > Z
        Q "SELECT sum(a) FROM wire_made"
        > Z
        === names of statements with wrong parameters
        P "s" "SELECT $1::int4"
        S
        > Z
        B "" "s" []
        S
        > Z
        B "" "s" ["1" "2"]
        S
        > Z
        """;
}
