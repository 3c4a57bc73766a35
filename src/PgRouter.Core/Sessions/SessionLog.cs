using Microsoft.Extensions.Logging;

namespace PgRouter.Core.Sessions;

/// <summary>Log messages 1300 to 1399: client sessions.</summary>
internal static partial class SessionLog
{
    [LoggerMessage(1300, LogLevel.Error, "session {Pid} of {User} on {Database} failed and was closed")]
    public static partial void Failed(ILogger logger, Exception exception, int pid, string user, string database);

    [LoggerMessage(1301, LogLevel.Information, "disconnection: session {Pid} of {User} on {Database}: {Reason}")]
    public static partial void Disconnected(ILogger logger, int pid, string user, string database, string reason);

    [LoggerMessage(1304, LogLevel.Warning, "session {Pid} lost its server on node {Node}: {Reason}; {Consequence}")]
    public static partial void ServerLost(ILogger logger, int pid, int node, string reason, string consequence);

    [LoggerMessage(1305, LogLevel.Information, "statement: {Sql}")]
    public static partial void Statement(ILogger logger, string sql);

    /// <summary>In pgpool-II's words; the reason is a line of its own behind them.</summary>
    [LoggerMessage(1306, LogLevel.Information, "DB node id: {Node} backend pid: {Pid} statement: {Sql}\nDETAIL:  reason: {Reason}")]
    public static partial void NodeStatement(ILogger logger, int node, int pid, string sql, string reason);

    [LoggerMessage(1308, LogLevel.Warning,
        "ALTER ROLE or ALTER DATABASE gives \"{Name}\" the value \"{Value}\" for user {User} in database {Database}: it does not count; allowed: {Allowed}")]
    public static partial void NoValue(ILogger logger, string name, string value, string user, string database, string allowed);

    [LoggerMessage(1307, LogLevel.Warning,
        "node {Node} refused a statement as a standby: {Message} (SQLSTATE {SqlState}); {Consequence}; database {Database}, statement: {Sql}")]
    public static partial void RefusedByStandby(
        ILogger logger, int node, string message, string sqlState, string consequence, string database, string sql);
}
