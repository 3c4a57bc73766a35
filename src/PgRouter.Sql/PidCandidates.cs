namespace PgRouter.Sql;

/// <summary>
/// Finds in a text what looks like a call of pg_backend_pid, pg_cancel_backend or pg_terminate_backend: the name, bare or of pg_catalog, and an
/// opening bracket. It need not be one: that only the tree knows, by the order of the candidates.
/// </summary>
internal ref struct PidCandidates(ReadOnlySpan<byte> sql, bool standardConformingStrings)
{
    private SqlLexer _lexer = new(sql, standardConformingStrings);
    private bool _afterDot;
    private int _catalogStart = -1;
    private int _qualifierStart = -1;
    private int _nameStart = -1;

    public PidFunction Function { get; private set; }

    /// <summary>The first byte of the name, of its schema if that is written.</summary>
    public int Start { get; private set; }

    /// <summary>Reads on behind the opening bracket of the current candidate.</summary>
    public readonly SqlLexer Arguments => _lexer;

    public bool Next()
    {
        for (var kind = _lexer.Next(); kind != TokenKind.End; kind = _lexer.Next())
        {
            var isCall = _nameStart >= 0 && kind == TokenKind.Punctuation && _lexer.Text is [(byte)'('];
            Start = _nameStart;
            _nameStart = -1;
            if (kind == TokenKind.Punctuation && _lexer.Text is [(byte)'.'])
            {
                (_qualifierStart, _catalogStart, _afterDot) = (_catalogStart, -1, true);
                continue;
            }

            if (kind is TokenKind.Word or TokenKind.QuotedIdentifier)
                Name(kind);
            else
                _catalogStart = -1;
            (_qualifierStart, _afterDot) = (-1, false);
            if (isCall)
                return true;
        }

        return false;
    }

    private void Name(TokenKind kind)
    {
        var name = _lexer.Text;
        if (FunctionOf(kind, name) is { } function && (!_afterDot || _qualifierStart >= 0))
            (Function, _nameStart) = (function, _afterDot ? _qualifierStart : _lexer.Start);
        _catalogStart = !_afterDot && Is(kind, name, "pg_catalog"u8) ? _lexer.Start : -1;
    }

    private static PidFunction? FunctionOf(TokenKind kind, ReadOnlySpan<byte> name) => name.Length switch
    {
        < 14 or > 22 => null,
        _ when Is(kind, name, "pg_backend_pid"u8) => PidFunction.OwnPid,
        _ when Is(kind, name, "pg_cancel_backend"u8) => PidFunction.Cancel,
        _ when Is(kind, name, "pg_terminate_backend"u8) => PidFunction.Terminate,
        _ => null,
    };

    private static bool Is(TokenKind kind, ReadOnlySpan<byte> text, ReadOnlySpan<byte> name) =>
        kind == TokenKind.Word ? SqlBytes.EqualsIgnoreCase(text, name) : text.Length == name.Length + 2 && text[1..^1].SequenceEqual(name);
}
