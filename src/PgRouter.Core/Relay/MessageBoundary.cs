using PgRouter.Protocol;

namespace PgRouter.Core.Relay;

/// <summary>
/// Follows the framing of a stream that is passed through, to know where a message of the router's own may stand. A mutable struct: keep it in a
/// field.
/// </summary>
internal struct MessageBoundary
{
    private int _headerBytes;
    private uint _length;
    private long _body;

    /// <summary>The bytes so far end with a message.</summary>
    public readonly bool IsReached => _headerBytes == 0 && _body == 0;

    public void Pass(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_body > 0)
            {
                var part = (int)Math.Min(_body, bytes.Length);
                _body -= part;
                bytes = bytes[part..];
                continue;
            }
            _length = _headerBytes++ == 0 ? 0 : (_length << 8) | bytes[0];
            bytes = bytes[1..];
            if (_headerBytes < MessageHeader.Size)
                continue;
            _headerBytes = 0;
            _body = Math.Max(0, (long)_length - MessageHeader.MinLength);
        }
    }
}
