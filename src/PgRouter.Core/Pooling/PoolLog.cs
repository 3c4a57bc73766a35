using Microsoft.Extensions.Logging;

namespace PgRouter.Core.Pooling;

/// <summary>Log messages 1200 to 1299: pools and servers.</summary>
internal static partial class PoolLog
{
    [LoggerMessage(1200, LogLevel.Debug, "server {Id} (pid {Pid}) opened on node {Node} for {Database}/{User}")]
    public static partial void ServerOpened(ILogger logger, long id, int pid, int node, string database, string user);

    [LoggerMessage(1201, LogLevel.Debug, "server {Id} (pid {Pid}) closed on node {Node} for {Database}/{User}: {Reason}")]
    public static partial void ServerClosed(ILogger logger, long id, int pid, int node, string database, string user, string reason);

    [LoggerMessage(1202, LogLevel.Warning, "could not open a server on node {Node} for {Database}/{User}: {Reason}")]
    public static partial void OpenFailed(ILogger logger, int node, string database, string user, string reason);

    [LoggerMessage(1203, LogLevel.Warning,
        "{Open} of min_pool_size = {Wanted} servers are open on node {Node} for {Database}/{User} before the first client: {Reason}")]
    public static partial void NotWarm(ILogger logger, int node, string database, string user, int open, int wanted, string reason);
}
