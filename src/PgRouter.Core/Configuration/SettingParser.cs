using System.Globalization;

namespace PgRouter.Core.Configuration;

/// <summary>Turns the text of a value into its type and checks it against the row of the table.</summary>
internal static class SettingParser
{
    /// <summary>
    /// Longest duration, in milliseconds (24.8 days): what every timer of the platform can take. Longer ones are given as 0 (for ever)
    /// where a setting has that.
    /// </summary>
    private const double MaxMilliseconds = int.MaxValue;

    private static readonly (string Suffix, double Milliseconds)[] TimeUnits =
        [("us", 0.001), ("ms", 1), ("min", 60_000), ("s", 1000), ("h", 3_600_000), ("d", 86_400_000)];

    private static readonly (string Suffix, double Bytes)[] SizeUnits =
        [("kB", 1024), ("MB", 1024 * 1024), ("GB", 1024.0 * 1024 * 1024), ("TB", 1024.0 * 1024 * 1024 * 1024), ("B", 1)];

    /// <summary>The value, or what is wrong with the text and what is allowed.</summary>
    public static (SettingValue? Value, string Problem) Parse(Setting setting, string text)
    {
        var value = setting.Kind switch
        {
            SettingKind.Bool => ParseBool(text),
            SettingKind.Integer => ParseInteger(setting, text),
            SettingKind.Real => ParseReal(setting, text),
            SettingKind.Mode => ParseMode(text),
            SettingKind.Duration => ParseDuration(setting, text),
            SettingKind.Size => ParseSize(setting, text),
            SettingKind.Word => ParseWord(setting, text),
            SettingKind.List => ParseList(setting, text),
            _ => new SettingValue(text),
        };
        if (value is null)
            return (null, $"found \"{text}\"; allowed: {Allowed(setting)}");
        return setting.Check?.Invoke(value) is { Length: > 0 } problem ? (null, problem) : (value, Refusal(setting, value));
    }

    /// <summary>What may be written for a setting, in words.</summary>
    public static string Allowed(Setting setting) => setting.Kind switch
    {
        SettingKind.Bool => "on or off",
        SettingKind.Integer => $"a whole number from {Number(setting.Min)} to {Number(setting.Max)}",
        SettingKind.Real => $"a number from {Number(setting.Min)} to {Number(setting.Max)}",
        SettingKind.Mode => "an octal file mode from 0000 to 0777",
        SettingKind.Duration => $"a time from {Number(setting.Min)} to {Number(MaxDuration(setting))} {UnitName(setting.Unit)}, "
            + $"as a number of {UnitWord(setting.Unit)} or with us, ms, s, min, h or d",
        SettingKind.Size => $"a size from {Number(setting.Min)} to {Number(setting.Max)} {UnitName(setting.Unit)}, "
            + $"as a number of {UnitWord(setting.Unit)} or with B, kB, MB, GB or TB",
        SettingKind.Word => string.Join(", ", setting.Words),
        SettingKind.List when setting.Words.Count > 0 => $"{string.Join(", ", setting.Words)}, joined by '{setting.Separator}'",
        SettingKind.List => $"items separated by '{setting.Separator}'",
        _ => "any text",
    };

    /// <summary>The short name of a unit, empty for none.</summary>
    public static string UnitName(SettingUnit unit) => unit switch
    {
        SettingUnit.Bytes => "B",
        SettingUnit.Kilobytes => "kB",
        SettingUnit.Milliseconds => "ms",
        SettingUnit.Seconds => "s",
        SettingUnit.Minutes => "min",
        SettingUnit.Hours => "h",
        SettingUnit.Days => "d",
        _ => "",
    };

    private static string UnitWord(SettingUnit unit) => unit.ToString().ToLowerInvariant();

    private static string Refusal(Setting setting, SettingValue value)
    {
        if (setting.RefusedWords.TryGetValue(value.Text, out var reason))
            return $"found \"{value.Text}\", which is not available: {reason}";
        if (setting.RefusedBecause is null || value.Text == Parse(setting with { RefusedBecause = null }, setting.Default).Value?.Text)
            return "";
        var fallback = setting.Default.Length == 0 ? "''" : setting.Default;
        return $"found \"{value.Text}\", only {fallback} is available: {setting.RefusedBecause}";
    }

    private static SettingValue? ParseBool(string text)
    {
        bool? value = text.ToLowerInvariant() switch
        {
            "on" or "true" or "yes" or "1" or "t" or "y" => true,
            "off" or "false" or "no" or "0" or "f" or "n" => false,
            _ => null,
        };
        return value is { } known ? new SettingValue(known ? "on" : "off") { Bool = known } : null;
    }

