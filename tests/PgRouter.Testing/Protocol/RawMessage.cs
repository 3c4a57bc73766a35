using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace PgRouter.Testing.Protocol;

/// <summary>One message of the PostgreSQL protocol as it is on the wire.</summary>
/// <param name="Type">The type byte; NUL for the messages before authentication that have none (startup, cancel, SSL request).</param>
/// <param name="Body">The bytes after the length word.</param>
public sealed record RawMessage(char Type, byte[] Body)
{
    /// <summary>The whole frame: type byte (if any), length word, body.</summary>
    public byte[] ToBytes()
    {
        var typed = Type == '\0' ? 0 : 1;
        var frame = new byte[typed + 4 + Body.Length];
        if (typed == 1)
            frame[0] = (byte)Type;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(typed), 4 + Body.Length);
        Body.CopyTo(frame, typed + 4);
        return frame;
    }

    /// <summary>The columns of a DataRow; null for an SQL null.</summary>
    public IReadOnlyList<byte[]?> Columns()
    {
        Require('D');
        var columns = new byte[]?[BinaryPrimitives.ReadInt16BigEndian(Body)];
        var at = 2;
        for (var index = 0; index < columns.Length; index++)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(Body.AsSpan(at));
            at += 4;
            if (length < 0)
                continue;
            columns[index] = Body[at..(at + length)];
            at += length;
        }

        return columns;
    }

    /// <summary>The columns of a DataRow as text; null for an SQL null.</summary>
    public IReadOnlyList<string?> TextColumns() => [.. Columns().Select(bytes => bytes is null ? null : Encoding.UTF8.GetString(bytes))];

    /// <summary>The column names of a RowDescription.</summary>
    public IReadOnlyList<string> ColumnNames()
    {
        Require('T');
        var names = new string[BinaryPrimitives.ReadInt16BigEndian(Body)];
        var at = 2;
        for (var index = 0; index < names.Length; index++)
        {
            names[index] = TextAt(ref at);
            at += 18; // table oid, attribute number, type oid, type length, type modifier, format
        }

        return names;
    }

    /// <summary>One field of an ErrorResponse or NoticeResponse by its code: 'C' SQLSTATE, 'M' message, 'S' severity; null if absent.</summary>
    public string? Field(char code)
    {
        if (Type is not ('E' or 'N'))
            throw new InvalidOperationException($"{this} has no fields");
        for (var at = 0; at < Body.Length && Body[at] != 0;)
        {
            var found = (char)Body[at++];
            var value = TextAt(ref at);
            if (found == code)
                return value;
        }

        return null;
    }

    /// <summary>The text up to the first NUL from <paramref name="start"/>: the tag of a CommandComplete, the name of a ParameterStatus.</summary>
    public string Text(int start = 0) => TextAt(ref start);

    /// <summary>Name and value of a ParameterStatus.</summary>
    public (string Name, string Value) Parameter()
    {
        Require('S');
        var at = 0;
        return (TextAt(ref at), TextAt(ref at));
    }

    /// <summary>The message readable: columns of rows one by one, everything else as text with escapes. Different bytes give different texts.</summary>
    public override string ToString() => Type switch
    {
        'D' when IsRow() => $"D [{string.Join(' ', Columns().Select(column => column is null ? "NULL" : Quoted(column)))}]",
        '\0' => $"(untyped) {Quoted(Body)}",
        _ => Body.Length == 0 ? Type.ToString() : $"{Type} {Quoted(Body)}",
    };

    /// <summary>Bytes in double quotes, printable ASCII as it is, the rest escaped.</summary>
    public static string Quoted(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder("\"");
        foreach (var value in bytes)
        {
            _ = value switch
            {
                (byte)'"' or (byte)'\\' => text.Append('\\').Append((char)value),
                (byte)'\n' => text.Append("\\n"),
                >= 0x20 and < 0x7f => text.Append((char)value),
                _ => text.Append(CultureInfo.InvariantCulture, $"\\x{value:x2}"),
            };
        }

        return text.Append('"').ToString();
    }

    /// <inheritdoc/>
    public bool Equals(RawMessage? other) => other is not null && Type == other.Type && Body.AsSpan().SequenceEqual(other.Body);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Type, Body.Length);

    // A Describe of the frontend has the same type byte as a DataRow: its body is never exactly the columns it would announce.
    private bool IsRow()
    {
        if (Body.Length < 2)
            return false;
        var at = 2;
        for (var left = BinaryPrimitives.ReadInt16BigEndian(Body); left > 0; left--)
        {
            if (at + 4 > Body.Length)
                return false;
            at += 4 + Math.Max(0, BinaryPrimitives.ReadInt32BigEndian(Body.AsSpan(at)));
        }

        return at == Body.Length;
    }

    private string TextAt(ref int at)
    {
        var end = Array.IndexOf(Body, (byte)0, at);
        if (end < 0)
            throw new InvalidOperationException($"{this} has no terminated text at {at}");
        var text = Encoding.UTF8.GetString(Body, at, end - at);
        at = end + 1;
        return text;
    }

    private void Require(char type)
    {
        if (Type != type)
            throw new InvalidOperationException($"{this} is not a message of type {type}");
    }
}
