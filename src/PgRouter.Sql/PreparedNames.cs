using System.Text;

namespace PgRouter.Sql;

/// <summary>What a statement does with the prepared statement it names.</summary>
public enum PreparedNameUse : byte
{
    Prepare,
    Execute,
    Deallocate,
}

/// <summary>The name of a prepared statement in a text: bytes from <paramref name="Start"/> on, as written, and what they mean.</summary>
/// <param name="Use">PREPARE, EXECUTE or DEALLOCATE.</param>
/// <param name="Start">Its first byte.</param>
/// <param name="Length">Bytes as written, with quotes.</param>
/// <param name="Name">The name: in lower case unless it was quoted.</param>
public readonly record struct PreparedName(PreparedNameUse Use, int Start, int Length, byte[] Name);

/// <summary>
/// Finds the names of prepared statements in PREPARE, EXECUTE, DEALLOCATE, EXPLAIN EXECUTE and CREATE TABLE AS EXECUTE, for texts of which the
/// grammar has said that they have such statements. Any thread.
/// </summary>
public static class PreparedNames
{
    /// <summary>PostgreSQL cuts longer identifiers (NAMEDATALEN - 1); they are left to it.</summary>
    private const int LongestName = 63;

    /// <param name="sql">The text, without its closing zero.</param>
    /// <param name="standardConformingStrings">The setting of the session that sent it.</param>
    public static List<PreparedName> Find(ReadOnlySpan<byte> sql, bool standardConformingStrings)
    {
        var names = new List<PreparedName>();
        var lexer = new SqlLexer(sql, standardConformingStrings);
        var place = Place.Start;
        for (var kind = lexer.Next(); kind != TokenKind.End; kind = lexer.Next())
        {
            if (NameWanted(place) is { } use && kind is TokenKind.Word or TokenKind.QuotedIdentifier
                && !(place == Place.AfterDeallocate && Is(lexer, "prepare"u8)))
            {
                Add(names, lexer, use, kind);
                place = Place.Inside;
                continue;
            }
            place = Next(place, kind, lexer);
        }
        return names;
    }

    /// <summary>Where the statement begins that a PREPARE prepares: behind AS; the end of the text when there is none.</summary>
    public static int FindQuery(ReadOnlySpan<byte> sql, PreparedName name, bool standardConformingStrings)
    {
        var start = name.Start + name.Length;
        var lexer = new SqlLexer(sql[start..], standardConformingStrings);
        for (var kind = lexer.Next(); kind != TokenKind.End; kind = lexer.Next())
        {
            if (kind == TokenKind.Word && Is(lexer, "as"u8))
                return start + lexer.Stop;
        }
        return sql.Length;
    }

    private enum Place : byte
    {
        Start,
        Inside,
        AfterPrepare,
        AfterDeallocate,
        AfterExecute,

        /// <summary>In EXPLAIN or CREATE, where EXECUTE may follow.</summary>
        Carrier,

        /// <summary>The same, directly behind a word or sign that can stand before EXECUTE.</summary>
        CarrierMayExecute,
    }

    private static PreparedNameUse? NameWanted(Place place) => place switch
    {
        Place.AfterPrepare => PreparedNameUse.Prepare,
        Place.AfterDeallocate => PreparedNameUse.Deallocate,
        Place.AfterExecute => PreparedNameUse.Execute,
        _ => null,
    };

    private static Place Next(Place place, TokenKind kind, in SqlLexer lexer)
    {
        if (kind == TokenKind.Punctuation && lexer.Text is [(byte)';'])
            return Place.Start;
        switch (place)
        {
            case Place.Start when kind == TokenKind.Word:
                return AtStart(lexer);
            case Place.AfterDeallocate:
                return Place.AfterDeallocate; // DEALLOCATE PREPARE name.
            case Place.CarrierMayExecute when kind == TokenKind.Word && Is(lexer, "execute"u8):
                return Place.AfterExecute;
            case Place.Carrier or Place.CarrierMayExecute:
                return MayStandBeforeExecute(kind, lexer) ? Place.CarrierMayExecute : Place.Carrier;
            default:
                return Place.Inside;
        }
    }

    private static Place AtStart(in SqlLexer lexer)
    {
        if (Is(lexer, "prepare"u8))
            return Place.AfterPrepare;
        if (Is(lexer, "execute"u8))
            return Place.AfterExecute;
        if (Is(lexer, "deallocate"u8))
            return Place.AfterDeallocate;
        if (Is(lexer, "explain"u8))
            return Place.CarrierMayExecute;
        return Is(lexer, "create"u8) ? Place.Carrier : Place.Inside;
    }

    private static bool MayStandBeforeExecute(TokenKind kind, in SqlLexer lexer) =>
        kind == TokenKind.Word
            ? Is(lexer, "as"u8) || Is(lexer, "analyze"u8) || Is(lexer, "analyse"u8) || Is(lexer, "verbose"u8)
            : lexer.Text is [(byte)')'];

    private static void Add(List<PreparedName> names, in SqlLexer lexer, PreparedNameUse use, TokenKind kind)
    {
        var text = lexer.Text;
        var isKeyword = kind == TokenKind.Word
            && ((use == PreparedNameUse.Prepare && Is(lexer, "transaction"u8)) || (use == PreparedNameUse.Deallocate && Is(lexer, "all"u8))
                || (use == PreparedNameUse.Execute && (Is(lexer, "function"u8) || Is(lexer, "procedure"u8))));
        var name = kind == TokenKind.Word ? Lower(text) : Unquoted(text);
        if (!isKeyword && name.Length is > 0 and <= LongestName)
            names.Add(new PreparedName(use, lexer.Start, text.Length, name));
    }

    private static bool Is(in SqlLexer lexer, ReadOnlySpan<byte> word) => Ascii.EqualsIgnoreCase(lexer.Text, word);

    private static byte[] Lower(ReadOnlySpan<byte> word)
    {
        var lower = word.ToArray();
        for (var i = 0; i < lower.Length; i++)
            lower[i] = SqlBytes.Lower(lower[i]);
        return lower;
    }

    private static byte[] Unquoted(ReadOnlySpan<byte> text)
    {
        if (text is not [(byte)'"', .., (byte)'"'])
            return []; // U&"..", or not closed: left to PostgreSQL.
        var name = new List<byte>(text.Length);
        for (var i = 1; i < text.Length - 1; i++)
        {
            name.Add(text[i]);
            if (text[i] == (byte)'"')
                i++;
        }
        return [.. name];
    }
}
