using System.Text;
using PgRouter.Sql;

namespace PgRouter.Tests.Sql.Shapes;

/// <summary>
/// Changes a text where two texts of one shape may differ, or seem to: constants, letter case, white space, comments, quotes, lists; and where a scanner
/// may trip. Words of note stand among the constants: a verdict that reads one would differ.
/// </summary>
internal sealed class TextMutator(Random random)
{
    private static readonly string[] Strings =
    [
        "''", "'x'", "'it''s'", "'on'", "'off'", "'t'", "'f'", "'true'", "'0'", "'1'", "'pg_temp'", "'ONCOMMIT_DROP'", "'app.x'", "'role'", "'search_path'",
        "'transaction_read_only'", "'nextval'", "'plpgsql'", "'sql'", "'INSERT INTO t VALUES (1)'", "'BEGIN PERFORM set_config(''a.b'', ''c'', false); END'",
        "'FOR UPDATE'", "';'", "'--'", "'/*'", "'$1'", "'\\'", "E'a\\'b'", "E'\\\\'", "e'\\n'", "$$x$$", "$tag$it's$tag$", "U&'\\0061'", "N'n'", "'a'\n'b'",
        "'a' -- c\n'b'", "B'01'", "X'1F'",
    ];

    private static readonly string[] Numbers =
    [
        "0", "1", "2", "007", "-1", "+1", "1.5", ".5", "5.", "1e3", "1E-3", "2147483647", "2147483648", "99999999999", "53", "54", "0x1F", "1_000", "1a", "$1", "$2",
    ];

    private static readonly string[] Spaces =
    [
        " ", "  ", "\n", "\t", "\r\n", "\f", "/* c */", " /* it's */ ", "/* a /* nested */ b */", " -- c\n", "--\n", " -- it's \"c\"\n", "/**/", "\v",
        "/* pgrouter: primary */", "/*NO LOAD BALANCE*/", "/* pgrouter: node=1 */",
    ];

    private static readonly string[] Pieces =
    [
        "'", "\"", "\\", "$$", "/*", "*/", "--", "\n", " ", "(", ")", ",", ";", "1", "1.5", "-", "+", "E'", "U&'", "$1", "'a'", "x", "@+-", "<-+", "+-+",
        "IN (1, 2)", "VALUES (1),(2)", "\0", "é", "É", "FOR UPDATE", "::", ".", "@", " IN (1, 'a', NULL)", ".in(1, 2)", " not in (1)", "nextval('s')",
        "::float(9)", " AS in", "[1]", "['a']", ":=", "=>", "..", "?", "`", " NULLS FIRST", " WITH ORDINALITY", " UESCAPE '!'",
    ];

    /// <summary>The text with one to four changes.</summary>
    public string Mutate(string text)
    {
        for (var i = random.Next(1, 5); i > 0; i--)
            text = Change(text);
        return text;
    }

    private string Change(string text)
    {
        switch (random.Next(10))
        {
            case 0:
                return Exchange(text, TokenKind.String, Strings);
            case 1:
                return Exchange(text, random.Next(2) == 0 ? TokenKind.Integer : TokenKind.Float, Numbers);
            case 2:
                return Exchange(text, TokenKind.Word, null);
            case 3 or 4 or 5:
                return Space(text);
            case 6:
                return Grow(text);
            case 7:
                return Tokens(text);
            default:
                return Bytes(text);
        }
    }

    /// <summary>Another constant, or the same word in other letters or in quotes.</summary>
    private string Exchange(string text, TokenKind kind, string[]? others)
    {
        var tokens = Read(text).Where(token => token.Kind == kind).ToList();
        if (tokens.Count == 0)
            return text;
        var (_, start, stop) = tokens[random.Next(tokens.Count)];
        var word = text[start..stop];
        var other = others?[random.Next(others.Length)] ?? random.Next(4) switch
        {
            0 => word.ToUpperInvariant(),
            1 => word.ToLowerInvariant(),
            2 => char.ToUpperInvariant(word[0]) + word[1..],
            _ => $"\"{word.ToLowerInvariant()}\"",
        };
        return text[..start] + other + text[stop..];
    }

    /// <summary>White space or a comment more between two tokens, or in place of what is there.</summary>
    private string Space(string text)
    {
        var tokens = Read(text);
        var index = random.Next(tokens.Count + 1);
        var start = index == 0 ? 0 : tokens[index - 1].Stop;
        var stop = index == tokens.Count || random.Next(2) == 0 ? start : tokens[index].Start;
        return text[..start] + Spaces[random.Next(Spaces.Length)] + text[stop..];
    }

    /// <summary>An element more behind a comma or a bracket, or a statement more.</summary>
    private string Grow(string text)
    {
        var tokens = Read(text).Where(token => token.Stop - token.Start == 1 && text[token.Start] is '(' or ',').ToList();
        if (tokens.Count == 0 || random.Next(5) == 0)
            return random.Next(2) == 0 ? text + ";" + text : text + ";";
        var at = tokens[random.Next(tokens.Count)].Stop;
        var element = random.Next(4) switch
        {
            0 => "NULL",
            1 => "DEFAULT",
            2 => Strings[random.Next(Strings.Length)],
            _ => Numbers[random.Next(Numbers.Length)],
        };
        return text[..at] + element + ", " + text[at..];
    }

    /// <summary>A token goes, or stands twice, or elsewhere.</summary>
    private string Tokens(string text)
    {
        var tokens = Read(text);
        if (tokens.Count < 2)
            return text;
        var (_, start, stop) = tokens[random.Next(tokens.Count)];
        if (random.Next(2) == 0)
            return text[..start] + text[stop..];
        var at = tokens[random.Next(tokens.Count)].Start;
        return text[..at] + text[start..stop] + " " + text[at..];
    }

    private string Bytes(string text)
    {
        var result = new StringBuilder(text);
        var at = random.Next(result.Length + 1);
        if (random.Next(3) == 0 && at < result.Length)
            result.Remove(at, Math.Min(random.Next(1, 4), result.Length - at));
        else
            result.Insert(at, Pieces[random.Next(Pieces.Length)]);
        return result.ToString();
    }

    /// <summary>The tokens by their places in the string. Bytes beyond ASCII are read as single ones.</summary>
    private static List<(TokenKind Kind, int Start, int Stop)> Read(string text)
    {
        var tokens = new List<(TokenKind, int, int)>();
        var lexer = new SqlLexer([.. text.Select(c => c < 0x80 ? (byte)c : (byte)0xFF)], standardConformingStrings: true);
        for (var kind = lexer.Next(); kind != TokenKind.End; kind = lexer.Next())
            tokens.Add((kind, lexer.Start, lexer.Stop));
        return tokens;
    }
}
