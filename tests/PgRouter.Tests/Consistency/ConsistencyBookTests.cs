using System.Collections.Immutable;
using NUnit.Framework;
using PgRouter.Core.Catalog;
using PgRouter.Core.Cluster;
using PgRouter.Core.Consistency;

namespace PgRouter.Tests.Consistency;

/// <summary>Which nodes have what a read must see: a primary (0) and two standbys (1 and 2).</summary>
[TestFixture]
public sealed class ConsistencyBookTests
{
    private static readonly TableSet T = TableSet.Of([1]);
    private static readonly TableSet U = TableSet.Of([2]);

    private ConsistencyBook _book = null!;
    private TableClock _clock = null!;
    private int _asked;

    [SetUp]
    public void Create()
    {
        _book = new ConsistencyBook { Wake = () => _asked++ };
        _clock = _book.ClockOf("d");
        _asked = 0;
    }

    [Test]
    public void At_the_start_only_the_primary_counts()
    {
        Assert.That(Fresh(T), Is.EqualTo("0"));
        Assert.That(_book.IsWanted);
    }

    [Test]
    public void A_standby_that_has_replayed_a_position_of_after_the_start_serves_reads()
    {
        Replay(1, ConsistencyBook.Now);
        Assert.That(Fresh(T), Is.EqualTo("01"));
    }

    [Test]
    public void A_write_keeps_reads_of_its_tables_from_standbys_until_they_have_it()
    {
        Replay(1, ConsistencyBook.Now);
        Replay(2, ConsistencyBook.Now);
        _book.TakeWish();
        _book.Mark(_clock, T);
        Assert.That((Fresh(T), Fresh(U), Fresh(TableSet.All)), Is.EqualTo(("0", "012", "0")));
        Assert.That((_book.IsWanted, _asked), Is.EqualTo((true, 1)));
        Replay(2, ConsistencyBook.Now);
        Assert.That((Fresh(T), Fresh(TableSet.All)), Is.EqualTo(("02", "02")));
    }

    [Test]
    public void A_position_asked_before_a_write_does_not_cover_it()
    {
        var before = ConsistencyBook.Now;
        _book.Mark(_clock, T);
        Replay(1, before);
        Assert.That(Fresh(T), Is.EqualTo("0"));
    }

    [Test]
    public void What_cannot_be_known_concerns_every_table_of_its_database_alone()
    {
        Replay(1, ConsistencyBook.Now);
        _book.Mark(_clock, TableSet.All);
        Assert.That((Fresh(T), Fresh(TableSet.Nothing)), Is.EqualTo(("0", "0")));
        Assert.That(Fresh(T, _book.ClockOf("other")), Is.EqualTo("01"));
    }

    [Test]
    public void DDL_concerns_every_database()
    {
        Replay(1, ConsistencyBook.Now);
        _book.MarkAll();
        Assert.That((Fresh(T), Fresh(T, _book.ClockOf("other"))), Is.EqualTo(("0", "0")));
    }

    [Test]
    public void Another_primary_begins_anew()
    {
        var early = ConsistencyBook.Now;
        Replay(1, early);
        _book.BeginEpoch();
        Assert.That(Fresh(T), Is.EqualTo("0"));
        Replay(1, early); // An answer of before.
        Assert.That(Fresh(T), Is.EqualTo("0"));
        Replay(1, ConsistencyBook.Now);
        Assert.That(Fresh(T), Is.EqualTo("01"));
    }

    [Test]
    public void What_a_session_has_seen_it_sees_on_the_same_node_and_where_it_has_been_replayed()
    {
        Replay(1, ConsistencyBook.Now);
        Replay(2, ConsistencyBook.Now);
        var floor = ConsistencyBook.Now;
        Assert.That(Fresh(T, floor: floor, floorNode: 1), Is.EqualTo("01"));
        Assert.That(Fresh(T, floor: floor, floorNode: 0), Is.EqualTo("0"));
        Replay(2, ConsistencyBook.Now);
        Assert.That(Fresh(T, floor: floor, floorNode: 0), Is.EqualTo("02"));
    }

