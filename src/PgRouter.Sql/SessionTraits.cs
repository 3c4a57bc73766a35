namespace PgRouter.Sql;

/// <summary>
/// What code may do to its session and to the database, found by reading its text: never too little, perhaps too much. A trait of a
/// function holds for a call of it, whatever its arguments (docs/catalog.md).
/// </summary>
[Flags]
public enum SessionTraits
{
    None = 0,

    /// <summary>Makes or uses temporary objects that outlive the transaction.</summary>
    CreatesTemporary = 1 << 0,

    /// <summary>Takes or gives back session advisory locks.</summary>
    LocksAdvisory = 1 << 1,

    /// <summary>
    /// SET without LOCAL, RESET, LOAD, setseed(), set_config() whose third argument is not the literal true. A SET clause of the function does
    /// not undo them: it restores only what SET LOCAL did (CREATE FUNCTION, notes on SET).
    /// </summary>
    ChangesSettings = 1 << 2,

    /// <summary>LISTEN, UNLISTEN.</summary>
    Listens = 1 << 3,

    /// <summary>NOTIFY, pg_notify().</summary>
    Notifies = 1 << 4,

    /// <summary>PREPARE, DEALLOCATE.</summary>
    Prepares = 1 << 5,

    /// <summary>DECLARE .. WITH HOLD.</summary>
    HoldsCursor = 1 << 6,

    /// <summary>currval(), lastval().</summary>
    ReadsSequences = 1 << 7,

    /// <summary>nextval(), setval(), an identity column, a serial default: what currval() and lastval() tell afterwards.</summary>
    AdvancesSequences = 1 << 8,

    /// <summary>Changes rows, locks them, or does what a standby refuses.</summary>
    Writes = 1 << 9,

    /// <summary>CREATE, ALTER, DROP and their kind: what is known of the database may not hold afterwards.</summary>
    RunsDdl = 1 << 10,

    /// <summary>COMMIT, ROLLBACK in a procedure or a DO block.</summary>
    ControlsTransaction = 1 << 11,

    /// <summary>Reads state of the session that a server has and a client does not see there: prepared statements, channels.</summary>
    ReadsSession = 1 << 12,

    /// <summary>pg_backend_pid(), pg_cancel_backend(), pg_terminate_backend().</summary>
    UsesPids = 1 << 13,

    /// <summary>
    /// Reads what differs between nodes or exists on the primary alone: system catalogs, statistics, settings, sequences as tables, unlogged tables.
    /// </summary>
    ReadsNode = 1 << 14,

    /// <summary>Could not be read: dynamic SQL, a language that is not looked into. Always together with all the others.</summary>
    IsOpaque = 1 << 15,

    /// <summary>
    /// CREATE, ALTER, DROP and their kind of what is not certainly temporary: others may find other objects afterwards. Always together with
    /// <see cref="RunsDdl"/>.
    /// </summary>
    ChangesSchema = 1 << 16,

    /// <summary>Nothing can be excluded.</summary>
    Anything = (1 << 17) - 1,

    /// <summary>What stays in the server's session when the transaction is over.</summary>
    LeavesState = CreatesTemporary | LocksAdvisory | ChangesSettings | Listens | Prepares | HoldsCursor,
}
