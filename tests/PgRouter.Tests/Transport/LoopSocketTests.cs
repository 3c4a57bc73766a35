using System.Net;
using System.Net.Sockets;
using NUnit.Framework;
using PgRouter.Core.Transport;

namespace PgRouter.Tests.Transport;

[TestFixtureSource(typeof(LoopHost), nameof(LoopHost.Methods))]
internal sealed class LoopSocketTests(IoMethod method)
{
    private LoopHost _host = null!;
    private LoopSocket _socket = null!;
    private Socket _peer = null!;

    [SetUp]
    public async Task Connect()
    {
        _host = new LoopHost(method);
        (_socket, _peer) = await _host.Connect(bufferBytes: 8192);
    }

    [TearDown]
    public void Close()
    {
        _peer.Dispose();
        _host.Dispose();
    }

    [Test]
    public async Task Bytes_go_both_ways()
    {
        Assert.That(await _host.On(() => _socket.TrySend("to you"u8)), Is.EqualTo(6));
        var buffer = new byte[6];
        Assert.That(await _peer.ReceiveAsync(buffer), Is.EqualTo(6));
        Assert.That(buffer, Is.EqualTo("to you"u8.ToArray()));
        await _peer.SendAsync("to me"u8.ToArray());
        Assert.That((await Read(5)).Bytes, Is.EqualTo("to me"u8.ToArray()));
        Assert.That(await _host.On(() => (_socket.Error, _socket.PeerClosed)), Is.EqualTo((0, false)));
    }

    [Test]
    public async Task A_read_with_nothing_there_would_block() =>
        Assert.That(await _host.On(() => _socket.TryReceive(new byte[1])), Is.EqualTo(LoopSocket.WouldBlock));

    [Test]
    public async Task A_peer_that_does_not_read_makes_sends_partial_and_then_wakes_the_sender()
    {
        const int Total = 16 * 1024 * 1024;
        var partial = 0;
        var blocked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var sending = _host.Run(async () =>
        {
            var signal = new Signal(_host.Loop);
            _socket.Owner = signal;
            var data = new byte[Total];
            for (var i = 0; i < Total; i++)
                data[i] = (byte)(i * 31 >> 8);
            var sent = 0;
            while (sent < Total)
            {
                var count = _socket.TrySend(data.AsSpan(sent));
                Assert.That(count, Is.Not.EqualTo(LoopSocket.Broken));
                if (count == LoopSocket.WouldBlock)
                {
                    blocked.TrySetResult();
                    await signal;
                    continue;
                }
                if (count < Total - sent)
                    partial++;
                sent += count;
            }
            return partial;
        });
        await blocked.Task.WaitAsync(LoopHost.Deadline);
        Assert.That(await ReceiveAll(Total), Is.EqualTo(Total));
        Assert.That(await sending, Is.GreaterThan(0));
    }

    [Test]
    public async Task The_end_is_told_after_the_last_bytes()
    {
        await _peer.SendAsync("last"u8.ToArray());
        _peer.Shutdown(SocketShutdown.Send);
        var (last, bytes) = await Read(int.MaxValue);
        Assert.That(last, Is.Zero);
        Assert.That(bytes, Is.EqualTo("last"u8.ToArray()));
        Assert.That(await _host.On(() => (_socket.PeerClosed, _socket.Error)), Is.EqualTo((true, 0)));
    }

    [Test]
    public async Task A_reset_breaks_reads_and_writes_with_its_errno()
    {
        _peer.LingerState = new LingerOption(true, 0);
        _peer.Dispose();
        var (last, _) = await Read(int.MaxValue);
        Assert.That(last, Is.EqualTo(LoopSocket.Broken));
        Assert.That(await _host.On(() => (_socket.Error, _socket.PeerClosed)), Is.EqualTo((Native.ECONNRESET, true)));
        Assert.That(await _host.On(() => _socket.TrySend(new byte[1])), Is.EqualTo(LoopSocket.Broken).Or.EqualTo(LoopSocket.WouldBlock));
    }

    [Test]
    public async Task An_idle_socket_notices_that_its_peer_went_away()
    {
        var noticed = _host.Run(async () =>
        {
            var signal = new Signal(_host.Loop);
            _socket.Owner = signal;
            while (!_socket.PeerClosed)
                await signal;
            return true;
        });
        _peer.Dispose();
        Assert.That(await noticed, Is.True);
    }

