namespace PgRouter.Core.Admin;

/// <summary>
/// Second lock on secrets: whatever the settings' table says, a value whose name ends in "password" (also with a node number after it) or
/// "authkey" is never shown.
/// </summary>
internal static class SettingMask
{
    public const string Masked = "*****";

    /// <summary>The settings with every secret replaced; an empty value stays empty, which says that nothing is set.</summary>
    public static IReadOnlyList<SettingRow> Apply(IReadOnlyList<SettingRow> rows) =>
        rows.Select(row => IsSecret(row.Name) ? row with { Value = Hide(row.Value), Default = Hide(row.Default) } : row).ToList();

    public static bool IsSecret(string name)
    {
        var stem = name.AsSpan().TrimEnd("0123456789");
        return stem.EndsWith("password", StringComparison.OrdinalIgnoreCase)
            || stem.EndsWith("authkey", StringComparison.OrdinalIgnoreCase);
    }

    private static string Hide(string value) => value.Length == 0 ? "" : Masked;
}
