using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace PgRouter.Sql;

internal enum ByteClass : byte
{
    Other,
    Space,
    Word,
    Digit,
    Punctuation,
    Operator,
    Quote,
    DoubleQuote,
    Dollar,
}

/// <summary>Byte tables of PostgreSQL's scanner. Letters are ASCII letters, the underscore and every byte from 0x80 on.</summary>
internal static class SqlBytes
{
    private static readonly byte[] Classes = BuildClasses();
    private static readonly bool[] WordParts = BuildWordParts();

    public static ByteClass ClassOf(byte b) => (ByteClass)Classes[b];

    /// <summary>True for a byte that continues an identifier.</summary>
    public static bool IsWordPart(byte b) => WordParts[b];

    /// <summary>The first byte from <paramref name="i"/> on that does not continue an identifier; 16 at a time.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int EndOfWord(ReadOnlySpan<byte> sql, int i)
    {
        while (i <= sql.Length - Vector128<byte>.Count)
        {
            var bytes = Vector128.LoadUnsafe(ref MemoryMarshal.GetReference(sql), (nuint)i);
            var lower = bytes | Vector128.Create((byte)0x20);
            var letters = Vector128.LessThanOrEqual(lower - Vector128.Create((byte)'a'), Vector128.Create((byte)25));
            var digits = Vector128.LessThanOrEqual(bytes - Vector128.Create((byte)'0'), Vector128.Create((byte)9));
            var others = Vector128.Equals(bytes, Vector128.Create((byte)'_')) | Vector128.Equals(bytes, Vector128.Create((byte)'$'));
            var outside = ~(letters | digits | others | bytes).ExtractMostSignificantBits() & 0xFFFF;
            if (outside != 0)
                return i + BitOperations.TrailingZeroCount(outside);
            i += Vector128<byte>.Count;
        }

        while ((uint)i < (uint)sql.Length && IsWordPart(sql[i]))
            i++;
        return i;
    }

    public static byte Lower(byte b) => (uint)(b - 'A') <= 'Z' - 'A' ? (byte)(b | 0x20) : b;

    /// <summary>The first byte that is not white space, or the length.</summary>
    public static int SkipSpace(ReadOnlySpan<byte> sql, int i)
    {
        while (i < sql.Length && ClassOf(sql[i]) == ByteClass.Space)
            i++;
        return i;
    }

    /// <summary>The position after the comment of either kind that begins at <paramref name="i"/>; -1 when none does, or it does not end.</summary>
    public static int EndOfComment(ReadOnlySpan<byte> sql, int i)
    {
        if (i + 1 >= sql.Length)
            return -1;
        if (sql[i] == '/' && sql[i + 1] == '*')
            return EndOfBlockComment(sql, i);
        if (sql[i] != '-' || sql[i + 1] != '-')
            return -1;
        var end = sql[i..].IndexOfAny((byte)'\n', (byte)'\r');
        return end < 0 ? sql.Length : i + end;
    }

    /// <summary>The position after the (nested) comment whose slash is at <paramref name="i"/>, or -1 when it does not end.</summary>
    public static int EndOfBlockComment(ReadOnlySpan<byte> sql, int i)
    {
        var depth = 0;
        while (i + 1 < sql.Length)
        {
            var step = sql[i..].IndexOfAny((byte)'/', (byte)'*');
            if (step < 0 || i + step + 1 >= sql.Length)
                return -1;
            i += step;
            if (sql[i] == '/' && sql[i + 1] == '*')
            {
                depth++;
                i += 2;
            }
            else if (sql[i] == '*' && sql[i + 1] == '/')
            {
                i += 2;
                if (--depth == 0)
                    return i;
            }
            else
                i++;
        }

        return -1;
    }

    /// <summary>Compares without regard to ASCII case; <paramref name="lowerCase"/> must be in lower case.</summary>
    public static bool EqualsIgnoreCase(ReadOnlySpan<byte> text, ReadOnlySpan<byte> lowerCase)
    {
        if (text.Length != lowerCase.Length)
            return false;
        for (var i = 0; i < text.Length; i++)
        {
            if (Lower(text[i]) != lowerCase[i])
                return false;
        }

        return true;
    }

    private static byte[] BuildClasses()
    {
        var classes = new byte[256];
        for (var b = 0; b < 256; b++)
        {
            classes[b] = (byte)((char)b switch
            {
                ' ' or '\t' or '\n' or '\r' or '\f' => ByteClass.Space,
                (>= 'a' and <= 'z') or (>= 'A' and <= 'Z') or '_' or >= (char)0x80 => ByteClass.Word,
                >= '0' and <= '9' => ByteClass.Digit,
                '(' or ')' or '[' or ']' or ',' or ';' or ':' or '.' => ByteClass.Punctuation,
                '~' or '!' or '@' or '#' or '^' or '&' or '|' or '`' or '?' or '+' or '-' or '*' or '/' or '%' or '<' or '>' or '=' =>
                    ByteClass.Operator,
                '\'' => ByteClass.Quote,
                '"' => ByteClass.DoubleQuote,
                '$' => ByteClass.Dollar,
                _ => ByteClass.Other,
            });
        }

        return classes;
    }

    private static bool[] BuildWordParts()
    {
        var parts = new bool[256];
        for (var b = 0; b < 256; b++)
            parts[b] = ClassOf((byte)b) is ByteClass.Word or ByteClass.Digit or ByteClass.Dollar;
        return parts;
    }
}
