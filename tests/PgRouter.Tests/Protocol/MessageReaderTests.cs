using NUnit.Framework;
using PgRouter.Protocol;

namespace PgRouter.Tests.Protocol;

public class MessageReaderTests
{
    [Test]
    public void Fields_are_read_in_order_and_big_endian()
    {
        var reader = new MessageReader([7, 0x01, 0x02, 0xFF, 0xFF, 0xFF, 0xFE, (byte)'a', (byte)'b', 0, 9, 9]);

        Assert.That(reader.TryReadByte(out var one) && one == 7);
        Assert.That(reader.TryReadInt16(out var two) && two == 0x0102);
        Assert.That(reader.TryReadInt32(out var four) && four == -2);
        Assert.That(reader.TryReadCString(out var text) && text.SequenceEqual("ab"u8));
        Assert.That(reader.TryReadBytes(2, out var rest) && rest.SequenceEqual(new byte[] { 9, 9 }));
        Assert.That(reader.Remaining, Is.Zero);
    }

    [Test]
    public void A_read_beyond_the_end_fails_and_stays_where_it_was()
    {
        var reader = new MessageReader([1, 2, 3]);

        Assert.That(reader.TryReadInt32(out _), Is.False);
        Assert.That(reader.TryReadCString(out _), Is.False);
        Assert.That(reader.TryReadBytes(4, out _), Is.False);
        Assert.That(reader.TryReadBytes(-1, out _), Is.False);
        Assert.That(reader.TryReadBytes(int.MinValue, out _), Is.False);
        Assert.That(reader.TrySkip(int.MaxValue), Is.False);
        Assert.That(reader.Remaining, Is.EqualTo(3));
        Assert.That(reader.TrySkip(3));
        Assert.That(reader.TryReadByte(out _), Is.False);
        Assert.That(reader.TryReadInt16(out _), Is.False);
    }

    [Test]
    public void A_header_needs_five_bytes_and_is_given_as_on_the_wire()
    {
        Assert.That(MessageHeader.TryRead("Q\0\0\0"u8, out _, out _), Is.False);
        Assert.That(MessageHeader.TryRead([(byte)'Q', 0, 0, 1, 4, 0], out var type, out var length));
        Assert.That((type, length), Is.EqualTo((FrontendMessage.Query, 260)));
    }
}
