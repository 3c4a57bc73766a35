using System.Text;

namespace PgRouter.Sql;

/// <summary>What a string literal stands for.</summary>
internal static class LiteralText
{
    /// <summary>
    /// The text of '..' or $tag$..$tag$; null for what depends on a setting or has escapes.
    /// </summary>
    public static string? Read(string literal)
    {
        if (literal.StartsWith('$'))
        {
            var tag = literal.IndexOf('$', 1) + 1;
            return tag > 0 && literal.Length >= 2 * tag ? literal[tag..^tag] : null;
        }

        return literal.StartsWith('\'') && !literal.Contains('\\') ? ReadQuoted(literal) : null;
    }

    /// <summary>Adjacent literals with a line break between them are one (4.1.2.1. String Constants).</summary>
    private static string? ReadQuoted(string literal)
    {
        var text = new StringBuilder(literal.Length);
        var i = 1;
        while (true)
        {
            var end = literal.IndexOf('\'', i);
            if (end < 0)
                return null;
            text.Append(literal, i, end - i);
            i = end + 1;
            if (i == literal.Length)
                return text.ToString();
            if (literal[i] == '\'')
            {
                text.Append('\'');
                i++;
                continue;
            }

            i = literal.IndexOf('\'', i) + 1;
            if (i == 0)
                return null;
        }
    }
}
