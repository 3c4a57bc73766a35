using System.Buffers.Binary;
using System.Net.Security;
using System.Security.Authentication;

namespace PgRouter.Core.Transport;

/// <summary>
/// The handshake of TLS on a connection. SslStream computes it on a work thread, for a signature takes as long as hundreds of statements; the loop
/// carries the bytes. Work thread and loop take turns, never at once. Loop thread.
/// </summary>
internal sealed class TlsHandshake
{
    private const int RecordHeader = 5;
    private const byte FirstContentType = 20;
    private const byte LastContentType = 24;
    private const string Gone = "the peer closed the connection during the TLS handshake";
    private const string TooLate = "the TLS handshake did not end in time";

    private readonly LoopSocket _socket;
    private readonly WorkThreads _work;
    private readonly Signal _signal;
    private readonly Deadline _deadline;
    private readonly TlsPipe _pipe = new();
    private readonly SslStream _ssl;
    private IncomingBytes _unread;
    private Task? _running;

    private TlsHandshake(LoopSocket socket, WorkThreads work, Signal signal, Deadline deadline)
    {
        _socket = socket;
        _work = work;
        _signal = signal;
        _deadline = deadline;
        _ssl = new SslStream(_pipe, leaveInnerStreamOpen: false);
    }

    /// <summary>As server, towards a client; the result has the layer, or why there is none. Never throws for what a peer sends.</summary>
    /// <param name="alreadyRead">Bytes of the client's that were read before it was known that they are TLS.</param>
    public static Task<TlsResult> AsServerAsync(
        LoopSocket socket, SslServerAuthenticationOptions options, ReadOnlySpan<byte> alreadyRead, WorkThreads work, Signal signal, Deadline deadline)
    {
        var handshake = new TlsHandshake(socket, work, signal, deadline);
        handshake._unread.Append(alreadyRead);
        return handshake.RunAsync(() => handshake._ssl.AuthenticateAsServerAsync(options), peerSpeaksFirst: true);
    }

    /// <summary>As client, towards a server.</summary>
    public static Task<TlsResult> AsClientAsync(
        LoopSocket socket, SslClientAuthenticationOptions options, WorkThreads work, Signal signal, Deadline deadline)
    {
        var handshake = new TlsHandshake(socket, work, signal, deadline);
        return handshake.RunAsync(() => handshake._ssl.AuthenticateAsClientAsync(options), peerSpeaksFirst: false);
    }

    private async Task<TlsResult> RunAsync(Func<Task> authenticate, bool peerSpeaksFirst)
    {
        if (peerSpeaksFirst && await ReceiveAsync() is { } early)
            return Failed(early, isLost: true);
        while (true)
        {
            await _work.RunAsync(() => Go(authenticate), _signal);
            var isSent = _pipe.FlushOutgoing(_socket);
            if (_running!.IsCompleted)
                break;
            if (!isSent && await SendAsync() is { } unsent)
                return Failed(unsent, isLost: true);
            if (await ReceiveAsync() is { } reason)
                return Failed(reason, isLost: true);
        }
        if (_running.Exception?.InnerException is { } e)
            return Failed((e.InnerException ?? e).Message, isLost: false);
        _pipe.Put(_unread.Span);
        _unread.Release();
        var layer = new TlsLayer(_ssl, _pipe);
        _socket.Encrypt(layer);
        return new TlsResult(layer, "", false);
    }

    /// <summary>On the work thread: from where SslStream stands to where it needs more bytes, or to the end.</summary>
    private void Go(Func<Task> authenticate)
    {
        if (_running is null)
            _running = authenticate();
        else
            _pipe.Resume();
    }

    /// <summary>
    /// Until a whole record is here: a peer that sends byte by byte costs the work threads nothing. Null, or why there will be none.
    /// </summary>
    private async Task<string?> ReceiveAsync()
    {
        while (true)
        {
            var whole = WholeRecords(_unread.Span);
            if (whole > 0)
            {
                _pipe.Put(_unread.Span[..whole]);
                _unread.Consume(whole);
                return null;
            }
            var count = _unread.Receive(_socket);
            if (count > 0)
                continue;
            if (count != LoopSocket.WouldBlock)
                return Gone;
            if (_deadline.HasPassed)
                return TooLate;
            await _signal;
        }
    }

    private async Task<string?> SendAsync()
    {
        while (!_pipe.FlushOutgoing(_socket))
        {
            if (_pipe.IsBroken || _socket.IsClosed)
                return Gone;
            if (_deadline.HasPassed)
                return TooLate;
            await _signal;
        }
        return null;
    }

    /// <summary>Length of the whole records at the start; of everything when it begins with what is no record, so that SslStream says so.</summary>
    private static int WholeRecords(ReadOnlySpan<byte> bytes)
    {
        var position = 0;
        while (bytes.Length - position >= RecordHeader)
        {
            if (bytes[position] is < FirstContentType or > LastContentType)
                return bytes.Length;
            var end = position + RecordHeader + BinaryPrimitives.ReadUInt16BigEndian(bytes[(position + 3)..]);
            if (end > bytes.Length)
                break;
            position = end;
        }
        return position;
    }

    private TlsResult Failed(string reason, bool isLost)
    {
        _unread.Release();
        _ssl.Dispose();
        return new TlsResult(null, reason, isLost);
    }
}

/// <summary>How a handshake ended.</summary>
/// <param name="Layer">The encryption, which the socket has already; null = none.</param>
/// <param name="Failure">Why there is none.</param>
/// <param name="IsLost">Because the peer went away or fell silent, and not for what it said.</param>
internal readonly record struct TlsResult(TlsLayer? Layer, string Failure, bool IsLost);
