using NUnit.Framework;
using PgRouter.Core.Cluster;
using PgRouter.Core.Health;

namespace PgRouter.Tests.Health;

public class ReplicationPositionsTests
{
    private ReplicationPositions _positions = new();

    [SetUp]
    public void Forget_everything() => _positions = new ReplicationPositions();

    [Test]
    public void Positions_of_one_round_give_a_delay()
    {
        var state = Figure(
            primaryAt: 10.0, standbyAt: 10.5,
            new ReplicationRow { ApplicationName = "a", State = "streaming", SentLsn = 9, ReplayLsn = 4 });
        Assert.That(
            (state.ReplicationDelayBytes, state.ReplicationDelayTime, state.ReplicationState),
            Is.EqualTo((60L, (TimeSpan?)null, "streaming")));
    }

    [Test]
    public void Positions_of_two_rounds_change_nothing()
    {
        var state = Figure(primaryAt: 10, standbyAt: 15, new ReplicationRow { ApplicationName = "a", State = "streaming" });
        Assert.That((state.ReplicationDelayBytes, state.ReplicationState),
            Is.EqualTo(((long?)null, "")));
    }

    [Test]
    public void A_standby_that_caught_up_has_no_lag_though_PostgreSQL_shows_none()
    {
        var state = Figure(10, 10, new ReplicationRow { ApplicationName = "a", State = "streaming", SentLsn = 9, ReplayLsn = 9 });
        Assert.That(state.ReplicationDelayTime, Is.EqualTo(TimeSpan.Zero));
    }

    [Test]
    public void A_standby_without_a_row_has_bytes_but_no_time_and_no_state()
    {
        var state = Figure(10, 10, new ReplicationRow { ApplicationName = "other", State = "streaming", ReplayLag = TimeSpan.Zero });
        Assert.That(
            (state.ReplicationDelayBytes, state.ReplicationDelayTime, state.ReplicationState),
            Is.EqualTo((60L, (TimeSpan?)null, "")));
    }

    [Test]
    public void A_row_is_found_by_slot_then_by_name_then_by_address()
    {
        var node = new NodeConfig { Id = 1, Host = "h", Port = 1 };
        var bySlot = new ReplicationRow { Slot = "s" };
        var byName = new ReplicationRow { ApplicationName = "n" };
        var byAddress = new ReplicationRow { ClientAddress = "10.0.0.1" };
        var facts = new NodeFacts { InRecovery = true, ReceiverSlot = "s", ReceiverApplicationName = "n", ServerAddress = "10.0.0.1" };
        Assert.That(StandbyMatcher.Find(node, facts, [byAddress, byName, bySlot], []), Is.SameAs(bySlot));
        Assert.That(StandbyMatcher.Find(node, facts, [byAddress, byName], []), Is.SameAs(byName));
        Assert.That(StandbyMatcher.Find(node, facts, [byAddress], []), Is.SameAs(byAddress));
    }

    [Test]
    public void What_two_standbys_share_identifies_neither()
    {
        var node = new NodeConfig { Id = 1, Host = "h", Port = 1 };
        var facts = new NodeFacts { InRecovery = true, ReceiverApplicationName = "walreceiver", ServerAddress = "127.0.0.1" };
        var row = new ReplicationRow { ApplicationName = "walreceiver", ClientAddress = "127.0.0.1" };
        Assert.That(StandbyMatcher.Find(node, facts, [row, row], []), Is.Null);
        Assert.That(StandbyMatcher.Find(node, facts, [row], [facts]), Is.Null);
        Assert.That(StandbyMatcher.Find(node, facts, [row], []), Is.SameAs(row));
    }

    private NodeState Figure(double primaryAt, double standbyAt, ReplicationRow row)
    {
        _positions.Record(0, new NodeFacts { InRecovery = false, Lsn = 100, Replication = [row] }, TimeSpan.FromSeconds(primaryAt));
        _positions.Record(1, new NodeFacts { InRecovery = true, Lsn = 40 }, TimeSpan.FromSeconds(standbyAt));
        var primary = new NodeView(
            0,
            new NodeConfig { Id = 0, Host = "h", Port = 1 },
            new NodeState { Role = NodeRole.Primary, Reachable = true });
        var standby = new NodeView(
            1,
            new NodeConfig { Id = 1, Host = "h", Port = 2, ApplicationName = "a" },
            new NodeState { Role = NodeRole.Standby, Reachable = true });
        return _positions.Figure(new ClusterView([primary, standby], 0, 1), standby);
    }
}
