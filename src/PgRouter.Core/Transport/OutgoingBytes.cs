using System.Buffers;

namespace PgRouter.Core.Transport;

/// <summary>
/// Bytes that a socket did not take yet. Empty almost always: only the unsent rest of a send is copied here, into a rented buffer. Whoever
/// fills it must stop reading the other side until it is empty again; that bounds it. A mutable struct: keep it in a field. Loop thread only.
/// </summary>
internal struct OutgoingBytes
{
    private byte[]? _buffer;
    private int _start;
    private int _end;

    public readonly bool IsEmpty => _start == _end;

    public readonly int Count => _end - _start;

    /// <summary>Sends now what the kernel takes, after what is kept, and keeps the rest. False when the connection is broken.</summary>
    public bool Send(LoopSocket socket, ReadOnlySpan<byte> bytes)
    {
        if (!IsEmpty)
        {
            Keep(bytes);
            return Flush(socket);
        }
        var sent = socket.TrySend(bytes);
        if (sent == LoopSocket.Broken)
            return false;
        if (sent < bytes.Length)
            Keep(bytes[Math.Max(0, sent)..]);
        return true;
    }

    /// <summary>Keeps bytes for a later <see cref="Flush"/> without trying to send them, so that several messages leave in one send.</summary>
    public void Keep(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
            return;
        if (_buffer is null || _buffer.Length - _end < bytes.Length)
            MakeRoom(bytes.Length);
        bytes.CopyTo(_buffer.AsSpan(_end));
        _end += bytes.Length;
    }

    /// <summary>Sends what is kept, as far as the kernel takes it. False when the connection is broken.</summary>
    public bool Flush(LoopSocket socket)
    {
        while (!IsEmpty)
        {
            var sent = socket.TrySend(_buffer.AsSpan(_start, _end - _start));
            if (sent == LoopSocket.Broken)
                return false;
            if (sent == LoopSocket.WouldBlock)
                return true;
            _start += sent;
        }
        Release();
        return true;
    }

    /// <summary>Drops what is kept and gives the buffer back.</summary>
    public void Release()
    {
        if (_buffer is not null)
            ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = null;
        _start = _end = 0;
    }

    private void MakeRoom(int count)
    {
        var kept = _end - _start;
        var larger = ArrayPool<byte>.Shared.Rent(checked(kept + count));
        if (_buffer is not null)
        {
            _buffer.AsSpan(_start, kept).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
        }
        _buffer = larger;
        _start = 0;
        _end = kept;
    }
}
