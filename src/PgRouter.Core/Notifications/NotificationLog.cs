using Microsoft.Extensions.Logging;

namespace PgRouter.Core.Notifications;

/// <summary>Log messages 1500 to 1519: the shared listening connections.</summary>
internal static partial class NotificationLog
{
    [LoggerMessage(1500, LogLevel.Debug, "listening connection of {Database} opened on node {Node} (pid {Pid}) as {User}")]
    public static partial void Opened(ILogger logger, string database, int node, int pid, string user);

    [LoggerMessage(1501, LogLevel.Debug, "listening connection of {Database} closed: nobody listens")]
    public static partial void Closed(ILogger logger, string database);

    [LoggerMessage(1502, LogLevel.Warning, "listening connection of {Database} lost on node {Node}: {Reason}; {Clients} client(s) may miss notifications")]
    public static partial void Lost(ILogger logger, string database, int node, string reason, int clients);

    [LoggerMessage(1503, LogLevel.Warning, "could not open the listening connection of {Database}: {Reason}")]
    public static partial void CannotOpen(ILogger logger, string database, string reason);

    [LoggerMessage(1504, LogLevel.Error, "the listening connection of {Database} failed and was closed")]
    public static partial void Failed(ILogger logger, Exception exception, string database);
}