    [Test]
    public void A_standby_must_have_replayed_the_position_of_a_token()
    {
        Replay(1, ConsistencyBook.Now, lsn: 0x100);
        Replay(2, ConsistencyBook.Now, lsn: 0x200);
        Assert.That(Fresh(T, minLsn: "0/101"), Is.EqualTo("02"));
        Assert.That(Fresh(T, minLsn: "1:0/200"), Is.EqualTo("02"));
        Assert.That(Fresh(T, minLsn: "2:0/100"), Is.EqualTo("012"));
        Assert.That(Fresh(T, minLsn: "3:0/100"), Is.EqualTo("0"), "of a timeline that is still to come");
    }

    [Test]
    public void A_connection_that_is_lost_leaves_a_standby_with_nothing()
    {
        Replay(1, ConsistencyBook.Now);
        _book.NodeOf(1).Forget();
        Assert.That(Fresh(T), Is.EqualTo("0"));
    }

    [Test]
    public void A_commit_without_an_answer_counts_at_every_moment_until_its_process_is_gone()
    {
        _book.MarkLost(_clock, T, serverPid: 77);
        Replay(1, ConsistencyBook.Now);
        Assert.That(_book.Lost.Settle([77], [77], ConsistencyBook.Now));
        Assert.That(Fresh(T), Is.EqualTo("0"));
        Replay(1, ConsistencyBook.Now);
        Assert.That(_book.Lost.Settle([77], [], ConsistencyBook.Now), Is.False);
        Assert.That(Fresh(T), Is.EqualTo("0"), "it may have committed just before");
        Replay(1, ConsistencyBook.Now);
        Assert.That(Fresh(T), Is.EqualTo("01"));
    }

    [Test]
    public void A_commit_under_way_may_have_been_seen()
    {
        _clock.Enter(T);
        Assert.That((_clock.IsInFlight(T), _clock.IsInFlight(U), _clock.IsInFlight(TableSet.All)), Is.EqualTo((true, false, true)));
        _clock.Enter(TableSet.All);
        Assert.That(_clock.IsInFlight(U));
        _clock.Leave(TableSet.All);
        _clock.Leave(T);
        Assert.That((_clock.IsInFlight(T), _clock.IsInFlight(TableSet.All)), Is.EqualTo((false, false)));
    }

    [Test]
    public void Writers_of_many_tables_lose_no_mark()
    {
        var last = new long[8];
        Parallel.For(0, 8, writer =>
        {
            for (var i = 0; i < 20_000; i++)
                last[writer] = _book.Mark(_clock, TableSet.Of([(uint)(i % 100), (uint)writer + 1000]));
        });
        for (var writer = 0; writer < 8; writer++)
            Assert.That(_clock.StampOf((uint)writer + 1000), Is.GreaterThanOrEqualTo(last[writer]));
        Assert.That(_clock.StampOf(TableSet.All), Is.EqualTo(last.Max()));
    }

    private void Replay(int node, long clean, ulong lsn = 1) => _book.NodeOf(node).Note(clean, new WalPosition(2, lsn), ConsistencyBook.Now);

    private string Fresh(TableSet reads, TableClock? clock = null, long floor = 0, int floorNode = -1, string? minLsn = null)
    {
        var needed = Math.Max(_book.Epoch, (clock ?? _clock).StampOf(reads));
        var fresh = _book.FreshNodes(View(), needed, floor, floorNode, minLsn is null ? null : WalPosition.ParseToken(minLsn));
        return string.Concat(Enumerable.Range(0, 3).Where(index => (fresh & (1UL << index)) != 0));
    }

    private static ClusterView View()
    {
        var nodes = Enumerable.Range(0, 3).Select(id => new NodeView(
            id, new NodeConfig { Id = id, Host = "h", Port = id }, new NodeState { Status = NodeStatus.Up, Role = id == 0 ? NodeRole.Primary : NodeRole.Standby }));
        return new ClusterView(nodes.ToImmutableArray(), 0, 1);
    }
}
