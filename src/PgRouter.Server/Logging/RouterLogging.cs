using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using PgRouter.Core.Configuration;

namespace PgRouter.Server.Logging;

/// <summary>Sets logging up: standard error, pgpool's line format, log_min_messages followed through reloads.</summary>
internal static class RouterLogging
{
    public static void AddRouterLogging(this ILoggingBuilder logging, ConfigStore store)
    {
        logging.SetMinimumLevel(LogLevel.Trace);
        logging.AddFilter(level => LogSeverities.IsLogged(level, store.Current.LogMinMessages));
        logging.Services.AddSingleton<ConsoleFormatter, RouterLogFormatter>();
        logging.AddConsole(options =>
        {
            options.FormatterName = RouterLogFormatter.FormatterName;
            options.LogToStandardErrorThreshold = LogLevel.Trace;
        });
    }
}
