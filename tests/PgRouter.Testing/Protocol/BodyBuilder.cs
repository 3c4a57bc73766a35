using System.Buffers.Binary;
using System.Text;

namespace PgRouter.Testing.Protocol;

/// <summary>Puts the body of a message together.</summary>
public sealed class BodyBuilder
{
    private readonly MemoryStream _bytes = new();

    /// <summary>One byte.</summary>
    public BodyBuilder Byte(char value) => Bytes([(byte)value]);

    /// <summary>Two bytes, most significant first.</summary>
    public BodyBuilder Int16(int value)
    {
        Span<byte> two = stackalloc byte[2];
        BinaryPrimitives.WriteInt16BigEndian(two, checked((short)value));
        return Bytes(two);
    }

    /// <summary>Four bytes, most significant first.</summary>
    public BodyBuilder Int32(int value)
    {
        Span<byte> four = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(four, value);
        return Bytes(four);
    }

    /// <summary>UTF-8 text and a NUL.</summary>
    public BodyBuilder Text(string value) => Bytes(Encoding.UTF8.GetBytes(value)).Byte('\0');

    /// <summary>Bytes as they are.</summary>
    public BodyBuilder Bytes(ReadOnlySpan<byte> value)
    {
        _bytes.Write(value);
        return this;
    }

    /// <summary>A count of 16 bits and the values, each with its length of 32 bits; -1 stands for null.</summary>
    public BodyBuilder Values(IReadOnlyCollection<byte[]?> values)
    {
        Int16(values.Count);
        foreach (var value in values)
        {
            if (value is null)
                Int32(-1);
            else
                Int32(value.Length).Bytes(value);
        }

        return this;
    }

    /// <summary>A count of 16 bits and format codes of 16 bits.</summary>
    public BodyBuilder Formats(IReadOnlyCollection<int> formats)
    {
        Int16(formats.Count);
        foreach (var format in formats)
            Int16(format);
        return this;
    }

    /// <summary>The message of that type with what was built.</summary>
    public RawMessage Message(char type) => new(type, _bytes.ToArray());
}
