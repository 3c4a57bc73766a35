using System.Buffers;

namespace PgRouter.Core.Transport;

/// <summary>
/// Bytes that were read and not yet used: the part of a message that came, or a request that waits for a server. Owns a rented buffer only
/// while it holds something. A mutable struct: keep it in a field. Loop thread only.
/// </summary>
internal struct IncomingBytes
{
    private const int MinimumRead = 4096;
    private byte[]? _buffer;
    private int _start;
    private int _end;

    public readonly bool IsEmpty => _start == _end;

    public readonly int Count => _end - _start;

    public readonly Span<byte> Span => _buffer.AsSpan(_start, _end - _start);

    /// <summary>Reads once behind what is held, growing to make room: as <see cref="LoopSocket.TryReceive"/>.</summary>
    public int Receive(LoopSocket socket, int atLeast = MinimumRead)
    {
        EnsureRoom(atLeast);
        var count = socket.TryReceive(_buffer.AsSpan(_end));
        if (count > 0)
            _end += count;
        else if (IsEmpty)
            Release();
        return count;
    }

    /// <summary>Keeps a copy behind what is held.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
            return;
        EnsureRoom(bytes.Length);
        bytes.CopyTo(_buffer.AsSpan(_end));
        _end += bytes.Length;
    }

    /// <summary>Puts a copy in front of what is held.</summary>
    public void Prepend(ReadOnlySpan<byte> bytes)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(MinimumRead, Count + bytes.Length));
        bytes.CopyTo(larger);
        Span.CopyTo(larger.AsSpan(bytes.Length));
        var count = Count + bytes.Length;
        Release();
        _buffer = larger;
        _end = count;
    }

    public void Consume(int count)
    {
        _start += count;
        if (_start == _end)
            Release();
    }

    public void Release()
    {
        if (_buffer is not null)
            ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = null;
        _start = _end = 0;
    }

    private void EnsureRoom(int count)
    {
        if (_buffer is not null && _buffer.Length - _end >= count)
            return;
        var kept = Count;
        if (_buffer is not null && _start > 0 && _buffer.Length - kept >= count)
        {
            _buffer.AsSpan(_start, kept).CopyTo(_buffer);
        }
        else
        {
            // Doubling keeps a large message from being copied once per read.
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(checked(kept + count), kept * 2));
            if (_buffer is not null)
            {
                _buffer.AsSpan(_start, kept).CopyTo(larger);
                ArrayPool<byte>.Shared.Return(_buffer);
            }
            _buffer = larger;
        }
        _start = 0;
        _end = kept;
    }
}
