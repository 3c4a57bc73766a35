using System.Buffers;
using System.Threading.Tasks.Sources;

namespace PgRouter.Core.Transport;

/// <summary>
/// The stream under SslStream: what it reads are bytes from the wire, what it writes goes on the wire. Its reads complete when
/// <see cref="Resume"/> is called and there are bytes, inline, so that SslStream goes on where the caller stands; its writes complete at once,
/// what the socket does not take is kept. During the handshake it has no socket: bytes are put in and taken out by whoever has one. One thread
/// at a time.
/// </summary>
internal sealed class TlsPipe : Stream, IValueTaskSource<int>
{
    private ManualResetValueTaskSourceCore<int> _source;
    private IncomingBytes _incoming;
    private byte[]? _outgoing;
    private int _outgoingStart;
    private int _outgoingEnd;
    private Memory<byte> _wanted;
    private LoopSocket? _socket;
    private bool _ended;

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>SslStream waits for bytes.</summary>
    public bool IsReading { get; private set; }

    /// <summary>Bytes that SslStream wrote and no socket has taken.</summary>
    public ReadOnlySpan<byte> Outgoing => _outgoing.AsSpan(_outgoingStart, _outgoingEnd - _outgoingStart);

    /// <summary>The socket cannot be written to any more.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>A read would give something: bytes, the end, or an error.</summary>
    public bool HasInput => !_incoming.IsEmpty || _ended || _socket is { IsReadable: true };

    /// <summary>Bytes put in and not yet read by SslStream.</summary>
    public ReadOnlySpan<byte> Incoming => _incoming.Span;

    /// <summary>From now on reads and writes go to the socket.</summary>
    public void Attach(LoopSocket socket) => _socket = socket;

    /// <summary>Puts bytes from the wire in.</summary>
    public void Put(ReadOnlySpan<byte> bytes) => _incoming.Append(bytes);

    /// <summary>Says that no more will be put in.</summary>
    public void PutEnd() => _ended = true;

    /// <summary>Gives the read that waits what there is, as often as SslStream asks for more. False when it waits still.</summary>
    public bool Resume()
    {
        while (IsReading)
        {
            var count = Take(_wanted.Span, isProbe: _wanted.IsEmpty);
            if (count == LoopSocket.WouldBlock)
                return false;
            IsReading = false;
            _wanted = default;
            if (count == LoopSocket.Broken)
                _source.SetException(Lost());
            else
                _source.SetResult(count);
        }
        return true;
    }

    /// <summary>Sends what is kept. False when something is left, or the socket broke.</summary>
    public bool FlushOutgoing(LoopSocket socket)
    {
        while (_outgoingStart < _outgoingEnd)
        {
            var sent = socket.SendRaw(Outgoing);
            IsBroken |= sent == LoopSocket.Broken;
            if (sent < 0)
                return false;
            _outgoingStart += sent;
        }
        ReleaseOutgoing();
        return true;
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (IsReading)
            throw new InvalidOperationException("A read is under way.");
        var count = Take(buffer.Span, isProbe: buffer.IsEmpty);
        if (count >= 0)
            return new ValueTask<int>(count);
        if (count == LoopSocket.Broken)
            return ValueTask.FromException<int>(Lost());
        IsReading = true;
        _wanted = buffer;
        _source.Reset();
        return new ValueTask<int>(this, _source.Version);
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var bytes = buffer.Span;
        if (_socket is not null && _outgoingStart == _outgoingEnd)
        {
            var sent = _socket.SendRaw(bytes);
            IsBroken |= sent == LoopSocket.Broken;
            bytes = bytes[Math.Max(0, sent)..];
        }
        if (!IsBroken)
            Keep(bytes);
        return ValueTask.CompletedTask;
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    int IValueTaskSource<int>.GetResult(short token) => _source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<int>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);

    protected override void Dispose(bool disposing)
    {
        _incoming.Release();
        ReleaseOutgoing();
        base.Dispose(disposing);
    }

    /// <summary>Bytes for a read, 0 at the end, or as a socket says. A probe takes nothing: it ends when there would be something.</summary>
    private int Take(Span<byte> into, bool isProbe)
    {
        if (isProbe)
            return HasInput ? 0 : LoopSocket.WouldBlock;
        if (!_incoming.IsEmpty)
        {
            var count = Math.Min(into.Length, _incoming.Count);
            _incoming.Span[..count].CopyTo(into);
            _incoming.Consume(count);
            return count;
        }
        if (_ended)
            return 0;
        return _socket?.ReceiveRaw(into) ?? LoopSocket.WouldBlock;
    }

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
            return;
        if (_outgoing is null || _outgoing.Length - _outgoingEnd < bytes.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Outgoing.Length + bytes.Length);
            Outgoing.CopyTo(larger);
            var kept = Outgoing.Length;
            ReleaseOutgoing();
            (_outgoing, _outgoingEnd) = (larger, kept);
        }
        bytes.CopyTo(_outgoing.AsSpan(_outgoingEnd));
        _outgoingEnd += bytes.Length;
    }

    private void ReleaseOutgoing()
    {
        if (_outgoing is not null)
            ArrayPool<byte>.Shared.Return(_outgoing);
        _outgoing = null;
        _outgoingStart = _outgoingEnd = 0;
    }

    private IOException Lost() => new(_socket is { Error: > 0 and var errno } ? Native.Describe(errno) : "the connection was lost");
}
