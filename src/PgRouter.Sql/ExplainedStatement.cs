using System.Globalization;
using System.Text;

namespace PgRouter.Sql;

/// <summary>What <c>EXPLAIN ROUTE</c> is asked about.</summary>
public static class ExplainedStatement
{
    /// <summary>The statement behind EXPLAIN ROUTE, empty when there is none; null when the command is another one.</summary>
    public static byte[]? In(string command)
    {
        var text = Encoding.UTF8.GetBytes(command);
        var lexer = new SqlLexer(text, standardConformingStrings: true);
        if (!IsWord(ref lexer, "explain"u8) || !IsWord(ref lexer, "route"u8))
            return null;
        return text[lexer.Stop..].AsSpan().Trim(" \t\r\n\f"u8).ToArray();
    }

    /// <summary>The greatest n of the parameters $n in a text, 0 when it has none.</summary>
    public static int CountParameters(ReadOnlySpan<byte> sql)
    {
        var greatest = 0;
        var lexer = new SqlLexer(sql, standardConformingStrings: true);
        for (var kind = lexer.Next(); kind != TokenKind.End; kind = lexer.Next())
        {
            if (kind == TokenKind.Parameter && ushort.TryParse(lexer.Text[1..], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                greatest = Math.Max(greatest, number);
        }

        return greatest;
    }

    private static bool IsWord(ref SqlLexer lexer, ReadOnlySpan<byte> word) =>
        lexer.Next() == TokenKind.Word && SqlBytes.EqualsIgnoreCase(lexer.Text, word);
}
