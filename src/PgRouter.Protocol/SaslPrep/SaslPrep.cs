using System.Text;

namespace PgRouter.Protocol;

/// <summary>
/// SASLprep (RFC 4013) as PostgreSQL applies it to passwords: what cannot be prepared is used as it is, so this never fails.
/// The normalisation is done here because the process runs without ICU, where <see cref="string.Normalize()"/> does nothing.
/// </summary>
public static class SaslPrep
{
    private const int HangulBase = 0xAC00;
    private const int LeadingBase = 0x1100;
    private const int VowelBase = 0x1161;
    private const int TrailingBase = 0x11A7;
    private const int LeadingCount = 19;
    private const int VowelCount = 21;
    private const int TrailingCount = 28;
    private const int HangulCount = LeadingCount * VowelCount * TrailingCount;

    /// <summary>The prepared password; the password itself when it is ASCII, or holds what SASLprep prohibits.</summary>
    public static string Normalise(string password)
    {
        if (Ascii.IsValid(password) || HasLoneSurrogate(password))
            return password;
        var tables = SaslPrepTables.Instance;
        var points = Map(password, tables);
        if (points.Count == 0)
            return password;
        points = Compose(Decompose(points, tables), tables);
        return points.Exists(tables.Prohibited.Contains) || BreaksDirectionRule(points, tables) ? password : ToText(points);
    }

    /// <summary>RFC 4013, 2.1: spaces of other scripts become a space, and what is invisible goes.</summary>
    private static List<int> Map(string password, SaslPrepTables tables)
    {
        var points = new List<int>(password.Length);
        foreach (var rune in password.EnumerateRunes())
        {
            if (tables.NonAsciiSpace.Contains(rune.Value))
                points.Add(' ');
            else if (!tables.MappedToNothing.Contains(rune.Value))
                points.Add(rune.Value);
        }
        return points;
    }

    /// <summary>Compatibility decomposition in canonical order (Unicode Standard, 3.11).</summary>
    private static List<int> Decompose(List<int> points, SaslPrepTables tables)
    {
        var result = new List<int>(points.Count);
        foreach (var point in points)
        {
            if ((uint)(point - HangulBase) < HangulCount)
                DecomposeHangul(point - HangulBase, result);
            else if (tables.Decompositions.TryGetValue(point, out var parts))
                result.AddRange(parts);
            else
                result.Add(point);
        }
        // A stable sort of each run of combining marks by class.
        for (var i = 1; i < result.Count; i++)
        {
            var own = tables.CombiningClass(result[i]);
            for (var j = i; own > 0 && j > 0 && tables.CombiningClass(result[j - 1]) > own; j--)
                (result[j], result[j - 1]) = (result[j - 1], result[j]);
        }
        return result;
    }

    private static void DecomposeHangul(int index, List<int> result)
    {
        result.Add(LeadingBase + index / (VowelCount * TrailingCount));
        result.Add(VowelBase + index % (VowelCount * TrailingCount) / TrailingCount);
        if (index % TrailingCount != 0)
            result.Add(TrailingBase + index % TrailingCount);
    }

    /// <summary>Canonical composition (Unicode Standard, 3.11): each mark that nothing blocks joins the starter before it.</summary>
    private static List<int> Compose(List<int> points, SaslPrepTables tables)
    {
        var result = new List<int>(points.Count);
        var starter = -1;
        var lastClass = -1;
        foreach (var point in points)
        {
            var own = tables.CombiningClass(point);
            if (starter >= 0 && lastClass < own && TryCompose(result[starter], point, tables, out var composite))
            {
                result[starter] = composite;
                continue;
            }
            if (own == 0)
                starter = result.Count;
            // Directly behind a starter even another starter may join it.
            lastClass = own == 0 ? -1 : own;
            result.Add(point);
        }
        return result;
    }

    private static bool TryCompose(int first, int second, SaslPrepTables tables, out int composite)
    {
        var leading = first - LeadingBase;
        var vowel = second - VowelBase;
        if ((uint)leading < LeadingCount && (uint)vowel < VowelCount)
        {
            composite = HangulBase + (leading * VowelCount + vowel) * TrailingCount;
            return true;
        }
        var syllable = first - HangulBase;
        var trailing = second - TrailingBase;
        if ((uint)syllable < HangulCount && syllable % TrailingCount == 0 && trailing is > 0 and < TrailingCount)
        {
            composite = first + trailing;
            return true;
        }
        return tables.Compositions.TryGetValue((first, second), out composite);
    }

    /// <summary>RFC 3454, 6: right-to-left text holds no left-to-right letter, and begins and ends right-to-left.</summary>
    private static bool BreaksDirectionRule(List<int> points, SaslPrepTables tables) =>
        points.Exists(tables.RightToLeft.Contains)
        && (points.Exists(tables.LeftToRight.Contains)
            || !tables.RightToLeft.Contains(points[0])
            || !tables.RightToLeft.Contains(points[^1]));

    private static string ToText(List<int> points)
    {
        var text = new StringBuilder(points.Count);
        foreach (var point in points)
            text.Append(new Rune(point).ToString());
        return text.ToString();
    }

    private static bool HasLoneSurrogate(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]))
                i++;
            else if (char.IsSurrogate(text[i]))
                return true;
        }
        return false;
    }
}
