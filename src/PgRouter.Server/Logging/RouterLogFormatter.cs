using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using PgRouter.Core.Configuration;

namespace PgRouter.Server.Logging;

/// <summary>
/// Writes log lines as pgpool does: prefix, severity, message; an exception follows as DETAIL. Scopes with the keys application,
/// database and user fill %a, %d and %u. The prefix is read per line, so a reload changes it. Safe on any thread.
/// </summary>
internal sealed class RouterLogFormatter(ConfigStore store, TimeProvider time) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "pgrouter";

    private long _lines;

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var line = new StringBuilder();
        LogPrefix.Append(line, store.Current.LogLinePrefix, Values(scopeProvider));
        line.Append(LogSeverities.SeverityOf(logEntry.LogLevel).ToString().ToUpperInvariant()).Append(":  ");
        line.Append(logEntry.Formatter(logEntry.State, logEntry.Exception)).Append('\n');
        if (logEntry.Exception is { } exception)
            line.Append("DETAIL:  ").Append(exception).Append('\n');
        textWriter.Write(line.ToString());
    }

    private LogPrefixValues Values(IExternalScopeProvider? scopes)
    {
        var found = new ScopeValues();
        scopes?.ForEachScope(static (scope, values) => values.Take(scope), found);
        return new LogPrefixValues(
            time.GetLocalNow(), Environment.ProcessId, Interlocked.Increment(ref _lines), found.Application, found.Database, found.User);
    }

    private sealed class ScopeValues
    {
        public string Application { get; private set; } = "pgrouter";

        public string Database { get; private set; } = "[unknown]";

        public string User { get; private set; } = "[unknown]";

        public void Take(object? scope)
        {
            if (scope is not IEnumerable<KeyValuePair<string, object?>> pairs)
                return;
            foreach (var (key, value) in pairs)
            {
                var text = value?.ToString() ?? "";
                if (key == "application")
                    Application = text;
                else if (key == "database")
                    Database = text;
                else if (key == "user")
                    User = text;
            }
        }
    }
}
