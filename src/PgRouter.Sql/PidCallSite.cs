using System.Buffers.Text;

namespace PgRouter.Sql;

/// <summary>An argument of such a call: the bytes it takes, and what it is when that can be told from the text.</summary>
/// <param name="Start">First byte.</param>
/// <param name="Stop">The byte after it.</param>
/// <param name="Constant">Its value when it is a constant.</param>
/// <param name="Parameter">The number of the parameter it is, else 0.</param>
/// <param name="IsOwnPid">It is a call of pg_backend_pid().</param>
public readonly record struct PidArgument(int Start, int Stop, long? Constant, int Parameter, bool IsOwnPid);

/// <summary>A call found in one text again.</summary>
/// <param name="Call">What the shape says of it.</param>
/// <param name="Start">First byte of the name.</param>
/// <param name="Stop">The byte after the closing bracket, of an item of FROM after WITH ORDINALITY.</param>
/// <param name="Pid">The first argument; null for pg_backend_pid(), and when it is neither constant nor parameter.</param>
/// <param name="Timeout">The second argument, null when there is none.</param>
public readonly record struct PidCallSite(PidCall Call, int Start, int Stop, PidArgument? Pid, PidArgument? Timeout)
{
    /// <summary>WITH ORDINALITY follows, and is part of the site.</summary>
    public bool WithOrdinality { get; init; }

    /// <summary>It stops a process that the text or a parameter names, and certainly once.</summary>
    public bool IsSignal => Call.Place is PidCallPlace.BareColumn or PidCallPlace.NamedBareColumn && Pid is not null;

    /// <summary>Finds the calls of a text whose shape is known, all of them and in their order.</summary>
    public static IReadOnlyList<PidCallSite> Locate(ReadOnlySpan<byte> sql, bool standardConformingStrings, IReadOnlyList<PidCall> calls)
    {
        var sites = new List<PidCallSite>(calls.Count);
        var candidates = new PidCandidates(sql, standardConformingStrings);
        foreach (var call in calls)
        {
            if (!candidates.Next())
                break;
            sites.Add(Read(sql, call, candidates.Start, candidates.Arguments));
        }

        return sites;
    }

    private static PidCallSite Read(ReadOnlySpan<byte> sql, PidCall call, int start, SqlLexer lexer)
    {
        var untouched = new PidCallSite(call with { Place = PidCallPlace.Untouched }, start, lexer.Stop, null, null);
        if (call.Place == PidCallPlace.Untouched)
            return untouched;
        lexer.Next();
        if (call.Function == PidFunction.OwnPid)
            return Is(lexer, ')') ? OwnPid(call, start, lexer) : untouched;
        if (ReadArgument(sql, ref lexer) is not { } pid)
            return untouched;
        PidArgument? timeout = null;
        if (Is(lexer, ','))
        {
            lexer.Next();
            timeout = ReadArgument(sql, ref lexer);
            if (timeout is null)
                return untouched;
        }

        return Is(lexer, ')') ? new PidCallSite(call, start, lexer.Stop, pid, timeout) : untouched;
    }

    private static PidCallSite OwnPid(PidCall call, int start, SqlLexer lexer)
    {
        var site = new PidCallSite(call, start, lexer.Stop, null, null);
        if (call.Place is not (PidCallPlace.FromItem or PidCallPlace.FromItemWithAlias))
            return site;
        var isOrdinality = lexer.Next() == TokenKind.Word && SqlBytes.EqualsIgnoreCase(lexer.Text, "with"u8)
            && lexer.Next() == TokenKind.Word && SqlBytes.EqualsIgnoreCase(lexer.Text, "ordinality"u8);
        return isOrdinality ? site with { Stop = lexer.Stop, WithOrdinality = true } : site;
    }

    /// <summary>A number, a string, a parameter or pg_backend_pid(), and casts behind it; leaves the lexer on what follows.</summary>
    private static PidArgument? ReadArgument(ReadOnlySpan<byte> sql, ref SqlLexer lexer)
    {
        var start = lexer.Start;
        long? constant = null;
        var parameter = 0;
        var isOwnPid = false;
        var text = lexer.Text;
        switch (text)
        {
            case [(byte)'$', ..] when Utf8Parser.TryParse(text[1..], out parameter, out var digits) && digits == text.Length - 1:
                break;
            case [(byte)'\'', .. var inner, (byte)'\''] when Utf8Parser.TryParse(inner, out long value, out var used) && used == inner.Length:
                constant = value;
                break;
            case [>= (byte)'0' and <= (byte)'9', ..] when Utf8Parser.TryParse(text, out long value, out var used) && used == text.Length:
                constant = value;
                break;
            default:
                isOwnPid = SkipOwnPid(sql, ref lexer);
                if (!isOwnPid)
                    return null;
                break;
        }

        var stop = lexer.Stop;
        lexer.Next();
        while (lexer.Text is [(byte)':', (byte)':'])
        {
            do
            {
                if (lexer.Next() is not (TokenKind.Word or TokenKind.QuotedIdentifier))
                    return null;
                stop = lexer.Stop;
                lexer.Next();
            }
            while (Is(lexer, '.'));
        }

        return new PidArgument(start, stop, constant, parameter, isOwnPid);
    }

    private static bool SkipOwnPid(ReadOnlySpan<byte> sql, ref SqlLexer lexer)
    {
        var start = lexer.Start;
        var candidates = new PidCandidates(sql[start..], standardConformingStrings: true);
        if (!candidates.Next() || candidates.Start != 0 || candidates.Function != PidFunction.OwnPid)
            return false;
        while (!Is(lexer, '('))
            lexer.Next();
        lexer.Next();
        return Is(lexer, ')');
    }

    private static bool Is(SqlLexer lexer, char punctuation) => lexer.Text is [var only] && only == punctuation;
}
