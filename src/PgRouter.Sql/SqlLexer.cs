namespace PgRouter.Sql;

/// <summary>What a token of SQL text is, as far as folding and counting need to know.</summary>
internal enum TokenKind : byte
{
    End,

    /// <summary>A keyword or an unquoted identifier.</summary>
    Word,
    QuotedIdentifier,

    /// <summary>'..', E'..' or $tag$..$tag$, with its continuations on following lines.</summary>
    String,

    /// <summary>N'..', which the grammar reads as a cast to nchar.</summary>
    NationalString,

    /// <summary>B'..' and X'..'.</summary>
    BitString,

    /// <summary>A decimal integer that fits 32 bits.</summary>
    Integer,

    /// <summary>Any other number.</summary>
    Float,

    /// <summary>$1 and its kind.</summary>
    Parameter,
    Operator,

    /// <summary>One of ( ) [ ] , ; : . and the two-character :: := ..</summary>
    Punctuation,
}

/// <summary>
/// Cuts SQL bytes into tokens the way PostgreSQL's scanner does (scan.l of PostgreSQL 15). Never fails: what the scanner would refuse, and
/// literals whose text decides whether the grammar accepts them, set <see cref="Irregular"/>. Allocates nothing.
/// </summary>
internal ref struct SqlLexer
{
    private readonly ReadOnlySpan<byte> _sql;
    private readonly bool _standardConformingStrings;
    private int _position;
    private int _endOfSigns;

    public SqlLexer(ReadOnlySpan<byte> sql, bool standardConformingStrings)
    {
        _sql = sql;
        _standardConformingStrings = standardConformingStrings;
    }

    /// <summary>The first byte of the current token.</summary>
    public int Start { get; private set; }

    /// <summary>The byte after the current token.</summary>
    public readonly int Stop => _position;

    /// <summary>
    /// True once something was met that must not be folded: unterminated quotes, control bytes, U&amp;'..', escapes by number.
    /// </summary>
    public bool Irregular { get; private set; }

    public readonly ReadOnlySpan<byte> Text => _sql[Start.._position];

    /// <summary>Moves past the white space and comments to the next token.</summary>
    public TokenKind Next()
    {
        var sql = _sql;
        var i = _position;
        while ((uint)i < (uint)sql.Length)
        {
            var b = sql[i];
            switch (SqlBytes.ClassOf(b))
            {
                case ByteClass.Space:
                    i++;
                    continue;
                case ByteClass.Word:
                    Start = i;
                    return Word(b, i);
                case ByteClass.Digit:
                    Start = i;
                    return Number(i);
                case ByteClass.Punctuation:
                    Start = i;
                    return Punctuation(b, i);
                case ByteClass.Operator:
                    var skipped = SkipComment(i);
                    if (skipped != i)
                    {
                        i = skipped;
                        continue;
                    }

                    Start = i;
                    return Operator(i);
                case ByteClass.Quote:
                    Start = i;
                    return String(i, escapes: !_standardConformingStrings, TokenKind.String);
                case ByteClass.DoubleQuote:
                    Start = i;
                    return QuotedIdentifier(i);
                case ByteClass.Dollar:
                    Start = i;
                    return Dollar(i);
                default:
                    Start = i;
                    Irregular = true;
                    _position = i + 1;
                    return TokenKind.Punctuation;
            }
        }

        Start = _position = sql.Length;
        return TokenKind.End;
    }

    private TokenKind Word(byte first, int start)
    {
        var sql = _sql;
        var i = SqlBytes.EndOfWord(sql, start + 1);
        if (i == start + 1 && (uint)i < (uint)sql.Length && sql[i] is (byte)'\'' or (byte)'&')
        {
            var next = sql[i];
            switch (first | 0x20, next)
            {
                case ('e', (byte)'\''):
                    return String(i, escapes: true, TokenKind.String);
                case ('b' or 'x', (byte)'\''):
                    return String(i, escapes: false, TokenKind.BitString);
                case ('n', (byte)'\''):
                    return String(i, escapes: !_standardConformingStrings, TokenKind.NationalString);
                case ('u', (byte)'&') when (uint)(i + 1) < (uint)sql.Length && sql[i + 1] is (byte)'\'' or (byte)'"':
                    Irregular = true;
                    return sql[i + 1] == '"' ? QuotedIdentifier(i + 1) : String(i + 1, escapes: false, TokenKind.String);
            }
        }

        _position = i;
        return TokenKind.Word;
    }

    private TokenKind Number(int start)
    {
        var sql = _sql;
        var i = SkipDigits(start);
        var kind = TokenKind.Integer;
        if ((uint)i < (uint)sql.Length && sql[i] == '.' && !(i + 1 < sql.Length && sql[i + 1] == '.'))
        {
            kind = TokenKind.Float;
            i = SkipDigits(i + 1);
        }

        if (i + 1 < sql.Length && (sql[i] | 0x20) == 'e')
        {
            var exponent = sql[i + 1] is (byte)'+' or (byte)'-' ? i + 2 : i + 1;
            var end = SkipDigits(exponent);
            if (end > exponent)
            {
                kind = TokenKind.Float;
                i = end;
            }
        }

        if ((uint)i < (uint)sql.Length && SqlBytes.IsWordPart(sql[i]))
            Irregular = true; // 123abc, 0x1F and 1_000: refused, or read differently by later versions
        _position = i;
        if (kind == TokenKind.Integer && i - start > 9 && !FitsInt32(sql[start..i]))
            kind = TokenKind.Float;
        return kind;
    }

    private readonly int SkipDigits(int i)
    {
        while ((uint)i < (uint)_sql.Length && (uint)(_sql[i] - '0') <= 9)
            i++;
        return i;
    }

    private static bool FitsInt32(ReadOnlySpan<byte> digits)
    {
        long value = 0;
        foreach (var digit in digits)
        {
            value = value * 10 + (digit - '0');
            if (value > int.MaxValue)
                return false;
        }

        return true;
    }

    private TokenKind Punctuation(byte first, int i)
    {
        var next = i + 1 < _sql.Length ? _sql[i + 1] : (byte)0;
        if (first == '.' && (uint)(next - '0') <= 9)
        {
            Number(i);
            return TokenKind.Float;
        }

        var isPair = (first == '.' && next == '.') || (first == ':' && next is (byte)':' or (byte)'=');
        _position = isPair ? i + 2 : i + 1;
        return TokenKind.Punctuation;
    }

    /// <summary>Returns the position after the comment that starts here, or the same position when none does.</summary>
    private int SkipComment(int i)
    {
        var sql = _sql;
        if (i + 1 >= sql.Length)
            return i;
        if (sql[i] == '-' && sql[i + 1] == '-')
        {
            var end = sql[i..].IndexOfAny((byte)'\n', (byte)'\r');
            return end < 0 ? sql.Length : i + end;
        }

        if (sql[i] != '/' || sql[i + 1] != '*')
            return i;
        var stop = SqlBytes.EndOfBlockComment(sql, i);
        if (stop >= 0)
            return stop;
        Irregular = true;
        return sql.Length;
    }

    /// <summary>
    /// The longest run of operator characters, cut at a comment, without the trailing signs that belong to what follows. Those signs are
    /// tokens of one byte each; that is remembered, or a text of signs would be read again from each of them.
    /// </summary>
    private TokenKind Operator(int start)
    {
        if (start < _endOfSigns)
        {
            _position = start + 1;
            return TokenKind.Operator;
        }

        var sql = _sql;
        var i = start;
        while ((uint)i < (uint)sql.Length && SqlBytes.ClassOf(sql[i]) == ByteClass.Operator)
        {
            if (i > start && i + 1 < sql.Length && ((sql[i] == '-' && sql[i + 1] == '-') || (sql[i] == '/' && sql[i + 1] == '*')))
                break;
            i++;
        }

        var end = i;
        if (i - start > 1 && sql[i - 1] is (byte)'+' or (byte)'-' && sql[start..i].IndexOfAny("~!@#^&|`?%"u8) < 0)
        {
            while (end - start > 1 && sql[end - 1] is (byte)'+' or (byte)'-')
                end--;
            _endOfSigns = i;
        }

        _position = end;
        return TokenKind.Operator;
    }

    private TokenKind String(int quote, bool escapes, TokenKind kind)
    {
        var i = quote;
        while (true)
        {
            i = EndOfQuoted(i + 1, (byte)'\'', escapes);
            if (i < 0)
            {
                Irregular = true;
                _position = _sql.Length;
                return kind;
            }

            var next = ContinuationAfter(i);
            if (next < 0)
                break;
            i = next;
        }

        _position = i;
        return kind;
    }

    /// <summary>The position after the closing quote, or -1.</summary>
    private int EndOfQuoted(int i, byte quote, bool escapes)
    {
        var sql = _sql;
        while (i < sql.Length)
        {
            var step = escapes ? sql[i..].IndexOfAny(quote, (byte)'\\') : sql[i..].IndexOf(quote);
            if (step < 0)
                return -1;
            i += step;
            if (sql[i] == '\\')
            {
                // \x41, \101 and \u0041 can be refused by their value, so such a text is kept as it stands
                if (i + 1 < sql.Length && sql[i + 1] is (byte)'x' or (byte)'u' or (byte)'U' or (>= (byte)'0' and <= (byte)'7'))
                    Irregular = true;
                i += 2;
                continue;
            }

            if (i + 1 >= sql.Length || sql[i + 1] != quote)
                return i + 1;
            i += 2;
        }

        return -1;
    }

    /// <summary>The quote that continues a string after white space with a newline, or -1 (SQL joins such strings).</summary>
    private int ContinuationAfter(int i)
    {
        var sql = _sql;
        var sawNewline = false;
        var sawComment = false;
        while (i < sql.Length)
        {
            var b = sql[i];
            if (b is (byte)'\n' or (byte)'\r')
                sawNewline = true;
            else if (b == '-' && i + 1 < sql.Length && sql[i + 1] == '-')
            {
                var end = sql[i..].IndexOfAny((byte)'\n', (byte)'\r');
                if (end < 0)
                    return -1;
                i += end;
                sawComment = true;
                continue;
            }
            else if (b == '\'')
            {
                Irregular |= sawNewline && sawComment; // PostgreSQL takes it, libpg_query does not
                return sawNewline ? i : -1;
            }
            else if (SqlBytes.ClassOf(b) != ByteClass.Space)
                return -1;
            i++;
        }

        return -1;
    }

    private TokenKind QuotedIdentifier(int quote)
    {
        var end = EndOfQuoted(quote + 1, (byte)'"', escapes: false);
        if (end < 0 || end == quote + 2)
            Irregular = true;
        _position = end < 0 ? _sql.Length : end;
        return TokenKind.QuotedIdentifier;
    }

    private TokenKind Dollar(int start)
    {
        var sql = _sql;
        var i = SkipDigits(start + 1);
        if (i > start + 1)
        {
            if (i - start > 6 || (i < sql.Length && SqlBytes.IsWordPart(sql[i])))
                Irregular = true;
            _position = i;
            return TokenKind.Parameter;
        }

        while (i < sql.Length && SqlBytes.IsWordPart(sql[i]) && sql[i] != '$')
            i++;
        if (i >= sql.Length || sql[i] != '$')
        {
            Irregular = true;
            _position = start + 1;
            return TokenKind.Punctuation;
        }

        var tag = sql[start..(i + 1)];
        var end = sql[(i + 1)..].IndexOf(tag);
        if (end < 0)
            Irregular = true;
        _position = end < 0 ? sql.Length : i + 1 + end + tag.Length;
        return TokenKind.String;
    }
}
