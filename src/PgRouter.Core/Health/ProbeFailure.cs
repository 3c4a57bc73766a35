using System.Net.Sockets;
using Npgsql;

namespace PgRouter.Core.Health;

/// <summary>Reads what an exception of the driver says about the node.</summary>
internal static class ProbeFailure
{
    /// <summary>Null when the driver failed for a reason of its own and the node has to be asked in another way.</summary>
    public static ProbeResult? AtLogin(Exception e)
    {
        if (e is PostgresException refused)
            return AtLogin(refused.SqlState, $"{refused.MessageText} ({refused.SqlState})");
        return IsTransport(e) ? ProbeResult.Failed(Message(e)) : null;
    }

    /// <summary>
    /// An ErrorResponse to a login. The node serves others unless it says that it is not serving at all: starting up, shutting down or
    /// recovering from a crash (57P01..57P03).
    /// </summary>
    public static ProbeResult AtLogin(string sqlState, string reason) =>
        sqlState is "57P01" or "57P02" or "57P03" ? ProbeResult.Failed(reason, sqlState) : ProbeResult.LoginRefused(reason, sqlState);

    /// <summary>A node that lets us in and cannot run the query is not well.</summary>
    public static ProbeResult AtQuery(Exception e) => e is PostgresException error
        ? ProbeResult.Failed($"{error.MessageText} ({error.SqlState})", error.SqlState)
        : ProbeResult.Failed(Message(e));

    /// <summary>
    /// insufficient_privilege, undefined_function, feature_not_supported, undefined_table: the full query is not for us here.
    /// </summary>
    public static bool IsLackOfPrivilege(PostgresException e) => e.SqlState is "42501" or "42883" or "0A000" or "42P01";

    private static bool IsTransport(Exception e) =>
        e is SocketException or TimeoutException or IOException || (e.InnerException is { } inner && IsTransport(inner));

    // The outer text of the driver ("Exception while reading from stream") hides the cause.
    private static string Message(Exception e) => e.InnerException is { } inner ? $"{e.Message}: {inner.Message}" : e.Message;
}
