using Microsoft.Extensions.Logging;
using PgRouter.Core.Configuration;

namespace PgRouter.Server.Logging;

/// <summary>
/// The logging library's levels as PostgreSQL's severities. Information is LOG: it ranks above ERROR and is not lost by default.
/// </summary>
internal static class LogSeverities
{
    public static LogSeverity SeverityOf(LogLevel level) => level switch
    {
        LogLevel.Trace => LogSeverity.Debug2,
        LogLevel.Debug => LogSeverity.Debug1,
        LogLevel.Information => LogSeverity.Log,
        LogLevel.Warning => LogSeverity.Warning,
        LogLevel.Error => LogSeverity.Error,
        _ => LogSeverity.Fatal,
    };

    /// <summary>Whether log_min_messages lets a level through.</summary>
    public static bool IsLogged(LogLevel level, LogSeverity least) => level != LogLevel.None && SeverityOf(level) >= least;
}
