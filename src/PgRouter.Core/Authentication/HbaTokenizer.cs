using System.Text;

namespace PgRouter.Core.Authentication;

/// <summary>
/// A word of pool_hba.conf; quoted when it begins with a double quote, which takes the meaning from keywords and from '@'.
/// </summary>
internal sealed record HbaToken(string Text, bool IsQuoted);

/// <summary>A line with its fields; a field is a list of words joined by commas.</summary>
internal sealed record HbaLine(int Number, IReadOnlyList<IReadOnlyList<HbaToken>> Fields, string? Mistake)
{
    /// <summary>The line as it stands in the file.</summary>
    public string Text { get; init; } = "";
}

/// <summary>
/// Cuts pool_hba.conf into lines, fields and words by the rules of PostgreSQL's pg_hba.conf: '#' begins a comment, a backslash at the end
/// of a line
/// joins the next, double quotes protect blanks, commas and '#', and a doubled quote inside quotes is a quote.
/// </summary>
internal static class HbaTokenizer
{
    public static IReadOnlyList<HbaLine> Tokenize(string text)
    {
        var result = new List<HbaLine>();
        var lines = text.Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            var number = i + 1;
            var line = new StringBuilder(lines[i].TrimEnd('\r'));
            while (line.Length > 0 && line[^1] == '\\' && i + 1 < lines.Length)
            {
                line.Length--;
                line.Append(lines[++i].TrimEnd('\r'));
            }
            var tokens = TokenizeLine(line.ToString(), number);
            if (tokens.Fields.Count > 0 || tokens.Mistake is not null)
                result.Add(tokens);
        }
        return result;
    }

    private static HbaLine TokenizeLine(string line, int number)
    {
        var fields = new List<IReadOnlyList<HbaToken>>();
        var field = new List<HbaToken>();
        var position = 0;
        while (SkipBlanks(line, ref position))
        {
            var (token, closed) = ReadToken(line, ref position);
            if (!closed)
                return new HbaLine(number, [], "a double quote is not closed");
            if (token.Text.Length > 0 || token.IsQuoted)
                field.Add(token);
            // A comma joins the next word to this field, with or without blanks behind it.
            if (position < line.Length && line[position] == ',')
            {
                position++;
                continue;
            }
            if (field.Count > 0)
                fields.Add(field);
            field = [];
        }
        if (field.Count > 0)
            fields.Add(field);
        return new HbaLine(number, fields, null) { Text = line.Trim() };
    }

    /// <summary>False at the end of the line or at a comment.</summary>
    private static bool SkipBlanks(string line, ref int position)
    {
        while (position < line.Length && char.IsWhiteSpace(line[position]))
            position++;
        return position < line.Length && line[position] != '#';
    }

    private static (HbaToken Token, bool Closed) ReadToken(string line, ref int position)
    {
        var text = new StringBuilder();
        var beginsQuoted = line[position] == '"';
        var inQuotes = false;
        for (; position < line.Length; position++)
        {
            var c = line[position];
            if (!inQuotes && (char.IsWhiteSpace(c) || c is ',' or '#'))
                break;
            if (c != '"')
                text.Append(c);
            else if (inQuotes && position + 1 < line.Length && line[position + 1] == '"')
                text.Append(line[++position]);
            else
                inQuotes = !inQuotes;
        }
        return (new HbaToken(text.ToString(), beginsQuoted), !inQuotes);
    }
}
