using Microsoft.Extensions.Logging;

namespace PgRouter.Core.Telemetry;

/// <summary>Messages of Catalog: event ids 2100 to 2199. A trouble once, not per attempt.</summary>
internal static partial class CatalogLog
{
    [LoggerMessage(2100, LogLevel.Debug, "The catalog of database {Database} is read: {Functions} functions, which may bring about: {Traits}")]
    public static partial void Loaded(ILogger logger, string database, int functions, string traits);

    [LoggerMessage(2101, LogLevel.Warning,
        "The catalog of database {Database} cannot be read ({Reason}); until it can, its functions and triggers count as able to do anything")]
    public static partial void NotLoaded(ILogger logger, string database, string reason);

    [LoggerMessage(2102, LogLevel.Error,
        "Reading the catalog of database {Database} failed; until it succeeds, its functions and triggers count as able to do anything")]
    public static partial void LoadFailed(ILogger logger, Exception exception, string database);
}
