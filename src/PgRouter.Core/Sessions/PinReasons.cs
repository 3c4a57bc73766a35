namespace PgRouter.Core.Sessions;

/// <summary>Why a client keeps its server between transactions (docs/pooling.md). None = it does not.</summary>
[Flags]
internal enum PinReasons
{
    None = 0,
    TemporaryObjects = 1 << 0,
    AdvisoryLocks = 1 << 1,
    HoldCursor = 1 << 2,
    Listen = 1 << 3,

    /// <summary>SQL-level PREPARE.</summary>
    PreparedStatement = 1 << 4,

    /// <summary>A setting that cannot be replayed: role, set in a transaction, by a function, by LOAD.</summary>
    Settings = 1 << 5,

    /// <summary>A named statement too large to be kept for other servers.</summary>
    LargeStatement = 1 << 6,

    /// <summary>What ends only with the server's process: a backup, a temporary slot. The server is closed after this client.</summary>
    ServerProcess = 1 << 7,
}
