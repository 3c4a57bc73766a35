using System.Net.Sockets;
using NUnit.Framework;
using PgRouter.Core.Transport;

namespace PgRouter.Tests.Transport;

/// <summary><see cref="IncomingBytes"/> and <see cref="OutgoingBytes"/>.</summary>
[TestFixture]
internal sealed class BufferTests
{
    [Test]
    public void What_comes_in_is_used_from_the_front()
    {
        var bytes = new IncomingBytes();
        Assert.That(bytes.IsEmpty, Is.True);
        bytes.Append("abc"u8);
        bytes.Append([]);
        bytes.Append("def"u8);
        bytes.Consume(2);
        bytes.Prepend("AB"u8);
        Assert.That(bytes.Span.ToArray(), Is.EqualTo("ABcdef"u8.ToArray()));
        bytes.Consume(6);
        Assert.That((bytes.IsEmpty, bytes.Count), Is.EqualTo((true, 0)));
    }

    [Test]
    public void Whatever_is_appended_prepended_and_consumed_the_order_stays()
    {
        var random = new Random(3);
        var bytes = new IncomingBytes();
        var expected = new List<byte>();
        for (var i = 0; i < 5000; i++)
        {
            var piece = new byte[random.Next(0, random.Next(10) == 0 ? 20_000 : 50)];
            random.NextBytes(piece);
            switch (random.Next(4))
            {
                case 0:
                    bytes.Prepend(piece);
                    expected.InsertRange(0, piece);
                    break;
                case 1:
                    bytes.Append(piece);
                    expected.AddRange(piece);
                    break;
                default:
                    var count = random.Next(0, expected.Count + 1);
                    bytes.Consume(count);
                    expected.RemoveRange(0, count);
                    break;
            }
            Assert.That(bytes.Count, Is.EqualTo(expected.Count));
            Assert.That(bytes.Span.SequenceEqual(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(expected)), Is.True);
        }
        bytes.Release();
        Assert.That(bytes.IsEmpty, Is.True);
    }

    [Test]
    public async Task Receiving_grows_until_a_large_message_is_whole()
    {
        using var host = new LoopHost();
        var (socket, peer) = await host.Connect();
        using (peer)
        {
            var sent = new byte[300_000];
            new Random(5).NextBytes(sent);
            var sending = Task.Run(() => peer.Send(sent));
            var received = await host.Run(async () =>
            {
                var signal = new Signal(host.Loop);
                socket.Owner = signal;
                var incoming = new IncomingBytes();
                Assert.That(incoming.Receive(socket), Is.EqualTo(LoopSocket.WouldBlock).Or.GreaterThan(0));
                while (incoming.Count < sent.Length)
                {
                    if (incoming.Receive(socket) == LoopSocket.WouldBlock)
                        await signal;
                }
                var all = incoming.Span.ToArray();
                incoming.Release();
                return all;
            });
            Assert.That(received.AsSpan().SequenceEqual(sent), Is.True);
            await sending;
        }
    }

    [Test]
    public async Task Only_the_unsent_rest_is_kept_and_all_leaves_in_order()
    {
        using var host = new LoopHost();
        var (socket, peer) = await host.Connect(bufferBytes: 4096);
        using (peer)
        {
            var large = new byte[12 * 1024 * 1024];
            new Random(9).NextBytes(large);
            var output = new Output();
            await host.On(() =>
            {
                Assert.That(output.Bytes.Send(socket, "head"u8), Is.True);
                Assert.That(output.Bytes.IsEmpty, Is.True, "a short send leaves nothing behind");
                Assert.That(output.Bytes.Send(socket, large), Is.True);
                Assert.That(output.Bytes.Count, Is.InRange(1, large.Length));
                Assert.That(output.Bytes.Send(socket, "tail"u8), Is.True);
            });
            var receiving = Task.Run(() => Receive(peer, large.Length + 8));
            await host.Run(async () =>
            {
                var signal = new Signal(host.Loop);
                socket.Owner = signal;
                while (true)
                {
                    Assert.That(output.Bytes.Flush(socket), Is.True);
                    if (output.Bytes.IsEmpty)
                        return 0;
                    await signal;
                }
            });
            var received = await receiving;
            Assert.That(received.AsSpan().StartsWith("head"u8) && received.AsSpan().EndsWith("tail"u8), Is.True);
            Assert.That(received.AsSpan(4, large.Length).SequenceEqual(large), Is.True);
        }
    }

    [Test]
    public async Task Kept_messages_leave_in_one_send()
    {
        using var host = new LoopHost();
        var (socket, peer) = await host.Connect();
        using (peer)
        {
            await host.On(() =>
            {
                var output = new OutgoingBytes();
                output.Keep("one "u8);
                output.Keep([]);
                output.Keep("two"u8);
                Assert.That(output.Count, Is.EqualTo(7));
                Assert.That(output.Flush(socket), Is.True);
                Assert.That(output.IsEmpty, Is.True);
            });
            Assert.That(Receive(peer, 7), Is.EqualTo("one two"u8.ToArray()));
        }
    }

    [Test]
    public async Task A_broken_connection_is_told()
    {
        using var host = new LoopHost();
        var (socket, peer) = await host.Connect();
        peer.LingerState = new LingerOption(true, 0);
        peer.Dispose();
        await PgRouter.Testing.Eventually.TrueAsync(() => host.On(() => socket.PeerClosed), "the reset to arrive");
        await host.On(() =>
        {
            var output = new OutgoingBytes();
            Assert.That(output.Send(socket, "x"u8), Is.False);
            output.Release();
        });
    }

    private static byte[] Receive(Socket peer, int count)
    {
        var bytes = new byte[count];
        for (var at = 0; at < count;)
        {
            var read = peer.Receive(bytes.AsSpan(at));
            Assert.That(read, Is.GreaterThan(0));
            at += read;
        }
        return bytes;
    }

    /// <summary>The struct in a field, as its owners have it.</summary>
    private sealed class Output
    {
        public OutgoingBytes Bytes;
    }
}
