using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using NUnit.Framework;
using PgRouter.Core.Transport;
using PgRouter.Testing.Certificates;

namespace PgRouter.Tests.Transport;

/// <summary>TLS over a socket of a loop, the other end an ordinary SslStream.</summary>
[TestFixtureSource(typeof(LoopHost), nameof(LoopHost.Methods))]
internal sealed class TlsLayerTests(IoMethod method)
{
    private static readonly TestAuthority Authority = new();
    private static readonly SslStreamCertificateContext Certificate = SslStreamCertificateContext.Create(Authority.Server("localhost"), null, offline: true);
    private WorkThreads _work = null!;
    private LoopHost _host = null!;
    private LoopSocket _socket = null!;
    private Socket _peer = null!;
    private WireTap _wire = null!;
    private SslStream _ssl = null!;

    [SetUp]
    public async Task Connect()
    {
        _work = new WorkThreads(1);
        _host = new LoopHost(method);
        (_socket, _peer) = await _host.Connect(bufferBytes: 8192);
        _wire = new WireTap(new NetworkStream(_peer));
        _ssl = new SslStream(_wire, leaveInnerStreamOpen: false, (_, _, _, _) => true);
    }

    [TearDown]
    public void Close()
    {
        _ssl.Dispose();
        _wire.Dispose();
        _peer.Dispose();
        _host.Dispose();
        _work.Dispose();
    }

    [Test]
    public async Task Bytes_go_both_ways()
    {
        await Encrypt();
        Assert.That(await _host.On(() => _socket.TrySend("to you"u8)), Is.EqualTo(6));
        var buffer = new byte[6];
        await _ssl.ReadExactlyAsync(buffer);
        Assert.That(buffer, Is.EqualTo("to you"u8.ToArray()));
        await _ssl.WriteAsync("to me"u8.ToArray());
        Assert.That((await Read(5)).Bytes, Is.EqualTo("to me"u8.ToArray()));
        Assert.That(await _host.On(() => _socket.TryReceive(new byte[1])), Is.EqualTo(LoopSocket.WouldBlock));
        Assert.That(_socket.Tls!.Description, Is.EqualTo("TLSv1.3/TLS_AES_256_GCM_SHA384"));
    }

    [Test]
    public async Task A_peer_that_sends_byte_by_byte_is_understood()
    {
        _wire.PieceLength = 1;
        await Encrypt();
        await _ssl.WriteAsync(new byte[300]);
        Assert.That((await Read(300)).Bytes, Has.Length.EqualTo(300));
    }

    [Test]
    public async Task A_small_buffer_gets_a_large_record_piece_by_piece()
    {
        await Encrypt();
        var sent = RandomNumberGenerator.GetBytes(16_000);
        await _ssl.WriteAsync(sent);
        var received = await _host.Run(async () =>
        {
            var signal = new Signal(_host.Loop);
            _socket.Owner = signal;
            var bytes = new List<byte>();
            var buffer = new byte[100];
            while (bytes.Count < sent.Length)
            {
                var count = _socket.TryReceive(buffer);
                if (count > 0)
                    bytes.AddRange(buffer[..count]);
                else
                    await signal;
            }
            return bytes;
        });
        Assert.That(received, Is.EqualTo(sent));
    }

    [Test]
    public async Task Both_directions_at_once_with_peers_that_read_slowly_lose_nothing()
    {
        await Encrypt();
        var up = RandomNumberGenerator.GetBytes(300_000);
        var down = RandomNumberGenerator.GetBytes(300_000);
        var writing = _ssl.WriteAsync(up);
        var moving = _host.Run(() => Exchange(down, up.Length));
        var received = new byte[down.Length];
        await _ssl.ReadExactlyAsync(received).AsTask().WaitAsync(LoopHost.Deadline);
        await writing;
        Assert.That(await moving, Is.EqualTo(up));
        Assert.That(received, Is.EqualTo(down));
    }

    [Test]
    public async Task What_was_taken_is_sent_although_nobody_sends_more()
    {
        await Encrypt();
        var taken = await _host.On(() =>
        {
            var all = 0;
            int count;
            while ((count = _socket.TrySend(new byte[20_000])) > 0)
                all += count;
            return all;
        });
        await _ssl.ReadExactlyAsync(new byte[taken]).AsTask().WaitAsync(LoopHost.Deadline);
    }

    [Test]
    public async Task The_end_is_told_after_the_last_bytes()
    {
        await Encrypt();
        await _ssl.WriteAsync("last"u8.ToArray());
        await _ssl.ShutdownAsync();
        _peer.Shutdown(SocketShutdown.Send);
        var (last, bytes) = await Read(int.MaxValue);
        Assert.That((last, bytes), Is.EqualTo((0, "last"u8.ToArray())));
    }

    [Test]
    public async Task Closing_says_good_bye()
    {
        await Encrypt();
        await _host.On(_socket.Close);
        Assert.That(await _ssl.ReadAsync(new byte[1]), Is.Zero);
    }

