namespace PgRouter.Core.Configuration.Settings;

/// <summary>Short forms for writing rows of the table.</summary>
internal static class SettingRows
{
    public static Setting Bool(string name, bool initial, string meaning) => new(name, SettingKind.Bool, initial ? "on" : "off", meaning);

    public static Setting Integer(string name, string initial, double min, double max, string meaning) =>
        new(name, SettingKind.Integer, initial, meaning) { Min = min, Max = max };

    public static Setting Real(string name, string initial, double min, double max, string meaning) =>
        new(name, SettingKind.Real, initial, meaning) { Min = min, Max = max };

    public static Setting Port(string name, string initial, string meaning) => Integer(name, initial, 1, 65535, meaning);

    public static Setting Seconds(string name, string initial, string meaning) =>
        new(name, SettingKind.Duration, initial, meaning) { Unit = SettingUnit.Seconds };

    public static Setting Milliseconds(string name, string initial, string meaning) =>
        new(name, SettingKind.Duration, initial, meaning) { Unit = SettingUnit.Milliseconds };

    public static Setting Minutes(string name, string initial, string meaning) =>
        new(name, SettingKind.Duration, initial, meaning) { Unit = SettingUnit.Minutes };

    public static Setting Bytes(string name, string initial, string meaning) =>
        new(name, SettingKind.Size, initial, meaning) { Unit = SettingUnit.Bytes, Max = 1L << 53 };

    public static Setting Kilobytes(string name, string initial, string meaning) =>
        new(name, SettingKind.Size, initial, meaning) { Unit = SettingUnit.Kilobytes };

    public static Setting Word(string name, string initial, string[] words, string meaning) =>
        new(name, SettingKind.Word, initial, meaning) { Words = words };

    public static Setting Text(string name, string initial, string meaning) => new(name, SettingKind.Text, initial, meaning);

    public static Setting Secret(string name, string meaning) => Text(name, "", meaning) with { IsSecret = true };

    public static Setting Mode(string name, string initial, string meaning) => new(name, SettingKind.Mode, initial, meaning);

    public static Setting List(string name, string initial, string meaning, char separator = ',') =>
        new(name, SettingKind.List, initial, meaning) { Separator = separator };

    public static Setting Patterns(string name, string meaning, char separator = ',') =>
        List(name, "", meaning, separator) with { KeepsBackslashes = true, Check = value => PatternList.Check(value.Items) };

    public static Setting Redirects(string name, string meaning) =>
        List(name, "", meaning) with { KeepsBackslashes = true, Check = value => RedirectList.Check(value.Items) };

    /// <summary>The row that lands in the configuration by replacing it.</summary>
    public static Setting To(this Setting row, Func<RouterConfig, SettingValue, RouterConfig> apply) =>
        row with { Apply = (draft, value) => draft.Config = apply(draft.Config, value) };

    /// <summary>The row that is read and checked but has no effect.</summary>
    public static Setting Accepted(this Setting row, string because) => row with { AcceptedBecause = because };

    /// <summary>The row of which only the default is possible.</summary>
    public static Setting Refused(this Setting row, string because) => row with { RefusedBecause = because };

    public static Setting Restart(this Setting row) => row with { Effect = SettingEffect.Restart };

    public static Setting PgBouncer(this Setting row, string name) => row with { PgBouncerName = name };

    public static Setting Once(this Setting row, params string[] oldNames) => row with { OldNames = oldNames };

    public static Setting PerNode(this Setting row, SettingSuffix suffix = SettingSuffix.Optional) => row with { Suffix = suffix };

    /// <summary>The rows with their group.</summary>
    public static IEnumerable<Setting> In(SettingGroup group, params Setting[] rows) => rows.Select(row => row with { Group = group });
}