    private static SettingValue? ParseInteger(Setting setting, string text) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && InRange(setting, number)
            ? new SettingValue(number.ToString(CultureInfo.InvariantCulture)) { Integer = number }
            : null;

    private static SettingValue? ParseReal(Setting setting, string text) =>
        TryNumber(text, out var number) && InRange(setting, number) ? new SettingValue(Number(number)) { Real = number } : null;

    private static SettingValue? ParseMode(string text)
    {
        var digits = text.TrimStart('0');
        if (text.Length == 0 || digits.Length > 3 || digits.Any(c => c is < '0' or > '7'))
            return null;
        return new SettingValue("0" + digits.PadLeft(3, '0')) { Integer = digits.Aggregate(0, (mode, c) => (mode << 3) + (c - '0')) };
    }

    private static SettingValue? ParseDuration(Setting setting, string text)
    {
        if (!TryQuantity(text, TimeUnits, MillisecondsPer(setting.Unit), out var milliseconds))
            return null;
        var inUnit = milliseconds / MillisecondsPer(setting.Unit);
        if (inUnit < setting.Min || inUnit > MaxDuration(setting))
            return null;
        var whole = Math.Abs(inUnit - Math.Round(inUnit)) < 1e-9;
        return new SettingValue(whole ? Number(Math.Round(inUnit)) : $"{Number(milliseconds)}ms")
        {
            Duration = TimeSpan.FromTicks((long)Math.Round(milliseconds * TimeSpan.TicksPerMillisecond)),
            Integer = (long)Math.Round(inUnit),
        };
    }

    private static SettingValue? ParseSize(Setting setting, string text)
    {
        var perUnit = setting.Unit == SettingUnit.Kilobytes ? 1024.0 : 1;
        if (!TryQuantity(text, SizeUnits, perUnit, out var bytes) || !InRange(setting, bytes / perUnit))
            return null;
        return new SettingValue(Number(Math.Round(bytes / perUnit))) { Integer = (long)Math.Round(bytes) };
    }

    private static SettingValue? ParseWord(Setting setting, string text)
    {
        var word = setting.Words.Concat(setting.RefusedWords.Keys).FirstOrDefault(w => w.Equals(text, StringComparison.OrdinalIgnoreCase));
        return word is null ? null : new SettingValue(word);
    }

    private static SettingValue? ParseList(Setting setting, string text)
    {
        var items = setting.KeepsBackslashes
            ? SplitPatterns(text, setting.Separator)
            : text.Split(setting.Separator, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (setting.Words.Count > 0)
            items = [.. items.Select(item => item.ToUpperInvariant())];
        if (setting.Words.Count > 0 && !items.All(setting.Words.Contains))
            return null;
        return new SettingValue(string.Join(setting.Separator == '|' ? "|" : $"{setting.Separator} ", items)) { Items = items };
    }

    /// <summary>A separator behind a backslash belongs to the pattern, in which the two stand for the separator itself.</summary>
    private static string[] SplitPatterns(string text, char separator)
    {
        var items = new List<string>();
        var start = 0;
        for (var i = 0; i <= text.Length; i++)
        {
            if (i < text.Length && text[i] != separator)
            {
                i += text[i] == '\\' ? 1 : 0;
                continue;
            }
            if (text[start..Math.Min(i, text.Length)].Trim() is { Length: > 0 } item)
                items.Add(item);
            start = i + 1;
        }
        return [.. items];
    }

    private static bool TryQuantity(string text, (string Suffix, double Factor)[] units, double defaultFactor, out double quantity)
    {
        var unit = units.FirstOrDefault(u => text.EndsWith(u.Suffix, StringComparison.Ordinal));
        var number = unit.Suffix is null ? text : text[..^unit.Suffix.Length];
        var known = TryNumber(number.Trim(), out var value);
        quantity = value * (unit.Suffix is null ? defaultFactor : unit.Factor);
        return known;
    }

    private static bool TryNumber(string text, out double number) =>
        double.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out number)
        && double.IsFinite(number);

    private static bool InRange(Setting setting, double number) => number >= setting.Min && number <= setting.Max;

    private static double MaxDuration(Setting setting) =>
        Math.Min(setting.Max, Math.Floor(MaxMilliseconds / MillisecondsPer(setting.Unit)));

    private static double MillisecondsPer(SettingUnit unit) => unit switch
    {
        SettingUnit.Seconds => 1000,
        SettingUnit.Minutes => 60_000,
        SettingUnit.Hours => 3_600_000,
        SettingUnit.Days => 86_400_000,
        _ => 1,
    };

    private static string Number(double number) => number.ToString("0.######", CultureInfo.InvariantCulture);
}
