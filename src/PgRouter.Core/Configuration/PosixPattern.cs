using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.RegularExpressions;

namespace PgRouter.Core.Configuration;

/// <summary>
/// A pattern of pgpool's lists: a POSIX extended regular expression, letter case ignored, anchored at both ends by a ^ and a $ put around it
/// where it has none (around the text, not around a group: <c>a|b</c> is <c>^a|b$</c>). Runs in time linear in the text, whatever the pattern.
/// Source: regcomp(3), regex(7).
/// </summary>
internal static class PosixPattern
{
    private const RegexOptions Options =
        RegexOptions.NonBacktracking | RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.Singleline;

    /// <summary>The compiled pattern, or what is wrong with it.</summary>
    public static bool TryCompile(string pattern, [NotNullWhen(true)] out Regex? regex, out string problem)
    {
        regex = null;
        problem = "";
        var anchored = (pattern.StartsWith('^') ? "" : "^") + pattern + (pattern.EndsWith('$') ? "" : "$");
        try
        {
            regex = new Regex(Translate(anchored), Options);
            return true;
        }
        catch (FormatException e)
        {
            problem = e.Message;
        }
        catch (ArgumentException)
        {
            problem = "it is no regular expression";
        }
        catch (NotSupportedException)
        {
            problem = "its repetitions are too many";
        }
        return false;
    }

    /// <summary>In the platform's own syntax. Throws FormatException for what has no counterpart there.</summary>
    private static string Translate(string pattern)
    {
        var translated = new StringBuilder(pattern.Length + 8);
        for (var i = 0; i < pattern.Length; i++)
        {
            switch (pattern[i])
            {
                case '\\':
                    translated.Append(Escape(pattern[++i])); // Something follows: at the end stands a $.
                    break;
                case '[':
                    i = Bracket(pattern, i, translated);
                    break;
                case '$':
                    translated.Append(@"\z"); // The platform's own would also match in front of a last line feed.
                    break;
                case '(' when i + 1 < pattern.Length && pattern[i + 1] is '?' or '*' or '+':
                    throw new FormatException($"\"{pattern[i + 1]}\" repeats nothing");
                case '#' or ' ':
                    translated.Append('\\').Append(pattern[i]);
                    break;
                default:
                    translated.Append(pattern[i]);
                    break;
            }
        }
        return translated.ToString();
    }

    /// <summary>A backslash makes any character itself; those of the GNU library that stand for something else are kept.</summary>
    private static string Escape(char escaped) => escaped switch
    {
        'w' or 'W' or 's' or 'S' or 'b' or 'B' => "\\" + escaped,
        '<' or '>' => @"\b",
        '`' => @"\A",
        '\'' => @"\z",
        >= '1' and <= '9' => throw new FormatException("back-references are not available"),
        _ => Regex.Escape(escaped.ToString()),
    };

    /// <summary>A bracket expression, in which a backslash is itself and ] is an element when it comes first. Returns where it ends.</summary>
    private static int Bracket(string pattern, int start, StringBuilder translated)
    {
        var i = start + 1;
        translated.Append('[');
        if (i < pattern.Length && pattern[i] == '^')
        {
            translated.Append('^');
            i++;
        }
        for (var first = i; i < pattern.Length; i++)
        {
            if (pattern[i] == ']' && i > first)
            {
                translated.Append(']');
                return i;
            }
            if (pattern[i] == '[' && i + 1 < pattern.Length && pattern[i + 1] is ':' or '.' or '=')
                i = NamedElement(pattern, i, translated);
            else if (pattern[i] == '-' && i > first && i + 1 < pattern.Length && pattern[i + 1] != ']')
                translated.Append('-');
            else
                AppendElement(translated, pattern[i]);
        }
        throw new FormatException("a [ is not closed");
    }

    /// <summary>[:alpha:], [.x.] and [=x=] inside brackets. Returns where it ends.</summary>
    private static int NamedElement(string pattern, int start, StringBuilder translated)
    {
        var kind = pattern[start + 1];
        var end = pattern.IndexOf($"{kind}]", start + 2, StringComparison.Ordinal);
        if (end < 0)
            throw new FormatException($"a [{kind} is not closed");
        var name = pattern[(start + 2)..end];
        if (kind == ':')
            translated.Append(ClassOf(name));
        else if (name.Length == 1)
            AppendElement(translated, name[0]);
        else
            throw new FormatException($"there is no element [{kind}{name}{kind}]");
        return end + 1;
    }

    private static string ClassOf(string name) => name switch
    {
        "alpha" => @"\p{L}",
        "digit" => "0-9",
        "alnum" => @"\p{L}\p{Nd}",
        "upper" or "lower" => @"\p{L}", // Letter case is ignored.
        "space" => @"\s",
        "blank" => @" \t",
        "punct" => @"!-/:-@\[-`{-~",
        "xdigit" => "0-9A-Fa-f",
        "cntrl" => @"\x00-\x1f\x7f",
        "print" => @"\x20-\x7e\u00a0-\uffff",
        "graph" => @"\x21-\x7e\u00a1-\uffff",
        _ => throw new FormatException($"there is no class [:{name}:]"),
    };

    private static void AppendElement(StringBuilder translated, char element)
    {
        if (element is '\\' or ']' or '[' or '^' or '-')
            translated.Append('\\');
        translated.Append(element);
    }
}
