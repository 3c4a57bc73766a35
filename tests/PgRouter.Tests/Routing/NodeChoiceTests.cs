using NUnit.Framework;
using PgRouter.Core.Cluster;
using PgRouter.Core.Routing;
using PgRouter.Sql;

namespace PgRouter.Tests.Routing;

[TestFixture]
internal sealed class NodeChoiceTests
{
    [TestCase(NodeStatus.Waiting, true)]
    [TestCase(NodeStatus.Up, true)]
    [TestCase(NodeStatus.Suspect, false)]
    [TestCase(NodeStatus.Down, false)]
    [TestCase(NodeStatus.Draining, false)]
    [TestCase(NodeStatus.Detached, false)]
    [TestCase(NodeStatus.Quarantine, false)]
    public void Only_nodes_believed_up_serve_reads(NodeStatus status, bool expected) =>
        Assert.That(IsEligible(new RouteCase().Standby(status: status)), Is.EqualTo(expected));

    [TestCase("streaming", true)]
    [TestCase("catchup", false)]
    [TestCase("startup", false)]
    [TestCase("", true, Description = "nobody could say")]
    public void A_standby_that_the_primary_calls_anything_but_streaming_is_out(string replication, bool expected) =>
        Assert.That(IsEligible(new RouteCase().Standby(replication: replication)), Is.EqualTo(expected));

    [TestCase(0L, 0L, true)]
    [TestCase(1_000_000L, 0L, true, Description = "no threshold")]
    [TestCase(1000L, 1000L, true)]
    [TestCase(1001L, 1000L, false)]
    [TestCase(null, 1000L, false, Description = "unknown lag with a threshold")]
    [TestCase(null, 0L, true)]
    public void Delay_threshold_in_bytes(long? delay, long threshold, bool expected)
    {
        var cluster = new RouteCase().Standby(bytes: delay);
        cluster.Config = cluster.Config with { DelayThreshold = threshold };
        Assert.That(IsEligible(cluster), Is.EqualTo(expected));
    }

    [TestCase(9.0, 0, true, Description = "no threshold")]
    [TestCase(2.0, 2, true)]
    [TestCase(2.001, 2, false)]
    [TestCase(null, 2, false, Description = "unknown lag with a threshold")]
    [TestCase(null, 0, true)]
    public void Delay_threshold_by_time(double? delay, int threshold, bool expected)
    {
        var cluster = new RouteCase().Standby(seconds: delay);
        cluster.Config = cluster.Config with { DelayThresholdByTime = TimeSpan.FromSeconds(threshold) };
        Assert.That(IsEligible(cluster), Is.EqualTo(expected));
    }

    [Test]
    public void Both_thresholds_must_hold()
    {
        var cluster = new RouteCase().Standby(bytes: 2000, seconds: 1);
        cluster.Config = cluster.Config with { DelayThreshold = 1000, DelayThresholdByTime = TimeSpan.FromSeconds(5) };
        Assert.That(IsEligible(cluster), Is.False);
    }

    [Test]
    public void The_primary_has_no_lag_and_a_node_of_unknown_role_serves_no_reads()
    {
        var primary = new RouteCase().Primary();
        primary.Config = primary.Config with { DelayThreshold = 1, DelayThresholdByTime = TimeSpan.FromSeconds(1) };
        Assert.That(IsEligible(primary), Is.True);
        Assert.That(IsEligible(new RouteCase().Unknown()), Is.False);
    }

    [TestCase(0)]
    [TestCase(-1)]
    public void Weight_zero_is_never_for_reads(double weight) => Assert.That(IsEligible(new RouteCase().Standby(weight)), Is.False);

    [TestCase(1, 1, 1)]
    [TestCase(0, 1, 3)]
    [TestCase(0.5, 0.3, 0.2)]
    [TestCase(5, 0, 1)]
    public void Over_100_000_reads_each_node_gets_the_share_of_its_weight(double first, double second, double third)
    {
        var cluster = new RouteCase().Primary(first).Standby(second).Standby(third);
        Assert.That(Distribution.ChiSquared(cluster, [first, second, third]), Is.LessThan(Distribution.TwoDegrees));
    }

    [TestCase(0.0, 0)]
    [TestCase(0.333, 0)]
    [TestCase(0.334, 1)]
    [TestCase(0.999, 2)]
    [TestCase(0.9999999999999999, 2)]
    public void Every_draw_falls_on_a_node(double draw, int expected) =>
        Assert.That(NodeChoice.ForRead(RouteCase.PrimaryAndTwoStandbys().Input(StatementClass.Read, draw: draw)), Is.EqualTo(expected));

    [Test]
    public void A_standby_is_chosen_among_standbys_only()
    {
        Assert.That(NodeChoice.ForReadOnStandby(RouteCase.PrimaryAndTwoStandbys().Input(StatementClass.Read)), Is.EqualTo(1));
        Assert.That(NodeChoice.ForReadOnStandby(new RouteCase().Primary().Input(StatementClass.Read)), Is.EqualTo(-1));
    }

    [Test]
    public void A_node_is_found_by_its_id_when_it_is_usable()
    {
        var cluster = new RouteCase().Primary().Standby(status: NodeStatus.Down).Standby(status: NodeStatus.Suspect, weight: 0);
        Assert.That(NodeChoice.ById(cluster.Input(StatementClass.Read), 1), Is.EqualTo(-1));
        Assert.That(NodeChoice.ById(cluster.Input(StatementClass.Read), 2), Is.EqualTo(2));
        Assert.That(NodeChoice.ById(cluster.Input(StatementClass.Read), 3), Is.EqualTo(-1));
    }

    [Test]
    public void When_nothing_is_eligible_any_usable_node_will_do_suspects_last()
    {
        var cluster = new RouteCase().Standby(status: NodeStatus.Suspect).Standby(weight: 0).Standby(status: NodeStatus.Down);
        Assert.That(NodeChoice.AnyUsable(cluster.Input(StatementClass.Read)), Is.EqualTo(1));
        Assert.That(NodeChoice.AnyUsable(cluster.Input(StatementClass.Read, excluded: 0b010)), Is.Zero);
        Assert.That(NodeChoice.AnyUsable(cluster.Input(StatementClass.Read, excluded: 0b011)), Is.EqualTo(-1));
    }

    private static bool IsEligible(RouteCase cluster) => NodeChoice.ForRead(cluster.Input(StatementClass.Read)) == 0;
}
