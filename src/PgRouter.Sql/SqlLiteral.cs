using System.Text;

namespace PgRouter.Sql;

/// <summary>The values of settings as <see cref="SettingChange.Value"/> has them: SQL literals with commas between them.</summary>
public static class SqlLiteral
{
    /// <summary>The text of a single literal; null when there are several.</summary>
    public static string? TextOf(string expression)
    {
        var isEscaped = expression.StartsWith("E'", StringComparison.Ordinal);
        var start = isEscaped ? 2 : 1;
        if (!isEscaped && !expression.StartsWith('\''))
            return expression.Contains(',') ? null : expression; // A number or a word.
        var text = new StringBuilder(expression.Length);
        for (var i = start; i < expression.Length; i++)
        {
            if (expression[i] != '\'' && !(isEscaped && expression[i] == '\\'))
                text.Append(expression[i]);
            else if (i + 1 < expression.Length && expression[i + 1] == expression[i])
                text.Append(expression[i++]);
            else
                return i == expression.Length - 1 ? text.ToString() : null;
        }
        return null;
    }
}
