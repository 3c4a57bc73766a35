using System.Text;
using PgRouter.Core.Configuration;
using PgRouter.Core.Servers;
using PgRouter.Protocol;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>
/// The settings in a start-up packet: every parameter that is not the protocol's own, and those in <c>options</c> (-c name=value,
/// --name=value). Source: "Message Formats", StartupMessage.
/// </summary>
internal static class StartupSettings
{
    public static bool TryRead(StartupPacket startup, out SettingsSet settings, out OwnSettings own, out PoolMode? poolMode, out ErrorMessage? error)
    {
        own = OwnSettings.Default;
        var values = new List<KeyValuePair<string, string>>();
        error = null;
        poolMode = null;
        settings = SettingsSet.Empty;
        foreach (var (name, value) in startup.Parameters)
        {
            switch (name)
            {
                case "user" or "database" or "replication":
                    continue;
                case "options":
                    if (!TryReadOptions(value, values, out error))
                        return false;
                    continue;
            }
            if (!name.StartsWith("_pq_.", StringComparison.Ordinal))
                values.Add(KeyValuePair.Create(name, value));
        }
        if (!StartupPoolMode.TryTake(values, out poolMode, out error))
            return false;
        if (!TryTakeOwn(values, ref own, out error))
            return false;
        settings = values.Count == 0 ? SettingsSet.Empty : SettingsSet.Of(values);
        return true;
    }

    /// <summary>The router's own are not for servers. The node of a replication connection is read where that is opened.</summary>
    private static bool TryTakeOwn(List<KeyValuePair<string, string>> values, ref OwnSettings own, out ErrorMessage? error)
    {
        error = null;
        foreach (var (name, value) in values)
        {
            var lower = name.ToLowerInvariant();
            if (OwnSettingNames.IsOwn(lower) && lower != ReplicationStartup.NodeSetting
                && (error = OwnSettingChange.ReadStartup(lower, value, ref own)) is not null)
                return false;
        }
        values.RemoveAll(pair => OwnSettingNames.IsOwn(pair.Key.ToLowerInvariant()));
        return true;
    }

    private static bool TryReadOptions(string text, List<KeyValuePair<string, string>> values, out ErrorMessage? error)
    {
        error = null;
        var words = Split(text);
        for (var i = 0; i < words.Count; i++)
        {
            var word = words[i];
            string? assignment = null;
            if (word == "-c" && i + 1 < words.Count)
                assignment = words[++i];
            else if (word.StartsWith("-c", StringComparison.Ordinal) && word.Length > 2)
                assignment = word[2..];
            else if (word.StartsWith("--", StringComparison.Ordinal) && word.Length > 2)
                assignment = word[2..];
            var equals = assignment?.IndexOf('=') ?? -1;
            if (equals <= 0)
            {
                error = ErrorMessage.Fatal(
                    SqlStates.SyntaxError, $"invalid command-line argument for server process: {word}", hint: "Use -c name=value or --name=value.");
                return false;
            }
            values.Add(KeyValuePair.Create(assignment![..equals].Replace('-', '_'), assignment[(equals + 1)..]));
        }
        return true;
    }

    /// <summary>Words between white space; a backslash takes the next character as it is.</summary>
    private static List<string> Split(string text)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsWhiteSpace(text[i]))
            {
                if (word.Length > 0)
                    words.Add(word.ToString());
                word.Clear();
            }
            else
            {
                if (text[i] == '\\' && i + 1 < text.Length)
                    i++;
                word.Append(text[i]);
            }
        }
        if (word.Length > 0)
            words.Add(word.ToString());
        return words;
    }
}
