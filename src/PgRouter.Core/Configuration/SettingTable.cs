using System.Collections.Frozen;
using System.Globalization;
using PgRouter.Core.Configuration.Settings;

namespace PgRouter.Core.Configuration;

/// <summary>
/// All settings, one row each, in the order in which they are shown: pgpool-II's, PgBouncer's pool settings under their own names, and
/// PgRouter's own (pgrouter.*). Immutable; any thread.
/// </summary>
internal static class SettingTable
{
    public static IReadOnlyList<Setting> Rows { get; } =
    [
        .. ListeningSettings.Rows,
        .. BackendSettings.Rows,
        .. AuthenticationSettings.Rows,
        .. PoolingSettings.Rows,
        .. BalancingSettings.Rows,
        .. ConsistencySettings.Rows,
        .. ReplicationCheckSettings.Rows,
        .. HealthCheckSettings.Rows,
        .. FailoverSettings.Rows,
        .. WatchdogSettings.Rows,
        .. TlsSettings.Rows,
        .. LoggingSettings.Rows,
        .. CacheSettings.Rows,
        .. OtherSettings.Rows,
    ];

    private static readonly FrozenDictionary<string, Setting> ByName = Rows
        .SelectMany(row => row.AllNames.Distinct(StringComparer.OrdinalIgnoreCase), (row, name) => (row, name))
        .ToFrozenDictionary(pair => pair.name, pair => pair.row, StringComparer.OrdinalIgnoreCase);

    /// <summary>The row of a name as written, and the number behind it; false when no setting has that name.</summary>
    public static bool TryFind(string name, out Setting setting, out int? index)
    {
        index = null;
        if (ByName.TryGetValue(name, out setting!))
            return setting.Suffix != SettingSuffix.Required;
        var stem = name.TrimEnd("0123456789".ToCharArray());
        var digits = name[stem.Length..];
        if (!ByName.TryGetValue(stem, out setting!) || setting.Suffix == SettingSuffix.None || digits.Length > 1 && digits[0] == '0')
            return false;
        if (!int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number > BackendSettings.MaxNodeId)
            return false;
        index = number;
        return true;
    }

    /// <summary>The known name nearest to a mistyped one, null when none is near.</summary>
    public static string? Suggest(string name)
    {
        if (ByName.TryGetValue(name.TrimEnd("0123456789".ToCharArray()), out var row) && row.Suffix != SettingSuffix.None)
            return name.Length == row.Name.Length ? row.Name + "0" : null;
        var stem = name.TrimEnd("0123456789".ToCharArray()).ToLowerInvariant();
        var (best, distance) = ByName.Keys
            .Select(known => (Known: known, Distance: EditDistance.Between(stem, known.ToLowerInvariant())))
            .MinBy(candidate => candidate.Distance);
        if (distance > 1 + stem.Length / 5)
            return null;
        return ByName[best].Suffix == SettingSuffix.None ? best : best + name[stem.Length..];
    }
}
