using Microsoft.Extensions.Logging;

namespace PgRouter.Core.Hosting;

/// <summary>Log messages 1400 to 1499: the router as a whole.</summary>
internal static partial class HostingLog
{
    [LoggerMessage(1400, LogLevel.Information, "listening on {Addresses} port {Port} with {Loops} event loop(s) on {Io}; {Parser}")]
    public static partial void Listening(ILogger logger, string addresses, int port, int loops, string io, string parser);

    [LoggerMessage(1401, LogLevel.Error, "{Mistake}; what was read before stays in force")]
    public static partial void FileMistake(ILogger logger, string mistake);

    [LoggerMessage(1403, LogLevel.Warning, "io_uring cannot be used here, epoll is: {Reason}")]
    public static partial void NoUring(ILogger logger, string reason);

    [LoggerMessage(1402, LogLevel.Information, "console: {Verb} {Database}")]
    public static partial void Commanded(ILogger logger, string verb, string database);
}
