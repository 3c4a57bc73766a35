using System.Text;

namespace PgRouter.Sql;

/// <summary>
/// Reads the text that EXECUTE of plpgsql is given, as far as it stands in the body: literals, format() with a literal template, quote_ident()
/// and quote_literal(), joined by ||. What is put in at run time as an identifier or a literal is marked; anything else cannot be read.
/// </summary>
internal static class DynamicText
{
    private const string Identifier = "\"" + RoutineBody.UnknownName + "\"";
    private const string Literal = "''";

    /// <summary>The text of the expression between two indexes, null when it cannot be read.</summary>
    public static string? Read(BodyTokens tokens, int start, int stop)
    {
        var text = new StringBuilder();
        var i = start;
        while (true)
        {
            if (Term(tokens, ref i, stop) is not { } term)
                return null;
            text.Append(term);
            if (i == stop)
                return text.ToString();
            if (!tokens[i++].IsSign("||"))
                return null;
        }
    }

    private static string? Term(BodyTokens tokens, ref int i, int stop)
    {
        if (tokens[i].Kind == TokenKind.String)
            return LiteralText.Read(tokens[i++].Text);
        if (!tokens[i + 1].IsSign("("))
            return null;
        var behind = tokens.Behind(i + 1);
        if (behind > stop)
            return null;
        var text = tokens[i].Text switch
        {
            "quote_ident" when tokens[i].Kind == TokenKind.Word => Identifier,
            "quote_literal" or "quote_nullable" when tokens[i].Kind == TokenKind.Word => Literal,
            "format" when tokens[i].Kind == TokenKind.Word && tokens[i + 2].Kind == TokenKind.String
                && (tokens[i + 3].IsSign(",") || i + 4 == behind) => Format(LiteralText.Read(tokens[i + 2].Text)),
            _ => null,
        };
        i = behind;
        return text;
    }

    /// <summary>A template of format(): %I and %L are quoted by it, %s is not (9.4.1. format).</summary>
    private static string? Format(string? template)
    {
        if (template is null)
            return null;
        var text = new StringBuilder(template.Length);
        for (var i = 0; i < template.Length; i++)
        {
            if (template[i] != '%')
            {
                text.Append(template[i]);
                continue;
            }

            i++;
            while (i < template.Length && (char.IsAsciiDigit(template[i]) || template[i] is '$' or '-' or '*'))
                i++;
            if (i == template.Length)
                return null;
            var piece = template[i] switch
            {
                'I' => Identifier,
                'L' => Literal,
                '%' => "%",
                _ => null,
            };
            if (piece is null)
                return null;
            text.Append(piece);
        }

        return text.ToString();
    }
}
