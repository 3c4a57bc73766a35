using NUnit.Framework;
using PgRouter.Core.Servers;

namespace PgRouter.Tests.Servers;

[TestFixture]
internal sealed class OwedRepliesTests
{
    [Test]
    public void Replies_come_in_the_order_they_are_owed()
    {
        var owed = new OwedReplies();
        owed.Enqueue(new OwedReply(ReplyKind.Parse, Swallow: true));
        owed.Enqueue(new OwedReply(ReplyKind.Bind));
        owed.Enqueue(new OwedReply(ReplyKind.Sync));
        Assert.That(owed.Head.Kind, Is.EqualTo(ReplyKind.Parse));
        Assert.That(owed[2].Kind, Is.EqualTo(ReplyKind.Sync));
        Assert.That(owed.Dequeue(), Is.EqualTo(new OwedReply(ReplyKind.Parse, Swallow: true)));
        Assert.That(owed.Dequeue().Kind, Is.EqualTo(ReplyKind.Bind));
        Assert.That((owed.Count, owed.ReadyForQueryCount), Is.EqualTo((1, 1)));
        owed.Clear();
        Assert.That((owed.Count, owed.ReadyForQueryCount), Is.EqualTo((0, 0)));
    }

    [Test]
    public void What_is_swallowed_later_is_no_request_of_the_clients_any_more()
    {
        var owed = new OwedReplies();
        owed.Enqueue(new OwedReply(ReplyKind.Query, Subject: "x"));
        owed.Enqueue(new OwedReply(ReplyKind.Sync));
        owed.SwallowHead();
        Assert.That(owed.ReadyForQueryCount, Is.EqualTo(1));
        Assert.That(owed.Dequeue(), Is.EqualTo(new OwedReply(ReplyKind.Query, Swallow: true, Subject: "x")));
        Assert.That((owed.Count, owed.ReadyForQueryCount, owed.Settled), Is.EqualTo((1, 1, 0L)));
    }

    [TestCase(ReplyKind.Query, 1)]
    [TestCase(ReplyKind.FunctionCall, 1)]
    [TestCase(ReplyKind.Sync, 1)]
    [TestCase(ReplyKind.Execute, 0)]
    [TestCase(ReplyKind.CopyEnd, 0)]
    [TestCase(ReplyKind.Local, 0)]
    public void Only_what_ends_in_ReadyForQuery_counts_as_a_request(ReplyKind kind, int expected)
    {
        var owed = new OwedReplies();
        owed.Enqueue(new OwedReply(kind));
        Assert.That(owed.ReadyForQueryCount, Is.EqualTo(expected));
        owed.RemoveAt(0);
        Assert.That((owed.Count, owed.ReadyForQueryCount), Is.EqualTo((0, 0)));
    }

    [Test]
    public void Whatever_is_owed_paid_and_taken_out_the_order_stays()
    {
        var random = new Random(11);
        var kinds = Enum.GetValues<ReplyKind>();
        var owed = new OwedReplies();
        var expected = new List<OwedReply>();
        for (var i = 0; i < 20_000; i++)
        {
            if (expected.Count == 0 || random.Next(100) < 51)
            {
                var reply = new OwedReply(kinds[random.Next(kinds.Length)], random.Next(2) == 0, i);
                owed.Enqueue(reply);
                expected.Add(reply);
            }
            else if (random.Next(4) == 0)
            {
                var index = random.Next(expected.Count);
                owed.RemoveAt(index);
                expected.RemoveAt(index);
            }
            else
            {
                Assert.That(owed.Dequeue(), Is.EqualTo(expected[0]));
                expected.RemoveAt(0);
            }
            Assert.That(owed.Count, Is.EqualTo(expected.Count));
            if (expected.Count > 0)
                Assert.That(owed[expected.Count - 1], Is.EqualTo(expected[^1]));
        }
        Assert.That(
            owed.ReadyForQueryCount,
            Is.EqualTo(expected.Count(r => !r.Swallow && r.Kind is ReplyKind.Query or ReplyKind.FunctionCall or ReplyKind.Sync)));
    }

    [Test]
    public void In_the_steady_state_nothing_is_allocated()
    {
        var owed = new OwedReplies();
        Run(100);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Run(10_000);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);

        void Run(int count)
        {
            for (var i = 0; i < count; i++)
            {
                owed.Enqueue(new OwedReply(ReplyKind.Bind));
                owed.Enqueue(new OwedReply(ReplyKind.Sync));
                owed.Dequeue();
                owed.Dequeue();
            }
        }
    }
}
