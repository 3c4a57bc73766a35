using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace PgRouter.Core.Admin;

/// <summary>
/// Binary result format for extended-protocol clients that ask for it (format code 1): the same value the text format shows, laid out as
/// the type's send function in PostgreSQL does. Pure; safe from any thread.
/// </summary>
internal static class AdminBinary
{
    private const ushort NumericNegative = 0x4000;
    private const ushort NumericNaN = 0xC000;
    private const int DigitsPerGroup = 4;

    private static readonly DateTime Epoch = new(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    private static readonly string[] TimestampFormats = ["yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd HH:mm:ss.FFFFFF"];
    private static readonly string[] TimestampTzFormats =
        ["yyyy-MM-dd HH:mm:sszz", "yyyy-MM-dd HH:mm:ss.FFFFFFzz", "yyyy-MM-dd HH:mm:sszzz"];

    /// <summary>Turns a value in text format into its binary form; a NULL is not a value and has no form.</summary>
    /// <exception cref="FormatException">The text is not a value of the type: a command filled its column wrongly.</exception>
    /// <exception cref="OverflowException">The number does not fit the type.</exception>
    public static byte[] Encode(AdminType type, string text) => type switch
    {
        AdminType.Bool => [Bool(text)],
        AdminType.Int4 => Int4(int.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture)),
        AdminType.Int8 => Int8(long.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture)),
        AdminType.Float8 => Int8(BitConverter.DoubleToInt64Bits(double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture))),
        AdminType.Timestamp => Int8(MicrosecondsSinceEpoch(ParseTimestamp(text, TimestampFormats))),
        AdminType.TimestampTz => Int8(MicrosecondsSinceEpoch(ParseTimestamp(text, TimestampTzFormats))),
        AdminType.Numeric => Numeric(text),
        AdminType.Text => Encoding.UTF8.GetBytes(text),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "This type has no binary form here."),
    };

    private static byte Bool(string text) => text switch
    {
        "t" => 1,
        "f" => 0,
        _ => throw new FormatException($"\"{text}\" is not a bool in text format (t or f)."),
    };

    private static byte[] Int4(int value)
    {
        var bytes = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        return bytes;
    }

    private static byte[] Int8(long value)
    {
        var bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, value);
        return bytes;
    }

    private static DateTime ParseTimestamp(string text, string[] formats) => DateTime.ParseExact(
        text, formats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal);

    private static long MicrosecondsSinceEpoch(DateTime value) => (value - Epoch).Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>
    /// numeric_send: count of base-10000 digits, weight of the first, sign, digits shown after the point, then the digits; zeros at either
    /// end are left out.
    /// </summary>
    private static byte[] Numeric(string text)
    {
        if (text == "NaN")
            return NumericBytes([], 0, NumericNaN, 0);
        var isNegative = text.StartsWith('-');
        var digits = isNegative ? text[1..] : text;
        var point = digits.IndexOf('.', StringComparison.Ordinal);
        var whole = point < 0 ? digits : digits[..point];
        var fraction = point < 0 ? "" : digits[(point + 1)..];
        if (whole.Length + fraction.Length == 0 || !whole.All(char.IsAsciiDigit) || !fraction.All(char.IsAsciiDigit))
            throw new FormatException($"\"{text}\" is not a numeric in text format.");

        var groups = Groups(whole, fraction);
        var weight = RoundUp(whole.Length) / DigitsPerGroup - 1;
        var first = 0;
        while (first < groups.Count && groups[first] == 0)
            first++;
        var last = groups.Count;
        while (last > first && groups[last - 1] == 0)
            last--;
        if (first == last)
            return NumericBytes([], 0, 0, fraction.Length);
        return NumericBytes(groups.GetRange(first, last - first), weight - first,
            isNegative ? NumericNegative : (ushort)0, fraction.Length);
    }

    private static List<short> Groups(string whole, string fraction)
    {
        var padded = whole.PadLeft(RoundUp(whole.Length), '0') + fraction.PadRight(RoundUp(fraction.Length), '0');
        var groups = new List<short>(padded.Length / DigitsPerGroup);
        for (var i = 0; i < padded.Length; i += DigitsPerGroup)
            groups.Add(short.Parse(padded.AsSpan(i, DigitsPerGroup), NumberStyles.None, CultureInfo.InvariantCulture));
        return groups;
    }

    private static int RoundUp(int digits) => (digits + DigitsPerGroup - 1) / DigitsPerGroup * DigitsPerGroup;

    private static byte[] NumericBytes(List<short> groups, int weight, ushort sign, int scale)
    {
        var bytes = new byte[(4 + groups.Count) * sizeof(short)];
        BinaryPrimitives.WriteInt16BigEndian(bytes, (short)groups.Count);
        BinaryPrimitives.WriteInt16BigEndian(bytes.AsSpan(2), (short)weight);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(4), sign);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(6), (ushort)scale);
        for (var i = 0; i < groups.Count; i++)
            BinaryPrimitives.WriteInt16BigEndian(bytes.AsSpan(8 + i * sizeof(short)), groups[i]);
        return bytes;
    }
}
