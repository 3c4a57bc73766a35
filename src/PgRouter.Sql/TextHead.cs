using System.Globalization;
using System.Text;

namespace PgRouter.Sql;

/// <summary>
/// What stands in front of the first statement: white space and comments. A comment there may be a routing hint,
/// <c>/* pgrouter: primary */</c>, <c>/* pgrouter: node=1, max_lag=100ms */</c> or pgpool's <c>/*NO LOAD BALANCE*/</c>.
/// </summary>
internal static class TextHead
{
    /// <summary>The first byte of the first token, or the length; a comment that does not end counts as a token.</summary>
    public static int Skip(ReadOnlySpan<byte> sql)
    {
        var i = 0;
        while (true)
        {
            i = SqlBytes.SkipSpace(sql, i);
            var end = SqlBytes.EndOfComment(sql, i);
            if (end < 0)
                return i;
            i = end;
        }
    }

    /// <summary>The hints of all leading comments together, or null. What is not a hint, or is a malformed one, is passed over.</summary>
    public static RouteHint? ReadHint(ReadOnlySpan<byte> sql)
    {
        RouteHint? hint = null;
        var i = SqlBytes.SkipSpace(sql, 0);
        for (var end = SqlBytes.EndOfComment(sql, i); end >= 0; end = SqlBytes.EndOfComment(sql, i))
        {
            hint = MayBeHint(sql[i..end]) ? ParseComment(sql[i..end], hint) : hint;
            i = SqlBytes.SkipSpace(sql, end);
        }

        return hint;
    }

    /// <summary>
    /// Copies the leading comments that look like hints, with their end marks, and returns how many bytes that were. They are part of a
    /// statement's shape; every other comment is not.
    /// </summary>
    public static int CopyHints(ReadOnlySpan<byte> sql, Span<byte> target)
    {
        var written = 0;
        var i = SqlBytes.SkipSpace(sql, 0);
        for (var end = SqlBytes.EndOfComment(sql, i); end >= 0; end = SqlBytes.EndOfComment(sql, i))
        {
            if (MayBeHint(sql[i..end]))
            {
                sql[i..end].CopyTo(target[written..]);
                written += end - i;
            }

            i = SqlBytes.SkipSpace(sql, end);
        }

        return written;
    }

    private static bool MayBeHint(ReadOnlySpan<byte> comment)
    {
        if (comment[0] != '/')
            return false;
        var i = SqlBytes.SkipSpace(comment, 2);
        return StartsWith(comment[i..], "pgrouter"u8) || StartsWith(comment[i..], "no"u8);
    }

    private static bool StartsWith(ReadOnlySpan<byte> text, ReadOnlySpan<byte> lowerCase) =>
        text.Length >= lowerCase.Length && SqlBytes.EqualsIgnoreCase(text[..lowerCase.Length], lowerCase);

    private static RouteHint? ParseComment(ReadOnlySpan<byte> comment, RouteHint? before)
    {
        var body = Encoding.Latin1.GetString(comment[2..^2]).Trim().ToLowerInvariant();
        if (string.Join(' ', body.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)) == "no load balance")
            return (before ?? new RouteHint()) with { Primary = true };
        const string Prefix = "pgrouter";
        var rest = body[Math.Min(Prefix.Length, body.Length)..].TrimStart();
        if (!body.StartsWith(Prefix, StringComparison.Ordinal) || !rest.StartsWith(':'))
            return before;
        var hint = before ?? new RouteHint();
        foreach (var part in rest[1..].Split(','))
        {
            if (!TryApply(part.Trim(), ref hint))
                return before;
        }

        return Places(hint) > 1 ? before : hint;
    }

    private static int Places(RouteHint hint) =>
        (hint.Primary ? 1 : 0) + (hint.Standby ? 1 : 0) + (hint.Node is null ? 0 : 1) + (hint.Auto ? 1 : 0);

    private static bool TryApply(string part, ref RouteHint hint)
    {
        var equals = part.IndexOf('=');
        var name = (equals < 0 ? part : part[..equals]).Trim();
        var value = equals < 0 ? "" : part[(equals + 1)..].Trim();
        switch (name)
        {
            case "primary" when equals < 0:
                hint = hint with { Primary = true };
                return true;
            case "standby" when equals < 0:
                hint = hint with { Standby = true };
                return true;
            case "auto" when equals < 0:
                hint = hint with { Auto = true };
                return true;
            case "node" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var node):
                hint = hint with { Node = node };
                return true;
            case "max_lag" when TryParseDuration(value, out var lag):
                hint = hint with { MaxLag = lag };
                return true;
            case "consistency" when value.Length > 0 && value.All(c => char.IsAsciiLetter(c) || c is '_' or '-'):
                hint = hint with { Consistency = value };
                return true;
            case "min_lsn" when value.Length > 0 && value.All(c => char.IsAsciiHexDigit(c) || c is '/' or ':'):
                hint = hint with { MinLsn = value };
                return true;
            case "consistency_wait" when TryParseDuration(value, out var wait):
                hint = hint with { ConsistencyWait = wait };
                return true;
            default:
                return false;
        }
    }

    /// <summary>A number with ms, s or min; without a unit milliseconds, as PostgreSQL's settings of time.</summary>
    private static bool TryParseDuration(string text, out TimeSpan duration)
    {
        var digits = text.TrimEnd("abcdefghijklmnopqrstuvwxyz ".ToCharArray());
        var milliseconds = text[digits.Length..].Trim() switch { "" or "ms" => 1.0, "s" => 1000.0, "min" => 60000.0, _ => double.NaN };
        duration = default;
        if (double.IsNaN(milliseconds) || !int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return false;
        duration = TimeSpan.FromMilliseconds(number * milliseconds);
        return true;
    }
}
