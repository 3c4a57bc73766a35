using Microsoft.Extensions.Logging;
using PgRouter.Core.Hosting;

namespace PgRouter.Server.Processes;

/// <summary>Messages of the process; ids 100 to 119.</summary>
internal static partial class ProcessLog
{
    [LoggerMessage(100, LogLevel.Information, "PgRouter is ready")]
    public static partial void Started(ILogger logger);

    [LoggerMessage(101, LogLevel.Information, "PgRouter stops ({Mode})")]
    public static partial void Stopping(ILogger logger, StopMode mode);

    [LoggerMessage(102, LogLevel.Information, "PgRouter has stopped")]
    public static partial void Stopped(ILogger logger);

    [LoggerMessage(103, LogLevel.Critical, "PgRouter cannot run: {Reason}")]
    public static partial void CannotStart(ILogger logger, string reason, Exception? exception);

    [LoggerMessage(104, LogLevel.Information, "configuration read again; changed: {Changed}; at the next start: {NeedRestart}")]
    public static partial void Reloaded(ILogger logger, string changed, string needRestart);

    [LoggerMessage(105, LogLevel.Error, "{Mistake}")]
    public static partial void ConfigurationMistake(ILogger logger, string mistake);

    [LoggerMessage(106, LogLevel.Error, "the configuration has mistakes; the old one stays in force")]
    public static partial void ReloadRefused(ILogger logger);

    [LoggerMessage(107, LogLevel.Warning, "{Warning}")]
    public static partial void ConfigurationWarning(ILogger logger, string warning);

    [LoggerMessage(108, LogLevel.Warning, "the service manager cannot be reached: {Reason}")]
    public static partial void CannotNotify(ILogger logger, string reason);
}
