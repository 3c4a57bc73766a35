using Microsoft.Extensions.Logging;

namespace PgRouter.Core.Telemetry;

/// <summary>
/// Who came in and who did not, what operators did, and what was changed: log messages 1360 to 1379, in a category of their own
/// (<see cref="Category"/>). Values are fields of the event, and none of them is a secret.
/// </summary>
internal static partial class AuditLog
{
    public const string Category = "PgRouter.Audit";

    [LoggerMessage(1360, LogLevel.Information,
        "connection authorized: user={User} database={Database} host={Host} application_name={ApplicationName} pid={Pid} method={Method} tls={Tls} rule={Rule}")]
    public static partial void Authorized(
        ILogger logger, string user, string database, string host, string applicationName, int pid, string method, string tls, string rule);

    [LoggerMessage(1361, LogLevel.Warning, "login of {User} on {Database} from {Host} refused: {Reason}")]
    public static partial void Refused(ILogger logger, string host, string user, string database, string reason);

    [LoggerMessage(1362, LogLevel.Information, "command of {User} (pid {Pid}, {Host}): {Command}: {Outcome}")]
    public static partial void Command(ILogger logger, string user, int pid, string host, string command, string outcome);

    [LoggerMessage(1363, LogLevel.Information, "configuration: {Setting} changed from \"{Before}\" to \"{After}\"")]
    public static partial void Changed(ILogger logger, string setting, string before, string after);

    [LoggerMessage(1364, LogLevel.Information, "configuration: passwords, rules and certificates were read again")]
    public static partial void FilesRead(ILogger logger);
}
