namespace PgRouter.IntegrationTests.Wire;

/// <summary>Transactions, savepoints and what fails in them.</summary>
internal static class TransactionScripts
{
    public const string Text = """
        === transaction of reads and writes
        Q "BEGIN"
        > Z
        Q "SELECT count(*) FROM wire_rows"
        > Z
        Q "INSERT INTO wire_rows VALUES (1001, 'new') RETURNING id"
        > Z
        Q "SELECT name FROM wire_rows WHERE id = 1001"
        > Z
        Q "ROLLBACK"
        > Z
        Q "SELECT 1"
        > Z
        === transaction that failed
        Q "BEGIN"
        > Z
        Q "SELECT 1/0"
        > Z
        Q "SELECT 1"
        > Z
        P "" "SELECT 1"
        B "" "" []
        E "" 0
        S
        > Z
        Q "COMMIT"
        > Z
        Q "SELECT 1"
        > Z
        === transaction with savepoints
        Q "BEGIN"
        > Z
        Q "SAVEPOINT a"
        > Z
        Q "SELECT 1/0"
        > Z
        Q "ROLLBACK TO a"
        > Z
        Q "SELECT 1"
        > Z
        Q "RELEASE a"
        > Z
        Q "RELEASE a"
        > Z
        Q "COMMIT"
        > Z
        === transaction warnings
        Q "COMMIT"
        > Z
        Q "ROLLBACK"
        > Z
        Q "BEGIN"
        > Z
        Q "BEGIN"
        > Z
        Q "COMMIT"
        > Z
        Q "SAVEPOINT outside"
        > Z
        === transaction read only
        Q "BEGIN READ ONLY"
        > Z
        Q "SELECT count(*) > 0 FROM wire_rows"
        > Z
        Q "UPDATE wire_rows SET name = name WHERE id = 1"
        > Z
        Q "SELECT 1"
        > Z
        Q "ROLLBACK"
        > Z
        === transaction isolation and chain
        Q "BEGIN ISOLATION LEVEL REPEATABLE READ"
        > Z
        Q "SHOW transaction_isolation"
        > Z
        Q "COMMIT AND CHAIN"
        > Z
        Q "SHOW transaction_isolation"
        > Z
        Q "ROLLBACK"
        > Z
        Q "SHOW transaction_isolation"
        > Z
        === transaction isolation of reads and writes
        Q "START TRANSACTION ISOLATION LEVEL SERIALIZABLE READ WRITE"
        > Z
        Q "SELECT count(*) > 0 FROM wire_rows"
        > Z
        Q "COMMIT"
        > Z
        === transaction in extended protocol
        P "begin" "BEGIN"
        P "commit" "COMMIT"
        P "one" "SELECT 1"
        S
        > Z
        B "" "begin" []
        E "" 0
        S
        B "" "one" []
        E "" 0
        S
        B "" "commit" []
        E "" 0
        S
        > Z 3
        === transaction wholly in one sync
        P "" "BEGIN"
        B "" "" []
        E "" 0
        P "" "SELECT 1"
        B "" "" []
        E "" 0
        P "" "COMMIT"
        B "" "" []
        E "" 0
        S
        > Z
        === transaction with set local
        Q "BEGIN"
        > Z
        Q "SET LOCAL work_mem = '1234kB'"
        > Z
        Q "SHOW work_mem"
        > Z
        Q "COMMIT"
        > Z
        Q "SHOW work_mem"
        > Z
        === transaction with a set undone by rollback
        Q "SET work_mem = '2MB'"
        > Z
        Q "BEGIN"
        > Z
        Q "SET work_mem = '3MB'"
        > Z
        Q "ROLLBACK"
        > Z
        Q "SHOW work_mem"
        > Z
        === transaction with a set undone by rollback in one query
        Q "SET work_mem = '2MB'"
        > Z
        Q "BEGIN; SET work_mem = '3MB'; ROLLBACK"
        > Z
        Q "SHOW work_mem"
        > Z
        Q "SELECT current_setting('work_mem')"
        > Z
        Q "BEGIN; SET work_mem = '4MB'; COMMIT; SELECT 1/0"
        > Z
        Q "SHOW work_mem"
        > Z
        === transaction with a set undone by rollback in one sync
        Q "SET work_mem = '2MB'"
        > Z
        P "" "BEGIN"
        B "" "" []
        E "" 0
        P "" "SET work_mem = '5MB'"
        B "" "" []
        E "" 0
        P "" "ROLLBACK"
        B "" "" []
        E "" 0
        S
        > Z
        Q "SHOW work_mem"
        > Z
        === transaction with cursors
        Q "BEGIN"
        > Z
        Q "DECLARE c CURSOR FOR SELECT g FROM generate_series(1, 10) g"
        > Z
        Q "FETCH 3 FROM c"
        > Z
        Q "MOVE 2 IN c"
        > Z
        Q "FETCH ALL FROM c"
        > Z
        Q "CLOSE c"
        > Z
        Q "FETCH 1 FROM c"
        > Z
        Q "ROLLBACK"
        > Z
        === transaction prepared for two phases
        Q "BEGIN"
        > Z
        Q "UPDATE wire_rows SET name = name WHERE id = 5"
        > Z
        Q "PREPARE TRANSACTION 'wire_two'"
        > Z
        Q "ROLLBACK PREPARED 'wire_two'"
        > Z
        Q "COMMIT PREPARED 'wire_none'"
        > Z
        """;
}
