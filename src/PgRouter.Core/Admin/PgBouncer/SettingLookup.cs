using System.Globalization;

namespace PgRouter.Core.Admin.PgBouncer;

/// <summary>Limits that PgBouncer's tables show, by name from the settings in force.</summary>
internal sealed class SettingLookup(IReadOnlyList<SettingRow> rows)
{
    /// <summary>The setting's number; 0, PgBouncer's word for "no limit", when there is no such setting or it is no whole number.</summary>
    public int Int(string name)
    {
        var value = rows.FirstOrDefault(r => r.Name.Equals(name, StringComparison.OrdinalIgnoreCase))?.Value;
        return int.TryParse(value, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) ? number : 0;
    }
}
