namespace PgRouter.Core.Admin.Pgpool;

/// <summary>pgpool-II's words for what a process does, for a client session that stands in its place.</summary>
internal static class SessionWords
{
    public const string Free = "Wait for connection";

    /// <summary>
    /// A client that waits for a server has sent its command, so it executes; one that logs in is not yet known, so its place still
    /// waits for a connection.
    /// </summary>
    public static string Status(string clientState) => clientState switch
    {
        "idle" => "Idle",
        "idle_in_transaction" => "Idle in transaction",
        "login" => Free,
        _ => "Execute command",
    };
}
