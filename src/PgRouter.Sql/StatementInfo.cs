namespace PgRouter.Sql;

/// <summary>
/// What the grammar alone says of one SQL text (one Query or Parse message): the strictest class of its statements and
/// each statement in order. Immutable and shared between loops. Facts only a database knows (volatility of user
/// functions, temporary tables) are not in here.
/// </summary>
public sealed class StatementInfo
{
    public StatementInfo(StatementClass statementClass, string cause, IReadOnlyList<Statement> statements)
    {
        Class = statementClass;
        Cause = cause;
        Statements = statements;
        foreach (var statement in statements)
            Effects |= statement.Effects;
        HasDdl = statements.Any(statement => statement.ChangesSchema);
        Verb = statements.Count == 1 ? statements[0].Verb : TransactionVerb.None;
        foreach (var statement in statements)
            HasTransactionVerb |= statement.Verb != TransactionVerb.None;
        NamesOwnSettings = OwnSettingNames.IsAmong(statements);
        IsOwnSetting = NamesOwnSettings && OwnSettingNames.IsOnly(statements);
        OpensBlock = HasTransactionVerb && LeavesBlockOpen(statements);
    }

    /// <summary>The strictest class of all statements in the text.</summary>
    public StatementClass Class { get; }

    /// <summary>
    /// What decided the class, for people: "INSERT", "nextval()", "FOR UPDATE", "syntax error", "larger than the parse limit".
    /// </summary>
    public string Cause { get; }

    /// <summary>
    /// Every statement of the text in order; empty for an empty query. For text the grammar does not know, what its keywords say: class
    /// Unknown, with effects that are rather too many than too few.
    /// </summary>
    public IReadOnlyList<Statement> Statements { get; }

    /// <summary>Union of the effects of all statements.</summary>
    public SessionEffects Effects { get; }

    /// <summary>The transaction verb when the text is exactly one statement, else None.</summary>
    public TransactionVerb Verb { get; }

    /// <summary>True when any statement of the text changes the schema.</summary>
    public bool HasDdl { get; }

    /// <summary>SET, RESET or SHOW of one setting of the router's own (pgrouter.*), and nothing else.</summary>
    public bool IsOwnSetting { get; }

    /// <summary>Some statement sets, resets or shows a setting of the router's own.</summary>
    public bool NamesOwnSettings { get; }

    /// <summary>True when any statement of the text is a transaction verb.</summary>
    public bool HasTransactionVerb { get; }

    /// <summary>True when a transaction block is open behind the text that was not before it.</summary>
    public bool OpensBlock { get; }

    /// <summary>
    /// True when the verdict depends on a literal of the text (SET, set_config, current_setting, EXPLAIN options), so that the text must be
    /// remembered as it stands and not by its folded shape. Two texts of one shape always agree in this. Hints are part of the shape.
    /// </summary>
    public bool LiteralsMatter { get; init; }

    /// <summary>False when the verdict holds for this moment only (the parser's queue was full): it must not be remembered.</summary>
    public bool IsLasting { get; init; } = true;

    /// <summary>A hint in a comment of the text, or null.</summary>
    public RouteHint? Hint { get; init; }

    /// <summary>
    /// What in the text may be a call of pg_backend_pid, pg_cancel_backend or pg_terminate_backend, in its order; null when the text has none that
    /// means this session or another client.
    /// </summary>
    public IReadOnlyList<PidCall>? PidCalls { get; init; }

    /// <summary>The same for a text in which only those are left that a parameter decides.</summary>
    public IReadOnlyList<PidCall>? BoundPidCalls { get; init; }

    /// <summary>Where this very text differs from what the client sent; null when it does not.</summary>
    public TextEdits? Edits { get; init; }

    /// <summary>The clients that this very text stops.</summary>
    public IReadOnlyList<ClientSignal>? Signals { get; init; }

    /// <summary>What is so of every text of this shape, without what concerns this very text and process ids.</summary>
    public StatementInfo OfShape() =>
        PidCalls is null && BoundPidCalls is null && Edits is null && Signals is null ? this : WithPids(null, null, null);

    /// <summary>The same for a text whose calls that concern process ids have been dealt with.</summary>
    public StatementInfo WithPids(IReadOnlyList<PidCall>? bound, TextEdits? edits, IReadOnlyList<ClientSignal>? signals) =>
        new(Class, Cause, Statements)
        {
            LiteralsMatter = LiteralsMatter,
            IsLasting = IsLasting,
            Hint = Hint,
            LocalCommand = LocalCommand,
            BoundPidCalls = bound,
            Edits = edits,
            Signals = signals,
        };

    /// <summary>
    /// A statement the router answers itself (SHOW POOL_*, PGPOOL ..., EXPLAIN ROUTE), else null: the text, trimmed, without its semicolon.
    /// </summary>
    public string? LocalCommand { get; init; }

    private static bool LeavesBlockOpen(IReadOnlyList<Statement> statements)
    {
        var isOpen = false;
        foreach (var statement in statements)
        {
            isOpen = statement.Verb switch
            {
                TransactionVerb.Begin => true,
                TransactionVerb.Commit or TransactionVerb.Rollback => isOpen && statement.Chains,
                TransactionVerb.PrepareTransaction => false,
                _ => isOpen,
            };
        }
        return isOpen;
    }
}

