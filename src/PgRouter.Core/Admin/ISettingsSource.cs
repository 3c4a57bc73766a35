namespace PgRouter.Core.Admin;

/// <summary>The settings in force, for the commands that show them. A copy of one moment; safe to call from any thread.</summary>
internal interface ISettingsSource
{
    /// <summary>Every setting, in the order to show them, with values as the configuration file would spell them.</summary>
    IReadOnlyList<SettingRow> Rows();
}

/// <summary>One setting as shown.</summary>
/// <param name="Name">As in pgpool.conf.</param>
/// <param name="Value">Value in force; secrets already masked.</param>
/// <param name="Default">Value without an entry in the file.</param>
/// <param name="Description">One sentence.</param>
/// <param name="Changeable">A reload takes a new value over.</param>
internal sealed record SettingRow(string Name, string Value, string Default, string Description, bool Changeable);
