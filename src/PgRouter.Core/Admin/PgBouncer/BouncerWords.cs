using PgRouter.Core.Configuration;

namespace PgRouter.Core.Admin.PgBouncer;

/// <summary>PgBouncer's words for what the snapshots hold.</summary>
internal static class BouncerWords
{
    public static string Mode(PoolMode mode) => mode switch
    {
        PoolMode.Session => "session",
        PoolMode.Statement => "statement",
        _ => "transaction",
    };

    /// <summary>A client between the statements of its transaction is active for PgBouncer: it is linked to a server.</summary>
    public static string ClientState(string state) => state == "idle_in_transaction" ? "active" : state;

    /// <summary>PgBouncer calls a server that still logs in new.</summary>
    public static string ServerState(string state) => state == "login" ? "new" : state;
}
