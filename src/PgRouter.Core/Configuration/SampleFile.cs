using System.Text;
using PgRouter.Core.Configuration.Settings;

namespace PgRouter.Core.Configuration;

/// <summary>Writes conf/pgpool.conf.sample from the table, so that the sample cannot differ from what is read.</summary>
internal static class SampleFile
{
    private const int Width = 100;

    public static string Write()
    {
        var text = new StringBuilder();
        text.Append("""
            # PgRouter: sample configuration. Written by: pgrouter config --sample
            #
            # Every setting stands here with its default, switched off by '#'; only a first node is switched on.
            # name = value. Text is quoted with ', a ' in it is written ''. Units: us, ms, s, min, h, d; B, kB, MB, GB, TB.
            # Changes take effect with `pgrouter reload`, save where "restart" is noted.
            # "no effect" marks settings that are read so that files of pgpool-II and PgBouncer can be used, but that do nothing here.


            """);
        foreach (var group in SettingTable.Rows.GroupBy(row => row.Group))
        {
            text.Append($"# ---- {Heading(group.Key)} ----\n\n");
            foreach (var row in group)
                WriteRow(text, row);
            if (group.Key == SettingGroup.Pooling)
                WriteScoped(text);
        }
        return text.ToString().TrimEnd('\n') + "\n";
    }

    private static void WriteRow(StringBuilder text, Setting row)
    {
        foreach (var line in Wrap(row.Meaning + Notes(row)))
            text.Append($"# {line}\n");
        var comment = row.Name == "backend_hostname" ? "" : "#";
        var name = row.Suffix == SettingSuffix.Required ? row.Name + "0" : row.Name;
        text.Append($"{comment}{name} = {Value(row)}\n\n");
    }

    private static void WriteScoped(StringBuilder text)
    {
        text.Append("""
            # ---- Databases and users that differ ----

            # database.NAME.setting and user.NAME.setting are for one database or user, with * as NAME for all; the names are PgBouncer's.
            # A name with other characters than letters, digits, _, -, $ and . is put between double quotes, a " in it is written "".
            # The user's own line counts first, then the database's, then user.*, then database.*, then the setting above.


            """);
        foreach (var row in ScopedSettings.Rows)
        {
            var scope = row.Scopes == ScopeKind.User ? "user" : "database";
            var alone = row.Scopes switch
            {
                ScopeKind.User => " (users only)",
                ScopeKind.Database => " (databases only)",
                _ => "",
            };
            text.Append($"#{scope}.NAME.{row.Name} = {Value(row)}{(alone.Length > 0 ? "  #" + alone : "")}\n");
        }
        text.Append('\n');
    }

    private static string Value(Setting row) => row.Kind switch
    {
        _ when row.Name == "backend_hostname" => "'localhost'",
        _ when row.Default.Length == 0 => "''",
        SettingKind.Text or SettingKind.List => $"'{row.Default.Replace("'", "''", StringComparison.Ordinal)}'",
        SettingKind.Duration or SettingKind.Size => row.Default == "0" ? "0" : row.Default + SettingParser.UnitName(row.Unit),
        _ => row.Default,
    };

    private static string Notes(Setting row)
    {
        var notes = new List<string>();
        if (row.Kind == SettingKind.Word)
            notes.Add(string.Join(", ", row.Words.Where(word => word.Length > 0)));
        if (row.Kind is SettingKind.Duration or SettingKind.Size)
            notes.Add($"unit {SettingParser.UnitName(row.Unit)}");
        if (row.Suffix == SettingSuffix.Optional)
            notes.Add("for one node: with its number behind the name");
        if (row.PgBouncerName is { } name && name != row.Name)
            notes.Add($"in PgBouncer: {name}");
        if (row.Effect == SettingEffect.Restart)
            notes.Add("restart");
        if (row.Support == SettingSupport.Accepted)
            notes.Add($"no effect: {row.AcceptedBecause}");
        if (row.Support == SettingSupport.Refused)
            notes.Add($"only the default: {row.RefusedBecause}");
        return notes.Count == 0 ? "" : $" ({string.Join("; ", notes)})";
    }

    private static string Heading(SettingGroup group) => group switch
    {
        SettingGroup.Listening => "Clients come in",
        SettingGroup.Backend => "Nodes (numbers 0 to 127)",
        SettingGroup.Authentication => "Who may come in",
        SettingGroup.Pooling => "Pools and limits",
        SettingGroup.Balancing => "Reads",
        SettingGroup.StreamingReplication => "Replication delay",
        SettingGroup.HealthCheck => "Health check",
        SettingGroup.Failover => "Failover",
        SettingGroup.Recovery => "Online recovery",
        SettingGroup.Tls => "TLS",
        SettingGroup.Logging => "Logging",
        SettingGroup.Cache => "Caches",
        _ => group.ToString(),
    };

    private static IEnumerable<string> Wrap(string text)
    {
        var line = new StringBuilder();
        foreach (var word in text.Split(' '))
        {
            if (line.Length > 0 && line.Length + word.Length >= Width)
            {
                yield return line.ToString();
                line.Clear();
            }
            line.Append(line.Length == 0 ? "" : " ").Append(word);
        }
        yield return line.ToString();
    }
}