    [Test]
    public async Task Shutting_down_the_sending_side_lets_the_other_side_go_on()
    {
        await _host.On(_socket.ShutdownSend);
        Assert.That(await _peer.ReceiveAsync(new byte[1]), Is.Zero);
        await _peer.SendAsync("still here"u8.ToArray());
        Assert.That((await Read(10)).Bytes, Has.Length.EqualTo(10));
    }

    [Test]
    public async Task Closing_twice_closes_once_and_a_closed_socket_does_nothing()
    {
        var before = await _host.On(() => _host.Loop.SocketCount);
        await _host.On(_socket.Close);
        await _host.On(_socket.Close);
        Assert.That(await _host.On(() => _host.Loop.SocketCount), Is.EqualTo(before - 1));
        Assert.That(await _host.On(() => _socket.TryReceive(new byte[1])), Is.EqualTo(LoopSocket.WouldBlock));
        Assert.That(await _host.On(() => _socket.TrySend(new byte[1])), Is.EqualTo(LoopSocket.WouldBlock));
        Assert.That(await _host.On(() => (_socket.LocalEndPoint, _socket.RemoteEndPoint)), Is.EqualTo(((EndPoint?)null, (EndPoint?)null)));
    }

    [Test]
    public async Task Addresses_are_those_of_the_peer_seen_from_the_other_side()
    {
        Assert.That(await _host.On(() => _socket.LocalEndPoint), Is.EqualTo(_peer.RemoteEndPoint));
        Assert.That(await _host.On(() => _socket.RemoteEndPoint), Is.EqualTo(_peer.LocalEndPoint));
    }

    [Test]
    public async Task A_connect_to_a_port_that_nobody_listens_on_ends_with_an_errno()
    {
        using var unused = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        unused.Bind(new IPEndPoint(IPAddress.Loopback, 0)); // bound and not listening: refused
        var errno = await _host.Run(async () =>
        {
            var signal = new Signal(_host.Loop);
            var socket = LoopSocket.BeginConnect(_host.Loop, unused.LocalEndPoint!);
            socket.Owner = signal;
            while (!socket.IsWritable)
                await signal;
            var result = socket.FinishConnect();
            socket.Close();
            return result;
        });
        Assert.That(Native.Describe(errno), Does.Contain("refused"));
    }

    [Test]
    public void A_Unix_socket_that_is_not_there_is_refused_at_once() => Assert.That(
        async () => await _host.On(() => LoopSocket.BeginConnect(_host.Loop, new UnixDomainSocketEndPoint("/tmp/pgrouter-none/.s"))),
        Throws.InstanceOf<IOException>());

    [Test]
    public async Task A_descriptor_number_used_again_never_gets_the_events_of_its_predecessor()
    {
        for (var i = 0; i < 200; i++)
        {
            var (first, firstPeer) = await _host.Connect();
            firstPeer.Dispose(); // its event may be under way while the number is given away
            await _host.On(first.Close);
            var (second, secondPeer) = await _host.Connect();
            using (secondPeer)
            {
                var seen = await _host.On(() => (second.PeerClosed, second.TryReceive(new byte[1])));
                Assert.That(seen, Is.EqualTo((false, LoopSocket.WouldBlock)));
                await _host.On(second.Close);
            }
        }
    }

    [Test]
    public async Task A_socket_moves_to_another_loop_with_the_bytes_that_wait_for_it()
    {
        using var other = new LoopHost(method, 1);
        await _peer.SendAsync("before"u8.ToArray());
        await _host.On(_socket.Detach);
        await _peer.SendAsync(" after"u8.ToArray());
        var bytes = await other.Run(async () =>
        {
            var signal = new Signal(other.Loop);
            _socket.Owner = signal;
            _socket.AttachTo(other.Loop);
            return (await LoopHost.Read(_socket, signal, 12)).Bytes;
        });
        Assert.That(bytes, Is.EqualTo("before after"u8.ToArray()));
        Assert.That(await _host.On(() => _host.Loop.SocketCount), Is.Zero);
        Assert.That(await other.On(() => other.Loop.SocketCount), Is.EqualTo(1));
    }

    [Test]
    public async Task What_was_sent_before_a_close_arrives()
    {
        await _host.On(() =>
        {
            _socket.TrySend("last "u8);
            _socket.TrySend("words"u8);
            _socket.Close();
        });
        var buffer = new byte[64];
        var length = 0;
        while (_peer.Receive(buffer.AsSpan(length)) is > 0 and var count)
            length += count;
        Assert.That(buffer.AsSpan(0, length).ToArray(), Is.EqualTo("last words"u8.ToArray()));
    }

