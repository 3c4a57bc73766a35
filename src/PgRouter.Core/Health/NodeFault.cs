namespace PgRouter.Core.Health;

/// <summary>
/// Faults of the server's side that the data plane sees in passing. They raise suspicion and cause a probe; alone they decide nothing. A
/// client that goes away, a full pool and a cancelled statement are none.
/// </summary>
internal enum NodeFault : byte
{
    /// <summary>The connection was refused.</summary>
    Refused,

    /// <summary>A server connection ended without our doing.</summary>
    Reset,

    /// <summary>Connecting or logging in took longer than server_connect_timeout.</summary>
    TimedOut,

    /// <summary>57P01 admin_shutdown; pg_terminate_backend() gives it too.</summary>
    AdminShutdown,

    /// <summary>57P02 crash_shutdown.</summary>
    CrashShutdown,

    /// <summary>57P03 cannot_connect_now.</summary>
    CannotConnectNow,

    /// <summary>25006 read_only_sql_transaction from the node believed to be the primary.</summary>
    ReadOnly,
}

/// <summary>Words and SQLSTATEs of <see cref="NodeFault"/>.</summary>
internal static class NodeFaults
{
    /// <summary>The fault that an SQLSTATE from a server stands for, null when it is none.</summary>
    public static NodeFault? FromSqlState(string sqlState) => sqlState switch
    {
        "57P01" => NodeFault.AdminShutdown,
        "57P02" => NodeFault.CrashShutdown,
        "57P03" => NodeFault.CannotConnectNow,
        "25006" => NodeFault.ReadOnly,
        _ => null,
    };

    public static string Describe(NodeFault fault) => fault switch
    {
        NodeFault.Refused => "connection refused",
        NodeFault.Reset => "connection lost",
        NodeFault.TimedOut => "no connection within server_connect_timeout",
        NodeFault.AdminShutdown => "server said 57P01 (admin shutdown)",
        NodeFault.CrashShutdown => "server said 57P02 (crash shutdown)",
        NodeFault.CannotConnectNow => "server said 57P03 (cannot connect now)",
        NodeFault.ReadOnly => "server said 25006 (read-only transaction)",
        _ => throw new ArgumentOutOfRangeException(nameof(fault), fault, "no such fault"),
    };
}
