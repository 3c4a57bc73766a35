using System.Text;

namespace PgRouter.Sql;

/// <summary>
/// The statements the router answers itself, known by their first words: <c>SHOW POOL_*</c>, <c>SHOW ROUTES</c>, <c>PGPOOL ..</c>, <c>EXPLAIN ROUTE ..</c>.
/// SHOW with one of PgBouncer's words is not among them: outside its console such a name is a setting of PostgreSQL.
/// </summary>
internal static class LocalCommands
{
    /// <summary>The verdict when the text is one such statement and nothing else, or null.</summary>
    public static StatementInfo? TryRecognize(ReadOnlySpan<byte> sql, bool standardConformingStrings)
    {
        var lexer = new SqlLexer(sql, standardConformingStrings);
        if (lexer.Next() != TokenKind.Word)
            return null;
        var start = lexer.Start;
        var needsSecond = SqlBytes.EqualsIgnoreCase(lexer.Text, "show"u8) || SqlBytes.EqualsIgnoreCase(lexer.Text, "explain"u8);
        var isExplain = SqlBytes.Lower(sql[start]) == 'e';
        if (!needsSecond && !SqlBytes.EqualsIgnoreCase(lexer.Text, "pgpool"u8))
            return null;
        if (needsSecond && !(lexer.Next() == TokenKind.Word && IsOurs(lexer.Text, isExplain)))
            return null;
        return EndOfOnlyStatement(ref lexer) is { } end ? KnownTexts.Local(Encoding.UTF8.GetString(sql[start..end])) : null;
    }

    private static bool IsOurs(ReadOnlySpan<byte> word, bool isExplain)
    {
        if (isExplain)
            return SqlBytes.EqualsIgnoreCase(word, "route"u8);
        if (SqlBytes.EqualsIgnoreCase(word, "routes"u8))
            return true;
        const int PrefixLength = 5;
        return word.Length > PrefixLength && SqlBytes.EqualsIgnoreCase(word[..PrefixLength], "pool_"u8);
    }

    /// <summary>The end of the last token that is not a closing semicolon, or null when another statement follows.</summary>
    private static int? EndOfOnlyStatement(ref SqlLexer lexer)
    {
        var end = lexer.Stop;
        var isClosed = false;
        for (var kind = lexer.Next(); kind != TokenKind.End; kind = lexer.Next())
        {
            if (kind == TokenKind.Punctuation && lexer.Text is [(byte)';'])
                isClosed = true;
            else if (isClosed)
                return null;
            else
                end = lexer.Stop;
        }

        return end;
    }
}
