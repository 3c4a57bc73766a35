using System.Text;

namespace PgRouter.Core.Admin;

/// <summary>
/// Cuts a command into words: names, numbers, quoted strings (without their quotes), '=' and ','. Comments and trailing semicolons are
/// dropped.
/// </summary>
internal static class CommandText
{
    /// <summary>The words in order; empty for an empty query. On failure <paramref name="error"/> says what is wrong.</summary>
    public static IReadOnlyList<CommandWord> Split(string text, out AdminError? error)
    {
        var words = new List<CommandWord>();
        var isEnded = false;
        error = null;
        for (var i = 0; i < text.Length;)
        {
            if (SkipBlank(text, ref i))
                continue;
            if (text[i] == ';')
            {
                isEnded = true;
                i++;
                continue;
            }
            if (isEnded && words.Count > 0)
            {
                error = new AdminError(AdminErrors.SyntaxError,
                    "the console takes one command at a time", "Send each command in a query of its own.");
                return [];
            }
            var isQuoted = text[i] is '\'' or '"';
            if (!TryReadWord(text, ref i, out var word))
            {
                error = new AdminError(AdminErrors.SyntaxError, "unterminated quoted string");
                return [];
            }
            words.Add(new CommandWord(word, isQuoted));
        }
        return words;
    }

    /// <summary>Steps over a blank, or a comment up to its end; an open block comment reaches to the end of the text.</summary>
    private static bool SkipBlank(string text, ref int i)
    {
        if (char.IsWhiteSpace(text[i]))
        {
            i++;
            return true;
        }
        if (string.CompareOrdinal(text, i, "--", 0, 2) == 0)
        {
            var end = text.IndexOf('\n', i);
            i = end < 0 ? text.Length : end + 1;
            return true;
        }
        if (string.CompareOrdinal(text, i, "/*", 0, 2) == 0)
        {
            var end = text.IndexOf("*/", i + 2, StringComparison.Ordinal);
            i = end < 0 ? text.Length : end + 2;
            return true;
        }
        return false;
    }

    private static bool TryReadWord(string text, ref int i, out string word)
    {
        if (text[i] is '\'' or '"')
            return TryReadQuoted(text, ref i, out word);
        var start = i;
        if (text[i] is '=' or ',')
            i++;
        else
            while (i < text.Length && !char.IsWhiteSpace(text[i]) && text[i] is not (';' or '=' or ',' or '\'' or '"'))
                i++;
        word = text[start..i];
        return true;
    }

    private static bool TryReadQuoted(string text, ref int i, out string word)
    {
        var quote = text[i++];
        var value = new StringBuilder();
        for (; i < text.Length; i++)
        {
            if (text[i] != quote)
            {
                value.Append(text[i]);
            }
            else if (i + 1 < text.Length && text[i + 1] == quote)
            {
                value.Append(quote);
                i++;
            }
            else
            {
                i++;
                word = value.ToString();
                return true;
            }
        }
        word = "";
        return false;
    }
}

/// <summary>A word of a command; a quoted one is never part of a command's name.</summary>
internal readonly record struct CommandWord(string Text, bool IsQuoted);
