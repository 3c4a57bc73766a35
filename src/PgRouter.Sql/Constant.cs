using System.Text;
using System.Text.Json;

namespace PgRouter.Sql;

/// <summary>What sort of constant an argument is.</summary>
internal enum ConstantKind : byte
{
    /// <summary>Not a constant.</summary>
    None,
    Null,
    String,
    Number,
    Boolean,
}

/// <summary>A constant argument of SET or of a function.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">A string as it is, a number as written, or true / false.</param>
internal readonly record struct Constant(ConstantKind Kind, string Text)
{
    /// <summary>As an SQL literal that reads the same whatever standard_conforming_strings says.</summary>
    public string ToSql() => Kind == ConstantKind.String ? Quote(Text) : Text;

    public static string Quote(string text)
    {
        var quoted = text.Replace("'", "''", StringComparison.Ordinal);
        return quoted.Contains('\\') ? $"E'{quoted.Replace("\\", "\\\\", StringComparison.Ordinal)}'" : $"'{quoted}'";
    }

    /// <summary>
    /// Reads {"A_Const":{..}}, also under casts, with the reader on the opening brace, and leaves it somewhere inside: use a copy.
    /// <paramref name="sql"/> is the text parsed: libpg_query writes zero and every negative integer as an empty object.
    /// </summary>
    public static Constant Read(ref Utf8JsonReader json, ReadOnlySpan<byte> sql)
    {
        json.Read();
        while (json.TokenType == JsonTokenType.PropertyName && json.ValueTextEquals("TypeCast"u8))
        {
            json.Read();
            json.Read();
            if (json.TokenType != JsonTokenType.PropertyName || !json.ValueTextEquals("arg"u8))
                return default;
            json.Read();
            json.Read();
        }

        if (json.TokenType != JsonTokenType.PropertyName || !json.ValueTextEquals("A_Const"u8))
            return default;
        json.Read();
        var constant = default(Constant);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("location"u8))
            {
                json.Read();
                if (constant is { Kind: ConstantKind.Number, Text.Length: 0 })
                    constant = IntegerAt(sql, json.GetInt32());
            }
            else if (json.ValueTextEquals("isnull"u8))
            {
                json.Read();
                constant = new Constant(ConstantKind.Null, "NULL");
            }
            else
                constant = ReadValue(ref json);
        }

        return constant is { Kind: ConstantKind.Number, Text.Length: 0 } ? IntegerAt(sql, 0) : constant;
    }

    /// <summary>{"sval":{"sval":"x"}} and its kind, where the inner field is missing when it is empty, zero or false.</summary>
    private static Constant ReadValue(ref Utf8JsonReader json)
    {
        var (kind, empty) = json switch
        {
            _ when json.ValueTextEquals("sval"u8) => (ConstantKind.String, ""),
            _ when json.ValueTextEquals("ival"u8) || json.ValueTextEquals("fval"u8) => (ConstantKind.Number, ""),
            _ when json.ValueTextEquals("boolval"u8) => (ConstantKind.Boolean, "false"),
            _ => (ConstantKind.None, ""),
        };
        json.Read();
        var text = empty;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            json.Read();
            text = json.TokenType switch
            {
                JsonTokenType.String => json.GetString() ?? "",
                JsonTokenType.True => "true",
                JsonTokenType.Number => Encoding.UTF8.GetString(json.ValueSpan),
                _ => text,
            };
        }

        return new Constant(kind, text);
    }

    private static Constant IntegerAt(ReadOnlySpan<byte> sql, int location)
    {
        var i = location;
        var sign = "";
        if (i < sql.Length && sql[i] is (byte)'-' or (byte)'+')
        {
            sign = sql[i] == '-' ? "-" : "";
            i = SqlBytes.SkipSpace(sql, i + 1);
        }

        var end = i;
        while (end < sql.Length && char.IsAsciiDigit((char)sql[end]))
            end++;
        return end == i ? default : new Constant(ConstantKind.Number, sign + Encoding.ASCII.GetString(sql[i..end]));
    }
}
