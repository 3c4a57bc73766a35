using System.Text;

namespace PgRouter.Sql;

/// <summary>
/// Settings whose value is a list of identifiers. SET quotes each element where it must, or all of them under quote_all_identifiers. Source:
/// PostgreSQL, "Client Connection Defaults" and "quote_all_identifiers".
/// </summary>
public static class NameLists
{
    private static readonly string[] Settings =
    [
        "search_path", "temp_tablespaces", "local_preload_libraries", "session_preload_libraries", "shared_preload_libraries",
        "unix_socket_directories",
    ];

    public static bool Contains(string setting) => Settings.Contains(setting);

    /// <summary>
    /// The value that SET makes of a list of string literals, as <see cref="SettingChange"/> has it, while quote_all_identifiers is on; null when it
    /// is no such list.
    /// </summary>
    public static string? QuoteAll(string expression)
    {
        var value = new StringBuilder();
        for (var i = 0; i < expression.Length;)
        {
            if (ReadLiteral(expression, ref i) is not { } name)
                return null;
            value.Append('"').Append(name.Replace("\"", "\"\"", StringComparison.Ordinal)).Append('"');
            if (i == expression.Length)
                break;
            if (!expression.AsSpan(i).StartsWith(", "))
                return null;
            value.Append(", ");
            i += 2;
        }

        return value.ToString();
    }

    /// <summary>A literal as <see cref="Constant.Quote"/> writes it.</summary>
    private static string? ReadLiteral(string expression, ref int i)
    {
        var escapes = i < expression.Length && expression[i] == 'E';
        if (escapes)
            i++;
        if (i >= expression.Length || expression[i] != '\'')
            return null;
        var text = new StringBuilder();
        for (i++; i < expression.Length; i++)
        {
            var c = expression[i];
            if (c == '\'' && (i + 1 == expression.Length || expression[i + 1] != '\''))
            {
                i++;
                return text.ToString();
            }

            if (c == '\'' || (c == '\\' && escapes))
                i++;
            text.Append(c);
        }

        return null;
    }
}
