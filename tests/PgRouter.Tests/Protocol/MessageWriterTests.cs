using NUnit.Framework;
using PgRouter.Protocol;

namespace PgRouter.Tests.Protocol;

public class MessageWriterTests
{
    [Test]
    public void End_fills_in_the_length_of_each_message()
    {
        var writer = new MessageWriter(1);

        writer.Begin(FrontendMessage.Query);
        writer.WriteCString("é");
        writer.End();
        writer.Begin(FrontendMessage.Sync);
        writer.End();

        Assert.That(writer.WrittenSpan.ToArray(), Is.EqualTo(new byte[] { (byte)'Q', 0, 0, 0, 7, 0xC3, 0xA9, 0, (byte)'S', 0, 0, 0, 4 }));
    }

    [Test]
    public void Clear_makes_it_reusable_even_in_the_middle_of_a_message()
    {
        var writer = new MessageWriter();
        writer.Begin(FrontendMessage.Query);

        writer.Clear();
        BackendStartupMessages.WriteReadyForQuery(writer, TransactionStatus.Failed);

        Assert.That(writer.WrittenSpan.ToArray(), Is.EqualTo(new byte[] { (byte)'Z', 0, 0, 0, 5, (byte)'E' }));
    }

    [Test]
    public void A_NUL_inside_a_string_is_refused()
    {
        var writer = new MessageWriter();

        Assert.That(() => writer.WriteCString("a\0b"), Throws.ArgumentException);
        Assert.That(() => writer.WriteCString("a\0b"u8), Throws.ArgumentException);
    }

    [Test]
    public void Begin_and_End_must_alternate()
    {
        var writer = new MessageWriter();

        Assert.That(writer.End, Throws.InvalidOperationException);
        writer.BeginUntyped();
        Assert.That(() => writer.Begin(FrontendMessage.Sync), Throws.InvalidOperationException);
    }

    [Test]
    public void Writing_allocates_nothing_once_it_has_grown()
    {
        var writer = new MessageWriter();
        WriteSome(writer);
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var i = 0; i < 100; i++)
            WriteSome(writer);

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    private static void WriteSome(MessageWriter writer)
    {
        writer.Clear();
        writer.Begin(FrontendMessage.Parse);
        writer.WriteCString("name"u8);
        writer.WriteCString("select 1");
        writer.WriteInt16(0);
        writer.End();
    }
}
