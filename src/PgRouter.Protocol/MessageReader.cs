using System.Buffers.Binary;

namespace PgRouter.Protocol;

/// <summary>
/// Walks over the body of one message. Every read is a Try: when the bytes are not there it returns false, gives a default value
/// and stays where it was, so hostile lengths can never read outside the body. Allocates nothing.
/// </summary>
public ref struct MessageReader(ReadOnlySpan<byte> body)
{
    private readonly ReadOnlySpan<byte> _body = body;
    private int _position;

    /// <summary>Bytes read so far.</summary>
    public readonly int Position => _position;

    /// <summary>Bytes not read yet.</summary>
    public readonly int Remaining => _body.Length - _position;

    /// <summary>The bytes not read yet.</summary>
    public readonly ReadOnlySpan<byte> Rest => _body[_position..];

    public bool TryReadByte(out byte value)
    {
        if (Remaining < 1)
        {
            value = 0;
            return false;
        }
        value = _body[_position++];
        return true;
    }

    public bool TryReadInt16(out short value)
    {
        if (!BinaryPrimitives.TryReadInt16BigEndian(Rest, out value))
            return false;
        _position += sizeof(short);
        return true;
    }

    public bool TryReadInt32(out int value)
    {
        if (!BinaryPrimitives.TryReadInt32BigEndian(Rest, out value))
            return false;
        _position += sizeof(int);
        return true;
    }

    /// <summary>Reads up to the next NUL, which is skipped and not part of <paramref name="value"/>.</summary>
    public bool TryReadCString(out ReadOnlySpan<byte> value)
    {
        var end = Rest.IndexOf((byte)0);
        if (end < 0)
        {
            value = default;
            return false;
        }
        value = _body.Slice(_position, end);
        _position += end + 1;
        return true;
    }

    /// <summary>Reads <paramref name="count"/> bytes; false when it is negative or more than remain.</summary>
    public bool TryReadBytes(int count, out ReadOnlySpan<byte> value)
    {
        if ((uint)count > (uint)Remaining)
        {
            value = default;
            return false;
        }
        value = _body.Slice(_position, count);
        _position += count;
        return true;
    }

    public bool TrySkip(int count) => TryReadBytes(count, out _);
}
