using System.Text;

namespace PgRouter.Core.Authentication;

/// <summary>
/// Reads a line of PgBouncer's userlist.txt: <c>"user" "secret"</c>, a quote inside doubled, further quoted fields ignored.
/// </summary>
internal static class UserListLine
{
    public static PasswordLine Parse(string line)
    {
        var position = 0;
        var fields = new List<string>();
        while (true)
        {
            while (position < line.Length && char.IsWhiteSpace(line[position]))
                position++;
            if (position == line.Length)
                break;
            if (line[position] != '"')
                return PasswordLine.Wrong("expected \"user\" \"secret\": both in double quotes, nothing else in the line");
            if (ReadQuoted(line, ref position) is not { } field)
                return PasswordLine.Wrong("a double quote is not closed; a quote inside a value is written twice");
            fields.Add(field);
        }
        if (fields.Count < 2)
            return PasswordLine.Wrong("expected \"user\" \"secret\": the secret is missing");
        if (fields[0].Length == 0)
            return PasswordLine.Wrong("the user name is empty");
        // PgBouncer's files list users without a password this way; they can log in by trust only.
        return fields[1].Length == 0 ? new PasswordLine(fields[0], null, null) : PasswordLine.FromStored(fields[0], fields[1]);
    }

    private static string? ReadQuoted(string line, ref int position)
    {
        var text = new StringBuilder();
        for (position++; position < line.Length; position++)
        {
            if (line[position] != '"')
            {
                text.Append(line[position]);
                continue;
            }
            position++;
            if (position >= line.Length || line[position] != '"')
                return text.ToString();
            text.Append('"');
        }
        return null;
    }
}
