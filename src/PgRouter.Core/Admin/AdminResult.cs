namespace PgRouter.Core.Admin;

/// <summary>
/// The answer to one command: rows with typed columns, or a refusal. The session turns it into RowDescription, DataRow and
/// CommandComplete in the protocol the client uses.
/// </summary>
internal sealed record AdminResult
{
    /// <summary>Columns in order; empty for a command without rows.</summary>
    public IReadOnlyList<AdminColumn> Columns { get; init; } = [];

    /// <summary>Values in text format, null = NULL.</summary>
    public IReadOnlyList<string?[]> Rows { get; init; } = [];

    /// <summary>
    /// CommandComplete tag, as "SHOW" or "SELECT 3". Empty, with no <see cref="Error"/>, for an empty query: the answer is
    /// EmptyQueryResponse.
    /// </summary>
    public string Tag { get; init; } = "";

    /// <summary>A warning that goes before the answer; null = none.</summary>
    public string? Warning { get; init; }

    /// <summary>Set when the command is refused: SQLSTATE, message and hint of the ErrorResponse.</summary>
    public AdminError? Error { get; init; }
}

/// <summary>A column and its PostgreSQL type.</summary>
internal sealed record AdminColumn(string Name, AdminType Type);

internal sealed record AdminError(string SqlState, string Message, string? Hint = null);

/// <summary>Types of the console's columns; the value is the type OID (pg_type).</summary>
internal enum AdminType
{
    Bool = 16,
    Int8 = 20,
    Int4 = 23,
    Text = 25,
    Float8 = 701,
    Timestamp = 1114,
    TimestampTz = 1184,
    Numeric = 1700,
}

/// <summary>Who asks, and from where.</summary>
internal sealed record AdminContext
{
    public required string User { get; init; }

    /// <summary>Pid of the asking client.</summary>
    public required int Pid { get; init; }

    /// <summary>Node that this session last used for a read, -1 when none (load_balance_node of SHOW POOL_NODES).</summary>
    public int LoadBalanceNodeId { get; init; } = -1;

    /// <summary>The virtual database: PgBouncer's words are understood without a prefix, and nothing else is.</summary>
    public bool IsConsole { get; init; }
}
