using Microsoft.Extensions.Logging;

namespace PgRouter.Core.Telemetry;

/// <summary>Messages of Consistency: event ids 2200 to 2299. A trouble once, not per attempt.</summary>
internal static partial class ConsistencyLog
{
    [LoggerMessage(2200, LogLevel.Warning,
        "The replay position of node {Node} cannot be asked ({Reason}); until it can, reads of what was written since run on the primary")]
    public static partial void Lost(ILogger logger, int node, string reason);

    [LoggerMessage(2201, LogLevel.Information, "The replay position of node {Node} can be asked again")]
    public static partial void Found(ILogger logger, int node);
}