    [Test]
    public async Task Small_sends_to_a_peer_that_does_not_read_keep_their_order()
    {
        const int Total = 4 * 1024 * 1024;
        var blocked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var sending = _host.Run(async () =>
        {
            var signal = new Signal(_host.Loop);
            _socket.Owner = signal;
            var output = new Output();
            var piece = new byte[1000];
            for (var at = 0; at < Total;)
            {
                for (var i = 0; i < piece.Length; i++)
                    piece[i] = (byte)((at + i) * 31 >> 8);
                var count = Math.Min(piece.Length, Total - at);
                Assert.That(output.Bytes.Send(_socket, piece.AsSpan(0, count)), Is.True);
                at += count;
                while (!output.Bytes.IsEmpty)
                {
                    blocked.TrySetResult();
                    await signal;
                    Assert.That(output.Bytes.Flush(_socket), Is.True);
                }
            }
            return true;
        });
        await blocked.Task.WaitAsync(LoopHost.Deadline);
        Assert.That(await ReceiveAll(Total), Is.EqualTo(Total));
        Assert.That(await sending, Is.True);
    }

    [Test]
    public async Task Bytes_for_many_sockets_at_once_all_arrive()
    {
        const int Count = 400;
        var pairs = new List<(LoopSocket Socket, Socket Peer)>();
        for (var i = 0; i < Count; i++)
            pairs.Add(await _host.Connect());
        using var gate = new ManualResetEventSlim();
        _host.Loop.Post(_ => gate.Wait(LoopHost.Deadline), null); // All of it comes within one turn.
        foreach (var (_, peer) in pairs)
        {
            for (var piece = 0; piece < 3; piece++)
                peer.Send([(byte)piece]);
        }
        gate.Set();
        foreach (var (socket, peer) in pairs)
        {
            using (peer)
                Assert.That((await ReadFrom(socket, 3)).Bytes, Is.EqualTo(new byte[] { 0, 1, 2 }));
        }
    }

    [Test]
    public async Task Much_that_nobody_reads_waits_with_the_sender_and_then_comes_in_order()
    {
        const int Total = 8 * 1024 * 1024;
        _peer.Blocking = false;
        var sent = 0;
        for (var full = 0; full < 100;)
        {
            var piece = new byte[Math.Min(64 * 1024, Total - sent)];
            for (var i = 0; i < piece.Length; i++)
                piece[i] = (byte)((sent + i) * 31 >> 8);
            var count = _peer.Send(piece, SocketFlags.None, out var error);
            sent += error == SocketError.Success ? count : 0;
            full = error == SocketError.WouldBlock ? full + 1 : 0;
            await _host.On(() => 0); // The loop turns, and takes what it will take without a reader.
        }
        Assert.That(sent, Is.LessThan(Total), "it is bounded");
        var (_, bytes) = await Read(sent);
        for (var i = 0; i < sent; i++)
        {
            if (bytes[i] != (byte)(i * 31 >> 8))
                Assert.Fail($"byte {i} is wrong");
        }
    }

    private sealed class Output
    {
        public OutgoingBytes Bytes;
    }

    private Task<(int Last, byte[] Bytes)> ReadFrom(LoopSocket socket, int atLeast) => _host.Run(async () =>
    {
        var signal = new Signal(_host.Loop);
        socket.Owner = signal;
        return await LoopHost.Read(socket, signal, atLeast);
    });

    private Task<(int Last, byte[] Bytes)> Read(int atLeast) => _host.Run(async () =>
    {
        var signal = new Signal(_host.Loop);
        _socket.Owner = signal;
        return await LoopHost.Read(_socket, signal, atLeast);
    });

    private Task<int> ReceiveAll(int total) => Task.Run(() =>
    {
        var buffer = new byte[256 * 1024];
        var received = 0;
        while (received < total)
        {
            var count = _peer.Receive(buffer);
            Assert.That(count, Is.GreaterThan(0));
            for (var i = 0; i < count; i++)
            {
                if (buffer[i] != (byte)((received + i) * 31 >> 8))
                    Assert.Fail($"byte {received + i} is wrong");
            }
            received += count;
        }
        return received;
    });
}
