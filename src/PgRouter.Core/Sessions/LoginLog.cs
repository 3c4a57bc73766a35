using Microsoft.Extensions.Logging;

namespace PgRouter.Core.Sessions;

/// <summary>Log messages 1340 to 1359: connections that are not sessions yet.</summary>
internal static partial class LoginLog
{
    [LoggerMessage(1340, LogLevel.Warning, "could not accept SSL connection from {Host}: {Reason}")]
    public static partial void HandshakeFailed(ILogger logger, string host, string reason);
}
