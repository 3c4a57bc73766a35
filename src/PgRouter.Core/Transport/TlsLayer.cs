using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace PgRouter.Core.Transport;

/// <summary>
/// The encryption of one connection after its handshake: reads and writes as a <see cref="LoopSocket"/> has them, over SslStream. Nothing is held
/// while the connection is idle: SslStream is asked to read only when there are bytes, and by a read of no bytes, which ends when a record is
/// decrypted; the read behind it completes at once. Loop thread only.
/// </summary>
internal sealed class TlsLayer
{
    /// <summary>Plain text given to SslStream in one piece: two records, which leave in one send.</summary>
    private const int MostAtOnce = 32 * 1024;

    [ThreadStatic]
    private static byte[]? _plain;

    private readonly SslStream _ssl;
    private readonly TlsPipe _pipe;
    private LoopSocket _socket = null!;
    private ValueTask<int> _waiting;
    private bool _isWaiting;
    private bool _mayHaveMore = true;
    private bool _isBroken;

    public TlsLayer(SslStream ssl, TlsPipe pipe)
    {
        _ssl = ssl;
        _pipe = pipe;
    }

    /// <summary>Version and cipher suite, as PgBouncer shows them.</summary>
    public string Description => $"{Version(_ssl.SslProtocol)}/{_ssl.NegotiatedCipherSuite}";

    /// <summary>The certificate that the peer showed; null = none.</summary>
    public X509Certificate2? PeerCertificate => (X509Certificate2?)_ssl.RemoteCertificate;

    /// <summary>What ALPN settled; empty when nothing.</summary>
    public SslApplicationProtocol ApplicationProtocol => _ssl.NegotiatedApplicationProtocol;

    /// <summary>Why the encryption broke, for the log; empty while it is whole or when the socket itself broke.</summary>
    public string Failure { get; private set; } = "";

    private static byte[] Plain => _plain ??= GC.AllocateUninitializedArray<byte>(MostAtOnce);

    internal void AttachTo(LoopSocket socket)
    {
        _socket = socket;
        _pipe.Attach(socket);
    }

    /// <summary>As <see cref="LoopSocket.TryReceive"/>, of plain text.</summary>
    internal int TryReceive(Span<byte> into)
    {
        if (_isBroken)
            return LoopSocket.Broken;
        if (!_isWaiting && !_mayHaveMore && !_pipe.HasInput)
            return LoopSocket.WouldBlock;
        try
        {
            return WaitForPlain() ? ReadPlain(into) : LoopSocket.WouldBlock;
        }
        // SslStream throws what its platform throws: whatever it is, the connection cannot be used any more.
        catch (Exception e)
        {
            return Break(e.Message);
        }
    }

    /// <summary>As <see cref="LoopSocket.TrySend"/>: bytes that are taken may still be kept here, encrypted, until the socket takes them.</summary>
    internal int TrySend(ReadOnlySpan<byte> from)
    {
        if (_isBroken)
            return LoopSocket.Broken;
        if (!_pipe.FlushOutgoing(_socket))
            return _pipe.IsBroken ? LoopSocket.Broken : LoopSocket.WouldBlock;
        if (!_socket.IsWritable)
            return LoopSocket.WouldBlock;
        var sent = 0;
        try
        {
            while (sent < from.Length && _pipe.Outgoing.IsEmpty)
            {
                var piece = from.Slice(sent, Math.Min(MostAtOnce, from.Length - sent));
                piece.CopyTo(Plain);
                _ssl.WriteAsync(Plain.AsMemory(0, piece.Length)).GetAwaiter().GetResult();
                if (_pipe.IsBroken)
                    return LoopSocket.Broken;
                sent += piece.Length;
            }
            return sent;
        }
        catch (Exception e)
        {
            return Break(e.Message);
        }
    }

    /// <summary>The socket may have become writable: what is kept goes first, whether or not anybody has more to send.</summary>
    internal void OnEvent() => _pipe.FlushOutgoing(_socket);

    /// <summary>Says good-bye as TLS wants it, when that is possible at once, and frees everything.</summary>
    internal void Close()
    {
        try
        {
            if (!_isBroken && !_pipe.IsBroken && _pipe.Outgoing.IsEmpty && _socket.IsWritable)
                _ssl.ShutdownAsync().GetAwaiter().GetResult();
        }
        catch (Exception e) when (e is IOException or InvalidOperationException or AuthenticationException)
        {
            Failure = e.Message; // The connection is being closed: who reads it learns no more by this.
        }
        _isBroken = true;
        _ssl.Dispose();
    }

    /// <summary>True when a read now completes at once: with plain text, or with the end.</summary>
    private bool WaitForPlain()
    {
        if (!_isWaiting)
        {
            _waiting = _ssl.ReadAsync(Memory<byte>.Empty);
            _isWaiting = true;
        }
        else
        {
            _pipe.Resume();
        }
        if (!_waiting.IsCompleted)
        {
            _mayHaveMore = false;
            return false;
        }
        _isWaiting = false;
        _waiting.GetAwaiter().GetResult();
        return true;
    }

    private int ReadPlain(Span<byte> into)
    {
        var wanted = Math.Min(into.Length, MostAtOnce);
        var reading = _ssl.ReadAsync(Plain.AsMemory(0, wanted));
        if (!reading.IsCompleted)
            return Break("a read that had to complete did not");
        var count = reading.GetAwaiter().GetResult();
        Plain.AsSpan(0, count).CopyTo(into);
        // A read that was filled may have left plain text behind, which no event of the socket tells of. After the end there is only the end.
        _mayHaveMore = count == wanted || count == 0;
        return count;
    }

    private int Break(string reason)
    {
        _isBroken = true;
        if (_socket.Error == 0)
            Failure = reason;
        return LoopSocket.Broken;
    }

    private static string Version(SslProtocols protocol) => protocol switch
    {
        SslProtocols.Tls13 => "TLSv1.3",
        SslProtocols.Tls12 => "TLSv1.2",
        _ => protocol.ToString(),
    };
}
