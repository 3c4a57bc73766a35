using System.Buffers.Binary;
using System.Text;

namespace PgRouter.Protocol;

/// <summary>
/// Builds messages one after the other in one growing array that is kept between uses: <see cref="Begin"/>, the fields,
/// <see cref="End"/>, which fills in the length. Used by one thread at a time; once grown it allocates nothing.
/// </summary>
public sealed class MessageWriter
{
    private const int NoMessage = -1;

    private byte[] _buffer;
    private int _length;
    private int _lengthWord = NoMessage;

    public MessageWriter(int initialCapacity = 256)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(initialCapacity);
        _buffer = new byte[initialCapacity];
    }

    /// <summary>Bytes written since the last <see cref="Clear"/>.</summary>
    public int Length => _length;

    /// <summary>All bytes since the last <see cref="Clear"/>; valid until the next write.</summary>
    public ReadOnlySpan<byte> WrittenSpan => _buffer.AsSpan(0, _length);

    /// <summary>All bytes since the last <see cref="Clear"/>; valid until the next write.</summary>
    public ReadOnlyMemory<byte> WrittenMemory => _buffer.AsMemory(0, _length);

    /// <summary>Forgets what was written and keeps the array.</summary>
    public void Clear()
    {
        _length = 0;
        _lengthWord = NoMessage;
    }

    /// <summary>Starts a message of this type.</summary>
    public void Begin(byte type)
    {
        ThrowIfOpen();
        WriteByte(type);
        OpenLengthWord();
    }

    /// <summary>Starts a packet of the start-up phase, which has a length but no type.</summary>
    public void BeginUntyped()
    {
        ThrowIfOpen();
        OpenLengthWord();
    }

    /// <summary>Ends the message and fills in its length.</summary>
    public void End()
    {
        if (_lengthWord == NoMessage)
            throw new InvalidOperationException("End without Begin.");
        BinaryPrimitives.WriteInt32BigEndian(_buffer.AsSpan(_lengthWord), _length - _lengthWord);
        _lengthWord = NoMessage;
    }

    public void WriteByte(byte value) => Take(1)[0] = value;

    public void WriteInt16(short value) => BinaryPrimitives.WriteInt16BigEndian(Take(sizeof(short)), value);

    public void WriteInt32(int value) => BinaryPrimitives.WriteInt32BigEndian(Take(sizeof(int)), value);

    public void WriteBytes(ReadOnlySpan<byte> value) => value.CopyTo(Take(value.Length));

    /// <summary>Writes UTF-8 without a terminator.</summary>
    public void WriteUtf8(ReadOnlySpan<char> value) => Encoding.UTF8.GetBytes(value, Take(Encoding.UTF8.GetByteCount(value)));

    /// <summary>Writes the bytes and a NUL. A NUL inside would shift every field behind it, so it is refused.</summary>
    /// <exception cref="ArgumentException">The value contains a NUL.</exception>
    public void WriteCString(ReadOnlySpan<byte> value)
    {
        if (value.Contains((byte)0))
            throw new ArgumentException("A string of the protocol cannot contain a NUL.", nameof(value));
        WriteBytes(value);
        WriteByte(0);
    }

    /// <summary>Writes UTF-8 and a NUL.</summary>
    /// <exception cref="ArgumentException">The value contains a NUL.</exception>
    public void WriteCString(string value)
    {
        if (value.Contains('\0'))
            throw new ArgumentException("A string of the protocol cannot contain a NUL.", nameof(value));
        WriteUtf8(value);
        WriteByte(0);
    }

    private void OpenLengthWord()
    {
        _lengthWord = _length;
        WriteInt32(0);
    }

    private void ThrowIfOpen()
    {
        if (_lengthWord != NoMessage)
            throw new InvalidOperationException("The message before has no End.");
    }

    private Span<byte> Take(int count)
    {
        var needed = checked(_length + count);
        if (needed > _buffer.Length)
            Array.Resize(ref _buffer, (int)Math.Min(Array.MaxLength, Math.Max(needed, (long)_buffer.Length * 2)));
        var span = _buffer.AsSpan(_length, count);
        _length = needed;
        return span;
    }
}