    [Test]
    public async Task Bytes_that_are_no_TLS_break_the_connection()
    {
        await Encrypt();
        await _peer.SendAsync("Q\0\0\0\x0dSELECT 1\0"u8.ToArray());
        Assert.That((await Read(1)).Last, Is.EqualTo(LoopSocket.Broken));
        Assert.That(_socket.Tls!.Failure, Is.Not.Empty);
        Assert.That(await _host.On(() => _socket.TrySend("x"u8)), Is.EqualTo(LoopSocket.Broken));
    }

    [Test]
    public async Task A_socket_moves_to_another_loop_in_the_middle_of_a_record()
    {
        await Encrypt();
        _wire.HoldAfter = 50;
        await _ssl.WriteAsync(new byte[500]);
        Assert.That(await _host.Run(async () =>
        {
            var signal = new Signal(_host.Loop);
            _socket.Owner = signal;
            while (!_socket.IsReadable)
                await signal;
            var count = _socket.TryReceive(new byte[500]);
            _socket.Detach();
            return count;
        }), Is.EqualTo(LoopSocket.WouldBlock));
        using var other = new LoopHost(method, 1);
        await _wire.ReleaseAsync();
        var (_, bytes) = await other.Run(async () =>
        {
            var signal = new Signal(other.Loop);
            _socket.Owner = signal;
            _socket.AttachTo(other.Loop);
            return await LoopHost.Read(_socket, signal, 500);
        });
        Assert.That(bytes, Has.Length.EqualTo(500));
    }

    [Test]
    public async Task A_handshake_of_nonsense_fails_with_a_reason()
    {
        var handshake = Handshake();
        await _peer.SendAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray());
        Assert.That((await handshake).Failure, Is.Not.Empty);
    }

    [Test]
    public async Task A_handshake_that_the_peer_leaves_fails_with_a_reason()
    {
        var handshake = Handshake();
        await _peer.SendAsync(new byte[] { 22, 3, 1, 1 });
        _peer.Shutdown(SocketShutdown.Send);
        Assert.That((await handshake).Failure, Does.Contain("closed the connection"));
    }

    [Test]
    public async Task A_handshake_that_takes_too_long_fails_with_a_reason()
    {
        await _peer.SendAsync(new byte[] { 22, 3, 1, 1 });
        Assert.That((await Handshake(TimeSpan.FromMilliseconds(1))).Failure, Does.Contain("in time"));
    }

    private async Task Encrypt()
    {
        var server = Handshake();
        await _ssl.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost" });
        var result = await server;
        Assert.That(result.Failure, Is.Empty);
    }

    private Task<TlsResult> Handshake(TimeSpan limit = default) => _host.Run(async () =>
    {
        var signal = new Signal(_host.Loop);
        _socket.Owner = signal;
        using var deadline = new Deadline(signal);
        deadline.Start(limit);
        var options = new SslServerAuthenticationOptions { ServerCertificateContext = Certificate };
        return await TlsHandshake.AsServerAsync(_socket, options, default, _work, signal, deadline);
    });

    private Task<(int Last, byte[] Bytes)> Read(int atLeast) => _host.Run(async () =>
    {
        var signal = new Signal(_host.Loop);
        _socket.Owner = signal;
        return await LoopHost.Read(_socket, signal, atLeast);
    });

    /// <summary>Sends all of it while it reads a number of bytes.</summary>
    private async Task<byte[]> Exchange(byte[] send, int expected)
    {
        var signal = new Signal(_host.Loop);
        _socket.Owner = signal;
        var received = new List<byte>(expected);
        var buffer = new byte[5000];
        var sent = 0;
        while (sent < send.Length || received.Count < expected)
        {
            var outcome = sent < send.Length ? _socket.TrySend(send.AsSpan(sent)) : LoopSocket.WouldBlock;
            var count = _socket.TryReceive(buffer);
            if (count == LoopSocket.Broken || outcome == LoopSocket.Broken || count == 0)
                throw new IOException(_socket.Tls!.Failure);
            if (outcome > 0)
                sent += outcome;
            if (count > 0)
                received.AddRange(buffer.AsSpan(0, count));
            if (outcome <= 0 && count <= 0)
                await signal;
        }
        return [.. received];
    }

    /// <summary>A stream that can cut what is written into pieces, or hold the rest of a write back.</summary>
    private sealed class WireTap(Stream inner) : Stream
    {
        private byte[] _held = [];

        public int PieceLength { get; set; } = int.MaxValue;

        public int HoldAfter { get; set; } = int.MaxValue;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get; set; }

        public async Task ReleaseAsync() => await inner.WriteAsync(_held);

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (buffer.Length > HoldAfter)
            {
                _held = buffer[HoldAfter..].ToArray();
                buffer = buffer[..HoldAfter];
            }
            for (var at = 0; at < buffer.Length; at += PieceLength)
            {
                await inner.WriteAsync(buffer.Slice(at, Math.Min(PieceLength, buffer.Length - at)), cancellationToken);
                if (PieceLength == int.MaxValue)
                    break;
            }
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => inner.ReadAsync(buffer, cancellationToken);

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
