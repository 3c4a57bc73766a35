namespace PgRouter.Sql;

/// <summary>
/// Bounds what the native parser is given. libpg_query refuses deep right nesting by itself (its grammar's stack holds 10,000 symbols),
/// but a chain such as <c>1+1+..</c> or <c>SELECT .. UNION SELECT ..</c> becomes a tree as deep as it is long, and writing that tree out
/// recurses. One instance per thread.
/// </summary>
internal sealed class TextLimits(int maxBytes)
{
    public const int DefaultMaxBytes = 1024 * 1024;

    /// <summary>100,000 tokens take the parser about 50 ms.</summary>
    private const int MaxTokens = 250_000;

    /// <summary>On 64 MB chains of 100,000 links (100,000 to 200,000 tokens) were parsed; where it overflows was not found.</summary>
    private const int MaxDepth = 40_000;

    /// <summary>Bytes that the scanner may read again; about a tenth of a second.</summary>
    private const long MaxReread = 100_000_000;

    private readonly int[] _segments = new int[MaxDepth + 2];
    private readonly int[] _setOperations = new int[MaxDepth + 2];

    /// <summary>True when the parser can take the text in bounded time and stack.</summary>
    public bool Allow(ReadOnlySpan<byte> sql, bool standardConformingStrings)
    {
        if (sql.Length > maxBytes || IsReadAgainTooOften(sql))
            return false;
        if (sql.Length < MaxDepth)
            return true; // cannot have more tokens than bytes

        return AllowTokens(sql, standardConformingStrings);
    }

    /// <summary>
    /// PostgreSQL's scanner takes the longest run of operator characters and gives back what it does not use: from each comment mark in the
    /// run it is read again (100,000 times <c>/*</c> took 39 s), and for each closing sign it is searched once more. Runs in quotes count
    /// too, for telling them apart costs more than the primary's doing such a text.
    /// </summary>
    private static bool IsReadAgainTooOften(ReadOnlySpan<byte> sql)
    {
        long reread = 0, run = 0, signs = 0, marks = 0;
        byte before = 0;
        foreach (var b in sql)
        {
            if (SqlBytes.ClassOf(b) == ByteClass.Operator)
            {
                run++;
                if (b == '+' || (b == '-' && before != '-'))
                    signs++;
                else if (b == '*' && before == '/')
                    marks++;
            }
            else if (run > 0)
            {
                reread += RereadOf(run, signs, marks);
                run = signs = marks = 0;
            }
            before = b;
        }

        return reread + RereadOf(run, signs, marks) > MaxReread;
    }

    private static long RereadOf(long run, long signs, long marks) => run * (marks + signs * signs);

    /// <summary>
    /// No tree is deeper than the tokens since the last comma, summed over the open brackets, for every level of a tree takes a token and
    /// the elements of a list stand side by side. Set operations alone chain across commas, so they are counted on.
    /// </summary>
    private bool AllowTokens(ReadOnlySpan<byte> sql, bool standardConformingStrings)
    {
        var lexer = new SqlLexer(sql, standardConformingStrings);
        var tokens = 0;
        var level = 0;
        var depth = 0;
        Open(0);
        for (var kind = lexer.Next(); kind != TokenKind.End; kind = lexer.Next())
        {
            if (++tokens > MaxTokens)
                return false;
            var first = kind == TokenKind.Punctuation ? sql[lexer.Start] : (byte)0;
            if (first is (byte)')' or (byte)']')
            {
                depth -= _segments[level] + _setOperations[level];
                if (level > 0)
                    level--;
                else
                    Open(0);
            }
            else if (first is (byte)',' or (byte)';')
            {
                depth -= _segments[level];
                _segments[level] = 0;
            }
            else
            {
                depth++;
                if (depth > MaxDepth)
                    return false;
                if (kind == TokenKind.Word && IsSetOperation(lexer.Text))
                    _setOperations[level]++;
                else
                    _segments[level]++;
                if (first is (byte)'(' or (byte)'[')
                    Open(++level);
            }
        }

        return true;
    }

    private void Open(int level) => _segments[level] = _setOperations[level] = 0;

    private static bool IsSetOperation(ReadOnlySpan<byte> word) =>
        SqlBytes.EqualsIgnoreCase(word, "union"u8) || SqlBytes.EqualsIgnoreCase(word, "except"u8)
        || SqlBytes.EqualsIgnoreCase(word, "intersect"u8);
}
