namespace PgRouter.Sql;

/// <summary>
/// Encodings of clients in which a byte that SQL knows may be the second half of a letter (24.3.1. Supported Character Sets: those that are for
/// clients only). PostgreSQL converts a text before it reads it; here it is not read at all when it holds such letters.
/// </summary>
public static class HiddenAscii
{
    private static readonly string[] Encodings = ["BIG5", "GB18030", "GBK", "JOHAB", "SHIFT_JIS_2004", "SJIS", "UHC"];

    /// <summary>Whether a client_encoding, as a server reports it, is one of them.</summary>
    public static bool IsIn(string clientEncoding) => Encodings.Contains(clientEncoding);

    /// <summary>The verdict of a text of such a client: what its keywords may mean, and the primary. Null when the text is plain ASCII.</summary>
    public static StatementInfo? Judge(ReadOnlySpan<byte> sql, bool standardConformingStrings)
    {
        if (System.Text.Ascii.IsValid(sql))
            return null;
        const string Cause = "client_encoding is not read";
        var words = KeywordReader.Read(sql, standardConformingStrings, Cause);
        return new StatementInfo(StatementClass.Unknown, Cause, words.Statements)
        {
            Hint = TextHead.ReadHint(sql),
            LiteralsMatter = true,
            IsLasting = false,
        };
    }
}
