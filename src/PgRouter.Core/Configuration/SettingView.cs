using System.Globalization;
using PgRouter.Core.Cluster;

namespace PgRouter.Core.Configuration;

/// <summary>A setting as a console shows it.</summary>
/// <param name="Item">The name.</param>
/// <param name="Value">The value in force; ***** for a secret.</param>
/// <param name="Default">The value when nothing is given.</param>
/// <param name="Description">What it means.</param>
/// <param name="Changeable">Whether a reload is enough to change it.</param>
internal sealed record SettingRow(string Item, string Value, string Default, string Description, bool Changeable);

/// <summary>
/// The settings in force for SHOW POOL_STATUS, PGPOOL SHOW and PgBouncer's SHOW CONFIG. Secrets never leave it. Pure functions;
/// any thread.
/// </summary>
internal static class SettingView
{
    private const string Masked = "*****";

    private static readonly string[] BackendItems =
    [
        "backend_hostname", "backend_port", "backend_weight", "backend_data_directory", "backend_flag", "backend_application_name",
    ];

    /// <summary>Every setting in the order of the table, with the nodes' rows last, as pgpool shows them.</summary>
    public static IReadOnlyList<SettingRow> All(ConfigResult result) =>
    [
        .. SettingTable.Rows.Where(row => row.Group != SettingGroup.Backend).SelectMany(row => RowsOf(result, row)),
        .. Scoped(result),
        .. Backends(result),
    ];

    /// <summary>The rows of PGPOOL SHOW backend, watchdog, heartbeat or health_check; null when there is no such group.</summary>
    public static IReadOnlyList<SettingRow>? Group(ConfigResult result, string group)
    {
        SettingGroup? known = group.ToLowerInvariant() switch
        {
            "backend" => SettingGroup.Backend,
            "watchdog" => SettingGroup.Watchdog,
            "heartbeat" => SettingGroup.Heartbeat,
            "health_check" => SettingGroup.HealthCheck,
            _ => null,
        };
        if (known is null)
            return null;
        return known == SettingGroup.Backend
            ? [.. Backends(result)]
            : [.. SettingTable.Rows.Where(row => row.Group == known).SelectMany(row => RowsOf(result, row))];
    }

    /// <summary>One setting under any of its names, as written; null when there is none, or no such node.</summary>
    public static SettingRow? Find(ConfigResult result, string name)
    {
        if (ScopedName.Read(name) is { } scoped)
            return Scoped(result).FirstOrDefault(row => row.Item == scoped.ToString());
        if (!SettingTable.TryFind(name, out var setting, out var index))
            return null;
        if (setting.ApplyToNode is null)
            return Row(result, setting, index) with { Item = name.ToLowerInvariant() };
        var node = result.Config!.Nodes.FirstOrDefault(node => node.Id == index);
        return node is null ? null : BackendRow(setting, node);
    }

    /// <summary>PgBouncer's settings under PgBouncer's names, by name.</summary>
    public static IReadOnlyList<SettingRow> PgBouncerConfig(ConfigResult result) =>
    [
        .. SettingTable.Rows
            .Where(row => row.PgBouncerName is not null)
            .Select(row => Row(result, row, null) with { Item = row.PgBouncerName! })
            .OrderBy(row => row.Item, StringComparer.Ordinal),
    ];

    private static IEnumerable<SettingRow> RowsOf(ConfigResult result, Setting setting)
    {
        if (setting.Suffix != SettingSuffix.Required)
            yield return Row(result, setting, null);
        if (setting.Suffix == SettingSuffix.None)
            yield break;
        var indexes = result.Values.Values.Where(given => given.Setting.Name == setting.Name && given.Index is not null)
            .Select(given => given.Index);
        foreach (var index in indexes.Order())
            yield return Row(result, setting, index);
    }

    private static SettingRow Row(ConfigResult result, Setting setting, int? index)
    {
        var value = ValueOf(result, setting, index);
        return new SettingRow(
            setting.Name + index,
            setting.IsSecret && value.Length > 0 ? Masked : value,
            setting.Default,
            setting.Meaning,
            setting.Effect == SettingEffect.Reload);
    }

    private static string ValueOf(ConfigResult result, Setting setting, int? index)
    {
        if (index is not null && result.Values.TryGetValue(setting.Name + index, out var own))
            return own.Value.Text;
        if (setting.InForce is { } inForce)
            return inForce(result.Config!);
        return result.Values.TryGetValue(setting.Name, out var given) ? given.Value.Text : setting.Default;
    }

    /// <summary>The lines of databases and users, by name.</summary>
    private static IEnumerable<SettingRow> Scoped(ConfigResult result) => result.Values.Values
        .Where(given => given.Scope is not null)
        .OrderBy(given => given.Name, StringComparer.Ordinal)
        .Select(given => new SettingRow(given.Name, given.Value.Text, "", given.Setting.Meaning, true));

    private static IEnumerable<SettingRow> Backends(ConfigResult result)
    {
        foreach (var node in result.Config!.Nodes)
        {
            foreach (var item in BackendItems)
            {
                SettingTable.TryFind(item + node.Id, out var setting, out _);
                yield return BackendRow(setting, node);
            }
        }
    }

    private static SettingRow BackendRow(Setting setting, NodeConfig node)
    {
        var value = setting.Name switch
        {
            "backend_hostname" => node.Host,
            "backend_port" => node.Port.ToString(CultureInfo.InvariantCulture),
            "backend_weight" => node.Weight.ToString("0.######", CultureInfo.InvariantCulture),
            "backend_data_directory" => node.DataDirectory,
            "backend_application_name" => node.ApplicationName,
            _ => FlagText(node.Flags),
        };
        return new SettingRow(setting.Name + node.Id, value, setting.Default, setting.Meaning, true);
    }

    private static string FlagText(NodeFlags flags)
    {
        var failover = flags.HasFlag(NodeFlags.DisallowToFailover) ? "DISALLOW_TO_FAILOVER" : "ALLOW_TO_FAILOVER";
        return flags.HasFlag(NodeFlags.AlwaysPrimary) ? failover + "|ALWAYS_PRIMARY" : failover;
    }
}
