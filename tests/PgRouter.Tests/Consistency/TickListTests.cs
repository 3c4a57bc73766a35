using NUnit.Framework;
using PgRouter.Core.Consistency;

namespace PgRouter.Tests.Consistency;

/// <summary>What a standby has, by the positions that the primary gave.</summary>
[TestFixture]
public sealed class TickListTests
{
    private TickList _ticks = null!;

    [SetUp]
    public void Create() => _ticks = new TickList();

    [Test]
    public void A_standby_has_what_was_committed_before_the_last_position_that_it_has_replayed()
    {
        Add(10, 100);
        Add(20, 200);
        Add(30, 300);
        Assert.That(CleanAt(99), Is.Zero);
        Assert.That(CleanAt(100), Is.EqualTo(10));
        Assert.That(CleanAt(250), Is.EqualTo(20));
        Assert.That(CleanAt(300), Is.EqualTo(30));
        Assert.That(CleanAt(9999), Is.EqualTo(30));
        Assert.That(_ticks.Newest, Is.EqualTo(30));
    }

    [Test]
    public void While_nothing_is_written_one_position_stands_for_all_moments()
    {
        Add(10, 100);
        Add(20, 100);
        Assert.That(CleanAt(100), Is.EqualTo(20));
        Assert.That(_ticks.NewestPosition, Is.EqualTo(new WalPosition(1, 100)));
    }

    [Test]
    public void A_standby_of_another_timeline_has_nothing_however_far_it_is()
    {
        Add(10, 100);
        Assert.That(_ticks.CleanAt(new WalPosition(2, 500)), Is.Zero);
        Assert.That(_ticks.CleanAt(new WalPosition(0, 500)), Is.Zero);
        Add(20, 50, timeline: 2);
        Assert.That(_ticks.CleanAt(new WalPosition(1, 500)), Is.Zero);
        Assert.That(_ticks.CleanAt(new WalPosition(2, 60)), Is.EqualTo(20));
    }

    [Test]
    public void An_answer_of_before_another_primary_does_not_count()
    {
        var before = _ticks.Generation;
        _ticks.Clear();
        _ticks.Add(10, new WalPosition(1, 100), before);
        Assert.That(_ticks.Newest, Is.Zero);
        Add(20, 100);
        Assert.That(_ticks.Newest, Is.EqualTo(20));
    }

    /// <summary>A standby that stands still for hours costs a bounded memory, and is only found clean a little later.</summary>
    [Test]
    public void Many_positions_are_thinned_out_and_never_say_too_much()
    {
        for (var i = 1; i <= 100_000; i++)
            Add(i, (ulong)(i * 10));
        for (var replayed = 0UL; replayed <= 1_000_000; replayed += 777)
            Assert.That(CleanAt(replayed), Is.LessThanOrEqualTo((long)(replayed / 10)));
        Assert.That(CleanAt(1_000_000), Is.EqualTo(100_000));
        Assert.That(CleanAt(500_000), Is.GreaterThan(0));
    }

    [Test]
    public void The_position_that_covers_a_moment_is_the_first_one_asked_behind_it()
    {
        Add(10, 100);
        Add(20, 200);
        Assert.That(_ticks.PositionAfter(9), Is.EqualTo(new WalPosition(1, 100)));
        Assert.That(_ticks.PositionAfter(10), Is.EqualTo(new WalPosition(1, 200)));
        Assert.That(_ticks.PositionAfter(20), Is.Null);
    }

    /// <summary>The header of a page is 24 bytes, of the first of a segment 40.</summary>
    [TestCase(0x16B3748UL, 0x16B3748UL)]
    [TestCase(0x2000000UL + 8192 + 24, 0x2000000UL + 8192)]
    [TestCase(0x3000028UL, 0x3000000UL)]
    [TestCase(0x3000018UL, 0x3000000UL)]
    [TestCase(0x2000000UL + 8192 + 32, 0x2000000UL + 8192 + 32)]
    [TestCase(0x2000000UL + 8192 + 40, 0x2000000UL + 8192 + 40)]
    public void An_insert_position_behind_a_header_is_the_end_of_the_record_in_front_of_it(ulong insert, ulong end) =>
        Assert.That(WalPosition.EndOfRecord(insert, 8192, 16 * 1024 * 1024), Is.EqualTo(end));

    [TestCase(0UL, "0/0")]
    [TestCase(0x16B3748UL, "0/16B3748")]
    [TestCase(0xA00000001UL, "A/1")]
    public void A_position_is_written_as_PostgreSQL_does(ulong lsn, string text)
    {
        Assert.That(WalPosition.Format(lsn), Is.EqualTo(text));
        Assert.That(WalPosition.Parse(text), Is.EqualTo(lsn));
    }

    [TestCase("")]
    [TestCase("16B3748")]
    [TestCase("0/")]
    [TestCase("/1")]
    [TestCase("0/123456789")]
    [TestCase("x/1")]
    public void What_is_no_position_is_not_taken_for_one(string text) => Assert.That(WalPosition.Parse(text), Is.Null);

    private void Add(long stamp, ulong lsn, uint timeline = 1) => _ticks.Add(stamp, new WalPosition(timeline, lsn), _ticks.Generation);

    private long CleanAt(ulong lsn) => _ticks.CleanAt(new WalPosition(1, lsn));
}