/// <summary>How strict a statement is about where it runs. Ordered: of several statements the greatest wins.</summary>
public enum StatementClass : byte
{
    /// <summary>Nothing at all: an empty query or only comments.</summary>
    Empty,

    /// <summary>Answered by the router itself, never sent to a server.</summary>
    Local,

    /// <summary>Changes only session state (SET, RESET, DISCARD, set_config): not a write, does not end balancing.</summary>
    State,

    /// <summary>Proved read-only by the grammar and the built-in function table: may run on any node.</summary>
    Read,

    /// <summary>BEGIN, COMMIT, SAVEPOINT and their kind: the transaction's node.</summary>
    Transaction,

    /// <summary>
    /// A read but for functions that only the catalog can judge (<see cref="Statement.Functions"/>): primary until they are proved
    /// harmless.
    /// </summary>
    NeedsCatalog,

    /// <summary>Reads what differs between nodes or exists on the primary alone (temporary and system state, SHOW, cursors).</summary>
    PrimaryRead,

    /// <summary>Writes, locks, or is not proved read-only: primary.</summary>
    Write,

    /// <summary>The grammar does not know it or it was too large to parse in time: primary, unchanged.</summary>
    Unknown,
}

/// <summary>One statement of a text.</summary>
public sealed record Statement
{
    public required StatementKind Kind { get; init; }

    public required StatementClass Class { get; init; }

    /// <summary>What decided the class, for people.</summary>
    public required string Cause { get; init; }

    public SessionEffects Effects { get; init; }

    public TransactionVerb Verb { get; init; }

    /// <summary>For BEGIN, START TRANSACTION and SET TRANSACTION: what the statement says of the access mode, null if nothing.</summary>
    public bool? ReadOnly { get; init; }

    /// <summary>For BEGIN, START TRANSACTION and SET TRANSACTION: the isolation level in lower case, null if not said.</summary>
    public string? Isolation { get; init; }

    /// <summary>
    /// The name the statement works on: setting (lower case), savepoint, prepared statement, cursor, channel. Null when it has none or
    /// means ALL.
    /// </summary>
    public string? Name { get; init; }

    /// <summary>
    /// For SET and constant set_config: the value as one SQL expression list that can follow <c>SET name TO</c>; null for DEFAULT and
    /// RESET.
    /// </summary>
    public string? Value { get; init; }

    /// <summary>SET LOCAL, or set_config(.., true).</summary>
    public bool IsLocal { get; init; }

    /// <summary>
    /// Every setting the statement changes for certain, in order: one for SET and RESET of a name, several for SELECT set_config(..),
    /// set_config(..) and SET SESSION CHARACTERISTICS. <see cref="Name"/>, <see cref="Value"/> and <see cref="IsLocal"/> repeat the first.
    /// </summary>
    public IReadOnlyList<SettingChange> Settings { get; init; } = [];

    /// <summary>Makes, changes or drops objects: DDL, SELECT INTO, EXPLAIN ANALYZE of such.</summary>
    public bool ChangesSchema { get; init; }

    /// <summary>EXECUTE: its arguments may be computed anywhere, so that only what it executes counts.</summary>
    public bool HasPlainArguments { get; init; }

    /// <summary>COMMIT AND CHAIN, ROLLBACK AND CHAIN: a new transaction begins at once.</summary>
    public bool Chains { get; init; }

    /// <summary>Functions the built-in table does not know, for the catalog. Empty when all are known.</summary>
    public IReadOnlyList<FunctionUse> Functions { get; init; } = [];

    /// <summary>PostgreSQL's own functions that are called, for lists of names.</summary>
    public IReadOnlyList<string> Builtins { get; init; } = [];

    /// <summary>Tables read or written, by the names in the text (CTE names left out).</summary>
    public IReadOnlyList<TableUse> Tables { get; init; } = [];

    /// <summary>Names that stand behind a dot where a column may stand: <c>row.name</c> can also call a function.</summary>
    public NameMask Attributes { get; init; }

    /// <summary>
    /// Calls functions of PostgreSQL that a READ ONLY transaction may call on the primary, and that a standby refuses or carries out for itself alone:
    /// advisory locks, transaction ids, notifications, large objects.
    /// </summary>
    public bool CallsForPrimary { get; init; }

    /// <summary>Calls functions of PostgreSQL that may write what its text does not name: large objects, queries given as text.</summary>
    public bool WritesUnseen { get; init; }

    /// <summary>It makes a temporary object, also one that ends with the transaction: nothing that others could see.</summary>
    public bool IsTemporary { get; init; }

    /// <summary>
    /// A SELECT of nothing but constants, parameters and PostgreSQL's own functions without arguments: nothing that anybody has made in the database has
    /// a part in it.
    /// </summary>
    public bool IsConstant { get; init; }

    /// <summary>For DO: what its code does and calls; else null.</summary>
    public RoutineBody? Block { get; init; }
}

