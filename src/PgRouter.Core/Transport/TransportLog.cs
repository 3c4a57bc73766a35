using Microsoft.Extensions.Logging;

namespace PgRouter.Core.Transport;

/// <summary>Log messages 1000 to 1099: loops and listeners.</summary>
internal static partial class TransportLog
{
    [LoggerMessage(1000, LogLevel.Error, "work posted to loop {Loop} failed")]
    public static partial void PostedWorkFailed(ILogger logger, Exception exception, int loop);

    [LoggerMessage(1001, LogLevel.Warning, "accept on {EndPoint} failed: {Reason}; trying again in {DelayMs} ms")]
    public static partial void AcceptFailed(ILogger logger, string endPoint, string reason, int delayMs);
}
