using System.Text;

namespace PgRouter.Sql;

/// <summary>
/// SET of a setting of the router's own whose value PostgreSQL's grammar takes in quotes only: <c>SET pgrouter.route = primary</c> (a reserved word),
/// <c>= node=2</c>, <c>= 100ms</c>. No server ever sees the text.
/// </summary>
internal static class OwnSettingText
{
    /// <summary>The verdict when a text that the grammar refused is one such statement and nothing else, or null.</summary>
    public static StatementInfo? TryRecognize(ReadOnlySpan<byte> sql, bool standardConformingStrings)
    {
        var lexer = new SqlLexer(sql, standardConformingStrings);
        if (lexer.Next() != TokenKind.Word || !Is(lexer, "set"u8) || lexer.Next() != TokenKind.Word)
            return null;
        var isLocal = Is(lexer, "local"u8);
        if ((isLocal || Is(lexer, "session"u8)) && lexer.Next() != TokenKind.Word)
            return null;
        if (!Is(lexer, "pgrouter"u8) || lexer.Next() != TokenKind.Punctuation || lexer.Text is not [(byte)'.'] || lexer.Next() != TokenKind.Word)
            return null;
        var name = OwnSettingNames.Prefix + Encoding.UTF8.GetString(lexer.Text).ToLowerInvariant();
        lexer.Next();
        if (lexer.Text is not [(byte)'='] && !Is(lexer, "to"u8))
            return null;
        return ReadValue(ref lexer, sql) is { } value ? Verdict(new SettingChange(name, Constant.Quote(value), isLocal)) : null;
    }

    /// <summary>Everything up to the end, as it is written: words, numbers and signs.</summary>
    private static string? ReadValue(ref SqlLexer lexer, ReadOnlySpan<byte> sql)
    {
        var start = lexer.Stop;
        var end = start;
        for (var kind = lexer.Next(); kind != TokenKind.End; kind = lexer.Next())
        {
            if (kind == TokenKind.Punctuation && lexer.Text is [(byte)';'])
                return lexer.Next() == TokenKind.End && end > start ? Text(sql[start..end]) : null;
            if (kind is not (TokenKind.Word or TokenKind.Integer or TokenKind.Float or TokenKind.Operator))
                return null;
            end = lexer.Stop;
        }
        return end > start ? Text(sql[start..end]) : null;
    }

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes).Trim();

    private static StatementInfo Verdict(SettingChange change)
    {
        var statement = new Statement
        {
            Kind = StatementKind.Set,
            Class = StatementClass.State,
            Cause = "SET",
            Effects = SessionEffects.SetsParameter,
            Name = change.Name,
            Value = change.Value,
            IsLocal = change.IsLocal,
            Settings = [change],
        };
        return new StatementInfo(statement.Class, statement.Cause, [statement]) { LiteralsMatter = true };
    }

    private static bool Is(in SqlLexer lexer, ReadOnlySpan<byte> word) => SqlBytes.EqualsIgnoreCase(lexer.Text, word);
}
