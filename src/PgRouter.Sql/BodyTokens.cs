using System.Text;

namespace PgRouter.Sql;

/// <summary>One token of a body; <see cref="Text"/> is the name of a word or identifier, else the token as written.</summary>
internal readonly record struct BodyToken(TokenKind Kind, string Text)
{
    public bool IsName => Kind is TokenKind.Word or TokenKind.QuotedIdentifier;

    /// <summary>Is it this keyword? An identifier in quotes is none.</summary>
    public bool Is(string word) => Kind == TokenKind.Word && Text == word;

    public bool IsSign(string sign) => Kind is TokenKind.Punctuation or TokenKind.Operator && Text == sign;
}

/// <summary>The tokens of a body, cut by <see cref="SqlLexer"/>: plpgsql uses the scanner of SQL.</summary>
internal sealed class BodyTokens
{
    private readonly List<BodyToken> _tokens = [];

    public BodyTokens(string text, bool standardConformingStrings)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var lexer = new SqlLexer(bytes, standardConformingStrings);
        for (var kind = lexer.Next(); kind != TokenKind.End; kind = lexer.Next())
            _tokens.Add(new BodyToken(kind, TextOf(kind, lexer.Text)));
        IsIrregular = lexer.Irregular;
    }

    /// <summary>Something was met that the scanner cannot be sure of: quotes without an end, names with escapes.</summary>
    public bool IsIrregular { get; }

    public int Count => _tokens.Count;

    /// <summary>The token at an index; an End token beyond both ends.</summary>
    public BodyToken this[int index] => (uint)index < (uint)_tokens.Count ? _tokens[index] : default;

    /// <summary>The index behind the parenthesis that closes the one at <paramref name="open"/>.</summary>
    public int Behind(int open)
    {
        var depth = 0;
        for (var i = open; i < _tokens.Count; i++)
        {
            if (_tokens[i].IsSign("("))
                depth++;
            else if (_tokens[i].IsSign(")") && --depth == 0)
                return i + 1;
        }

        return _tokens.Count;
    }

    private static string TextOf(TokenKind kind, ReadOnlySpan<byte> text) => kind switch
    {
        TokenKind.Word => Clip(Lower(Encoding.UTF8.GetString(text))),
        TokenKind.QuotedIdentifier => Clip(Encoding.UTF8.GetString(Unquote(text)).Replace("\"\"", "\"", StringComparison.Ordinal)),
        _ => Encoding.UTF8.GetString(text),
    };

    /// <summary>Without the quotes; the second one is missing when the text ends in the identifier.</summary>
    private static ReadOnlySpan<byte> Unquote(ReadOnlySpan<byte> text) => text.Length > 1 && text[^1] == '"' ? text[1..^1] : text[1..];

    /// <summary>In UTF-8 databases PostgreSQL lowers the letters of ASCII only.</summary>
    private static string Lower(string word) => string.Create(word.Length, word, static (lower, word) =>
    {
        for (var i = 0; i < lower.Length; i++)
            lower[i] = char.IsAsciiLetterUpper(word[i]) ? (char)(word[i] | 0x20) : word[i];
    });

    /// <summary>PostgreSQL cuts identifiers after 63 bytes (NAMEDATALEN - 1), between two characters.</summary>
    private static string Clip(string name)
    {
        const int LongestName = 63;
        while (Encoding.UTF8.GetByteCount(name) > LongestName)
            name = name[..^1];
        return name;
    }
}
