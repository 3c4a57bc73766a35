using System.Buffers.Text;

namespace PgRouter.Protocol;

/// <summary>Reads the attributes "x=value,y=value" of SCRAM messages (RFC 5802, section 7) on bytes.</summary>
internal ref struct ScramMessage(ReadOnlySpan<byte> message)
{
    private readonly ReadOnlySpan<byte> _message = message;
    private int _position;

    /// <summary>Start of the attribute that comes next.</summary>
    public readonly int Position => _position;

    public readonly bool AtEnd => _position >= _message.Length;

    /// <summary>Reads the next attribute, which must have this name.</summary>
    public bool TryRead(char name, out ReadOnlySpan<byte> value) => TryReadAny(out var found, out value) && found == name;

    /// <summary>Reads the next attribute.</summary>
    public bool TryReadAny(out char name, out ReadOnlySpan<byte> value)
    {
        name = '\0';
        value = default;
        if (AtEnd)
            return false;
        var rest = _message[_position..];
        var comma = rest.IndexOf((byte)',');
        var attribute = comma < 0 ? rest : rest[..comma];
        if (attribute.Length < 2 || attribute[1] != '=' || !char.IsAsciiLetter((char)attribute[0]))
            return false;
        // A comma at the very end announces an attribute that is not there.
        if (comma == rest.Length - 1)
            return false;
        _position += comma < 0 ? rest.Length : comma + 1;
        name = (char)attribute[0];
        value = attribute[2..];
        return true;
    }

    /// <summary>printable of RFC 5802: 0x21-0x7E without the comma; at least one byte.</summary>
    public static bool IsNonce(ReadOnlySpan<byte> value) =>
        !value.IsEmpty && !value.ContainsAnyExceptInRange((byte)0x21, (byte)0x7E) && !value.Contains((byte)',');

    /// <summary>Base64 with padding and nothing else; null when it is not.</summary>
    public static byte[]? DecodeBase64(ReadOnlySpan<byte> text)
    {
        var bytes = new byte[Base64.GetMaxDecodedFromUtf8Length(text.Length)];
        // The decoder skips white space, which SCRAM does not allow.
        if (text.ContainsAny(" \t\r\n"u8))
            return null;
        var status = Base64.DecodeFromUtf8(text, bytes, out var consumed, out var written);
        return status == System.Buffers.OperationStatus.Done && consumed == text.Length ? bytes[..written] : null;
    }
}
