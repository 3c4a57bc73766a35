using System.Net.Sockets;
using NUnit.Framework;
using PgRouter.Core.Cluster;
using PgRouter.Core.Relay;
using PgRouter.Core.Servers;
using PgRouter.Core.Transport;
using PgRouter.Tests.Transport;

namespace PgRouter.Tests.Relay;

/// <summary><see cref="ReplyOutput"/> and <see cref="BatchOutput"/>: what goes out is what was forwarded and put in, in order.</summary>
[TestFixture]
internal sealed class RelayOutputTests
{
    private LoopHost _host = null!;
    private LoopSocket _socket = null!;
    private Socket _peer = null!;

    [SetUp]
    public async Task Connect()
    {
        _host = new LoopHost();
        (_socket, _peer) = await _host.Connect();
    }

    [TearDown]
    public void Close()
    {
        _peer.Dispose();
        _host.Dispose();
    }

    [Test]
    public async Task Bytes_that_lie_together_are_sent_from_where_they_are()
    {
        var scratch = new byte[4];
        var forwarded = await Reply("0123456789", scratch, (ref ReplyOutput output) =>
        {
            output.Forward(2, 3);
            output.Forward(5, 4);
        });
        Assert.That(forwarded, Is.EqualTo(7));
        Assert.That(Receive(7), Is.EqualTo("2345678"));
        Assert.That(scratch, Is.All.Zero, "nothing was copied");
    }

    [Test]
    public async Task What_is_left_out_and_put_in_is_gathered()
    {
        var forwarded = await Reply("0123456789", new byte[64], (ref ReplyOutput output) =>
        {
            output.Insert("<"u8);
            output.Forward(0, 2);
            output.Forward(4, 2);
            output.Insert("+"u8);
            output.Insert("+"u8);
            output.Forward(6, 1);
            output.Forward(9, 1);
            output.Insert(">"u8);
        });
        Assert.That(forwarded, Is.EqualTo(10));
        Assert.That(Receive(10), Is.EqualTo("<0145++69>"));
    }

    [Test]
    public async Task What_was_forwarded_since_the_mark_is_cut_back()
    {
        var forwarded = await Reply("0123456789", new byte[64], (ref ReplyOutput output) =>
        {
            output.Forward(0, 2);
            output.Mark();
            output.Forward(2, 2);
            Assert.That((output.ForwardedSinceMark, output.MayCutBack), Is.EqualTo((2, true)));
            output.CutBack();
            output.Forward(8, 1);
        });
        Assert.That(forwarded, Is.EqualTo(3));
        Assert.That(Receive(3), Is.EqualTo("018"));
    }

    [Test]
    public async Task What_was_gathered_since_the_mark_is_cut_back()
    {
        await Reply("0123456789", new byte[64], (ref ReplyOutput output) =>
        {
            output.Insert("<"u8);
            output.Forward(0, 2);
            output.Mark();
            output.Forward(2, 1);
            output.Insert("+"u8);
            output.Forward(5, 2);
            output.Insert("+"u8);
            output.CutBack();
            output.Insert(">"u8);
            output.Forward(9, 1);
        });
        Assert.That(Receive(5), Is.EqualTo("<01>9"));
    }

    [Test]
    public async Task Without_a_mark_everything_is_cut_back()
    {
        var forwarded = await Reply("0123456789", new byte[64], (ref ReplyOutput output) =>
        {
            output.Insert("<"u8);
            output.Forward(3, 4);
            output.CutBack();
        });
        Assert.That(forwarded, Is.Zero);
        Assert.That(_peer.Available, Is.Zero);
    }

    [Test]
    public async Task What_has_left_is_not_cut_back()
    {
        await Reply("0123456789", new byte[4], (ref ReplyOutput output) =>
        {
            for (var i = 0; i < 10; i += 2)
                output.Forward(i, 1);
            output.Insert("+"u8);
            Assert.That(output.MayCutBack, Is.False);
            output.Mark();
            Assert.That(output.MayCutBack, Is.True);
            output.Insert("-"u8);
            output.CutBack();
        });
        Assert.That(Receive(6), Is.EqualTo("02468+"));
    }

    [Test]
    public async Task Nothing_forwarded_is_nothing_sent()
    {
        Assert.That(await Reply("abc", new byte[8], (ref ReplyOutput _) => { }), Is.Zero);
        Assert.That(_peer.Available, Is.Zero);
    }

    [Test]
    public async Task More_than_the_scratch_buffer_holds_goes_out_in_order()
    {
        var text = string.Concat(Enumerable.Range(0, 500).Select(i => $"{i:000}"));
        var expected = string.Concat(Enumerable.Range(0, 500).Where(i => i % 3 != 0).Select(i => $"{i:000}"));
        await Reply(text, new byte[100], (ref ReplyOutput output) =>
        {
            for (var i = 0; i < 500; i++)
            {
                if (i % 3 != 0)
                    output.Forward(i * 3, 3);
            }
        });
        Assert.That(Receive(expected.Length), Is.EqualTo(expected));
    }

    [Test]
    public async Task A_batch_leaves_as_messages_in_one_piece()
    {
        await Batch(new byte[64], (ref BatchOutput output) =>
        {
            output.Message((byte)'P', "name\0"u8, "SELECT 1\0"u8, [0, 0]);
            output.Header((byte)'B', 2);
            output.Append("\0\0"u8);
            output.Message((byte)'S', []);
        });
        Assert.That(Receive(33), Is.EqualTo("P\0\0\0\u0014name\0SELECT 1\0\0\0B\0\0\0\u0006\0\0S\0\0\0\u0004"));
    }

    [Test]
    public async Task A_batch_larger_than_the_scratch_buffer_goes_out_in_order()
    {
        var large = new byte[1000];
        Array.Fill(large, (byte)'x');
        await Batch(new byte[16], (ref BatchOutput output) =>
        {
            output.Message((byte)'Q', "a\0"u8);
            output.Message((byte)'Q', large);
            output.Message((byte)'Q', "b\0"u8);
        });
        Assert.That(Receive(7 + 1005 + 7), Is.EqualTo($"Q\0\0\0\u0006a\0Q\0\0\u0003\u00ec{new string('x', 1000)}Q\0\0\0\u0006b\0"));
    }

    private delegate void ReplyStep(ref ReplyOutput output);

    private delegate void BatchStep(ref BatchOutput output);

    private Task<long> Reply(string source, byte[] scratch, ReplyStep step) => _host.On(() =>
    {
        var pending = new OutgoingBytes();
        var output = new ReplyOutput(System.Text.Encoding.Latin1.GetBytes(source), scratch, _socket, ref pending);
        step(ref output);
        output.Complete();
        Assert.That((output.IsWhole, pending.IsEmpty), Is.EqualTo((true, true)));
        return output.Forwarded;
    });

    private Task Batch(byte[] scratch, BatchStep step) => _host.On(() =>
    {
        var server = new ServerConnection(_socket, new NodeConfig { Id = 0, Host = "h", Port = 1 }, "d", "u");
        var output = new BatchOutput(server, scratch);
        step(ref output);
        output.Complete();
        Assert.That(server.Output.IsEmpty, Is.True);
    });

    private string Receive(int count)
    {
        var bytes = new byte[count];
        for (var at = 0; at < count;)
            at += _peer.Receive(bytes.AsSpan(at));
        Assert.That(_peer.Available, Is.Zero, "nothing more");
        return System.Text.Encoding.Latin1.GetString(bytes);
    }
}