/// <summary>A function by the name in the text. Schema is null when not written.</summary>
public readonly record struct FunctionUse(string? Schema, string Name, int ArgumentCount);

/// <summary>A table by the name in the text. Schema is null when not written.</summary>
public readonly record struct TableUse(string? Schema, string Name, bool IsWritten);

/// <summary>
/// One setting a statement changes. The value can follow <c>SET name TO</c>; null means DEFAULT. The name is in lower case.
/// </summary>
public readonly record struct SettingChange(string Name, string? Value, bool IsLocal);

/// <summary>The statement kinds that statistics, routing and state tell apart.</summary>
public enum StatementKind : byte
{
    Other,
    Select,
    Insert,
    Update,
    Delete,
    Merge,
    Truncate,
    Copy,
    Explain,
    Ddl,
    Transaction,
    Set,
    Reset,
    Show,
    Discard,
    Prepare,
    Execute,
    Deallocate,
    DeclareCursor,
    Fetch,
    ClosePortal,
    Listen,
    Unlisten,
    Notify,
    Lock,
    Load,
    Call,
    Do,
    Local,
}

/// <summary>What a statement does to the state of the session (design: docs/pooling.md).</summary>
[Flags]
public enum SessionEffects
{
    None = 0,
    SetsParameter = 1 << 0,
    ResetsParameter = 1 << 1,

    /// <summary>SET ROLE, SET SESSION AUTHORIZATION.</summary>
    SetsRole = 1 << 2,

    /// <summary>SET TRANSACTION, SET SESSION CHARACTERISTICS, SET CONSTRAINTS.</summary>
    SetsTransaction = 1 << 3,
    DiscardsAll = 1 << 4,
    DiscardsTemp = 1 << 5,
    DiscardsPlans = 1 << 6,
    DiscardsSequences = 1 << 7,

    /// <summary>CREATE TEMP, SELECT INTO TEMP, CREATE TABLE pg_temp.x; not ON COMMIT DROP.</summary>
    CreatesTemporary = 1 << 8,

    /// <summary>Takes a session-level advisory lock.</summary>
    LocksAdvisory = 1 << 9,
    UnlocksAdvisory = 1 << 10,

    /// <summary>pg_advisory_unlock_all; together with <see cref="UnlocksAdvisory"/>.</summary>
    UnlocksAllAdvisory = 1 << 30,

    /// <summary>DECLARE .. WITH HOLD.</summary>
    DeclaresHoldCursor = 1 << 11,
    ClosesCursor = 1 << 12,
    Listens = 1 << 13,
    Unlistens = 1 << 14,
    PreparesStatement = 1 << 15,
    ExecutesPrepared = 1 << 16,
    DeallocatesPrepared = 1 << 17,

    /// <summary>LOAD, and set_config with arguments that are not constant: state that cannot be replayed.</summary>
    ChangesSessionOpaquely = 1 << 18,

    /// <summary>currval or lastval: reads what an earlier nextval of this session left.</summary>
    ReadsSequenceState = 1 << 19,

    /// <summary>nextval, setval.</summary>
    WritesSequenceState = 1 << 20,

    /// <summary>Calls a function whose body the grammar cannot see (user function, DO, CALL).</summary>
    RunsOpaqueCode = 1 << 21,

    /// <summary>
    /// pg_backup_start, a temporary replication slot, a replication origin, setseed: ends only with the server's process, whatever is discarded.
    /// </summary>
    BindsToServer = 1 << 22,

    /// <summary>Reads pg_prepared_statements, where the session's own names must stand.</summary>
    ShowsPrepared = 1 << 27,

    /// <summary>NOTIFY, pg_notify().</summary>
    Notifies = 1 << 28,

    /// <summary>pg_listening_channels().</summary>
    ReadsChannels = 1 << 29,
}

/// <summary>What a statement does to the transaction block.</summary>
public enum TransactionVerb : byte
{
    None,
    Begin,
    Commit,
    Rollback,
    Savepoint,
    Release,
    RollbackTo,
    PrepareTransaction,
    CommitPrepared,
    RollbackPrepared,
}

/// <summary>A routing hint found in a comment: <c>/* pgrouter: primary */</c>, <c>/*NO LOAD BALANCE*/</c>.</summary>
public sealed record RouteHint
{
    public bool Primary { get; init; }

    public bool Standby { get; init; }

    public int? Node { get; init; }

    /// <summary>As if the session had said nothing of the place.</summary>
    public bool Auto { get; init; }

    /// <summary>It says where to run, or that nothing is said of it.</summary>
    public bool NamesPlace => Primary || Standby || Node is not null || Auto;

    public TimeSpan? MaxLag { get; init; }

    /// <summary>A level of docs/consistency.md, in lower case.</summary>
    public string? Consistency { get; init; }

    /// <summary>How long a read may wait for a standby that has what it must see.</summary>
    public TimeSpan? ConsistencyWait { get; init; }

    /// <summary>A position of the log that must have been replayed where a read runs.</summary>
    public string? MinLsn { get; init; }
}
