using System.Buffers.Binary;

namespace PgRouter.Protocol;

/// <summary>The five bytes in front of every message after the start-up packet: type, then length as a big-endian Int32.</summary>
public static class MessageHeader
{
    /// <summary>Type byte and length word.</summary>
    public const int Size = 5;

    /// <summary>The length counts its own four bytes, so anything below is malformed.</summary>
    public const int MinLength = 4;

    /// <summary>
    /// Reads a header at the start of <paramref name="buffer"/>; false when fewer than five bytes are there.
    /// <paramref name="length"/> is as on the wire: it counts itself but not the type byte, and is not checked;
    /// the whole message takes <c>length + 1</c> bytes.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> buffer, out byte type, out int length)
    {
        if (buffer.Length < Size)
        {
            type = 0;
            length = 0;
            return false;
        }
        type = buffer[0];
        length = BinaryPrimitives.ReadInt32BigEndian(buffer[1..]);
        return true;
    }

    /// <summary>Writes a header; <paramref name="length"/> as on the wire.</summary>
    public static void Write(Span<byte> destination, byte type, int length)
    {
        destination[0] = type;
        BinaryPrimitives.WriteInt32BigEndian(destination[1..], length);
    }
}
