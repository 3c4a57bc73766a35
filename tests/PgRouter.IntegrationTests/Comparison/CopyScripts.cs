namespace PgRouter.IntegrationTests.Wire;

/// <summary>COPY in both directions and both protocols.</summary>
internal static class CopyScripts
{
    public const string Text = """
        === copy out
        Q "COPY (SELECT g, 'x' FROM generate_series(1, 20) g) TO STDOUT"
        > Z
        Q "COPY wire_rows TO STDOUT (FORMAT csv, HEADER)"
        > Z
        Q "COPY (SELECT 1) TO STDOUT (FORMAT binary)"
        > Z
        === copy out with an error
        Q "COPY (SELECT 10 / (5 - g) FROM generate_series(1, 10) g) TO STDOUT"
        > Z
        Q "COPY no_such_table TO STDOUT"
        > Z
        === copy out extended
        P "" "COPY (SELECT g FROM generate_series(1, 5) g) TO STDOUT"
        D S ""
        B "" "" []
        D P ""
        E "" 0
        S
        > Z
        === copy in
        Q "CREATE TEMP TABLE wire_in (a int, b text)"
        > Z
        Q "COPY wire_in FROM STDIN"
        > G
        d "1\tone\n2\t\\N\n"
        d "3\tth"
        d "ree\n"
        c
        > Z
        Q "SELECT a + 0, b || '' FROM wire_in ORDER BY a"
        > Z
        === copy in with everything in one write
        Q "CREATE TEMP TABLE wire_in (a int, b text)"
        Q "COPY wire_in FROM STDIN"
        d "1\tone\n"
        c
        Q "SELECT a + 0, b || '' FROM wire_in"
        > Z 3
        === copy in refused by the client
        Q "CREATE TEMP TABLE wire_in (a int)"
        > Z
        Q "COPY wire_in FROM STDIN"
        > G
        d "1\n"
        f "changed my mind"
        > Z
        Q "SELECT count(*) FROM wire_in"
        > Z
        === copy in with an error before copy done
        Q "CREATE TEMP TABLE wire_in (a int)"
        > Z
        Q "COPY wire_in FROM STDIN"
        > G
        d "not a number\n"
        > Z
        d "1\n"
        c
        Q "SELECT count(*) FROM wire_in"
        > Z
        === copy in with an error after copy done
        Q "CREATE TEMP TABLE wire_in (a int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED)"
        > Z
        Q "COPY wire_in FROM STDIN"
        > G
        d "1\n1\n"
        c
        > Z
        Q "SELECT count(*) FROM wire_in"
        > Z
        === copy in that is refused while its data is on the way
        Q "COPY no_such_table FROM STDIN"
        d "1\n"
        d "2\n"
        c
        Q "SELECT 1"
        > Z 2
        === copy messages without a copy
        d "1\n"
        c
        f "why"
        Q "SELECT 1"
        > Z
        === copy messages without a copy in a transaction
        Q "BEGIN"
        > Z
        d "1\n"
        c
        f "why"
        Q "SELECT 1"
        > Z
        Q "COMMIT"
        > Z
        === copy in extended
        Q "CREATE TEMP TABLE wire_in (a int)"
        > Z
        P "" "COPY wire_in FROM STDIN"
        B "" "" []
        E "" 0
        H
        > G
        d "1\n2\n"
        c
        S
        > Z
        Q "SELECT count(*) FROM wire_in"
        > Z
        === copy in extended with a sync before the data
        Q "CREATE TEMP TABLE wire_in (a int)"
        > Z
        P "" "COPY wire_in FROM STDIN"
        B "" "" []
        E "" 0
        S
        > G
        d "1\n2\n"
        c
        S
        > Z
        Q "SELECT count(*) FROM wire_in"
        > Z
        === copy in extended in one write
        Q "CREATE TEMP TABLE wire_in (a int)"
        > Z
        P "" "COPY wire_in FROM STDIN"
        B "" "" []
        E "" 0
        d "1\n2\n"
        c
        S
        > Z
        Q "SELECT count(*) FROM wire_in"
        > Z
        === copy in extended refused by the client
        Q "CREATE TEMP TABLE wire_in (a int)"
        > Z
        P "" "COPY wire_in FROM STDIN"
        B "" "" []
        E "" 0
        S
        > G
        d "1\n"
        f "no"
        S
        > Z
        Q "SELECT count(*) FROM wire_in"
        > Z
        === copy in extended with an error in the data
        Q "CREATE TEMP TABLE wire_in (a int)"
        > Z
        P "" "COPY wire_in FROM STDIN"
        B "" "" []
        E "" 0
        S
        > G
        d "not a number\n"
        > E
        d "1\n"
        c
        S
        > Z
        Q "SELECT count(*) FROM wire_in"
        > Z
        === copy in ended by another message
        Q "CREATE TEMP TABLE wire_in (a int)"
        > Z
        Q "COPY wire_in FROM STDIN"
        > G
        d "1\n"
        Q "SELECT 1"
        > E
        === copy in a transaction and multi statement
        Q "BEGIN"
        > Z
        Q "CREATE TEMP TABLE wire_in (a int); COPY wire_in FROM STDIN; SELECT count(*) FROM wire_in"
        > G
        d "1\n2\n3\n"
        c
        > Z
        Q "COPY wire_in FROM STDIN"
        > G
        d "x\n"
        c
        > Z
        Q "SELECT 1"
        > Z
        Q "ROLLBACK"
        > Z
        """;
}
