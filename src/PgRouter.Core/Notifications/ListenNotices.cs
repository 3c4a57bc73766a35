using System.Globalization;
using PgRouter.Protocol;

namespace PgRouter.Core.Notifications;

/// <summary>What a client that listens is told when it may have missed something: warnings, because its session goes on.</summary>
internal static class ListenNotices
{
    public static ErrorMessage Missed(IEnumerable<string> channels, DateTimeOffset since) => Warning(
        $"notifications on {Names(channels)} may have been missed",
        string.Create(CultureInfo.InvariantCulture, $"The connection that listens was lost at {since.UtcDateTime:yyyy-MM-dd HH:mm:ss.fff} UTC; it listens again now."),
        "Look again at what the notifications are about.");

    public static ErrorMessage NotListening(IEnumerable<string> channels, string reason) => Warning(
        $"notifications on {Names(channels)} are not received at the moment",
        $"The connection that listens could not be opened: {reason}",
        "It is tried again; a warning says when it listens.");

    public static ErrorMessage Dropped(int count, ChannelSet channels) => Warning(
        string.Create(CultureInfo.InvariantCulture, $"{count} notification(s) on {channels} were dropped"),
        string.Create(CultureInfo.InvariantCulture, $"More than {Subscriber.WaitingLimit / 1024 / 1024} MB of them waited for this client."),
        "Keep transactions short and read what has come.");

    public static ErrorMessage NotInEncoding(string channel) => Warning(
        $"a notification on {ChannelSet.Quote(channel)} could not be delivered",
        "It is not plain ASCII, and client_encoding is not UTF8.",
        "Set client_encoding before LISTEN.");

    private static string Names(IEnumerable<string> channels) => string.Join(", ", channels.Select(ChannelSet.Quote));

    private static ErrorMessage Warning(string message, string detail, string hint) => new()
    {
        Severity = ErrorMessage.SeverityWarning,
        Code = SqlStates.ConnectionFailure,
        Message = message,
        Detail = detail,
        Hint = hint,
    };
}
