using NUnit.Framework;
using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;
using PgRouter.Core.Routing;
using PgRouter.Core.Telemetry;
using PgRouter.Sql;

namespace PgRouter.Tests.Routing;

/// <summary>Which of the nodes that may serve a read gets it, by each of the policies and settings.</summary>
[TestFixture]
internal sealed class BalancePolicyTests
{
    private static readonly TimeSpan OneSecond = TimeSpan.FromSeconds(1);

    [Test]
    public void Least_in_flight_takes_the_node_with_the_least_under_way()
    {
        var cluster = With(BalancePolicy.LeastInFlight, new(3, 0), new(1, 0), new(2, 0));
        Assert.That(Distribution.Of(cluster), Is.EqualTo(new[] { 0, 100_000, 0 }));
    }

    [Test]
    public void Least_in_flight_measures_by_weight()
    {
        var cluster = new RouteCase().Primary(weight: 0).Standby(weight: 4).Standby(weight: 1);
        cluster.Config = cluster.Config with { BalancePolicy = BalancePolicy.LeastInFlight };
        cluster.Loads = [new(0, 0), new(3, 0), new(1, 0)];
        Assert.That(cluster.Decide(StatementClass.Read), Is.EqualTo("1 Balanced"), "3 of 4 is less than 1 of 1");
        cluster.Loads = [new(0, 0), new(5, 0), new(1, 0)];
        Assert.That(cluster.Decide(StatementClass.Read), Is.EqualTo("2 Balanced"));
    }

    [Test]
    public void Nodes_that_are_equally_busy_share_by_weight()
    {
        var cluster = new RouteCase().Primary(weight: 0).Standby(weight: 3).Standby(weight: 1);
        cluster.Config = cluster.Config with { BalancePolicy = BalancePolicy.LeastInFlight };
        cluster.Loads = [new(0, 0), new(0, 0), new(0, 0)];
        Assert.That(Distribution.ChiSquared(cluster, [0, 3, 1]), Is.LessThan(Distribution.OneDegree));
    }

    [TestCase(10.0, 2.0, 5.0, 0, "1")]
    [TestCase(10.0, 2.0, 5.0, 1, "1")]
    [TestCase(10.0, 2.0, 5.0, 2, "2", Description = "three requests of 2 ms after one another take longer than one of 5 ms")]
    [TestCase(10.0, 2.0, 0.0, 0, "2", Description = "one that is not known yet is tried")]
    public void Lowest_latency_takes_the_node_that_answers_soonest(double first, double second, double third, int inFlight, string expected) =>
        Assert.That(
            With(BalancePolicy.LowestLatency, new(0, first), new(inFlight, second), new(0, third)).Decide(StatementClass.Read),
            Is.EqualTo($"{expected} Balanced"));

    [TestCase(BalancePolicy.LeastInFlight)]
    [TestCase(BalancePolicy.LowestLatency)]
    public void No_policy_chooses_a_node_that_may_not_serve_reads(BalancePolicy policy)
    {
        var cluster = new RouteCase().Primary().Standby(weight: 0).Standby(status: NodeStatus.Down);
        cluster.Config = cluster.Config with { BalancePolicy = policy };
        cluster.Loads = [new(9, 9), new(0, 0), new(0, 0)];
        Assert.That(cluster.Decide(StatementClass.Read), Is.EqualTo("0 Balanced"));
        Assert.That(cluster.Decide(StatementClass.Read, excluded: 1), Is.EqualTo("2 NoStandby").Or.EqualTo("1 NoStandby"));
    }

    [Test]
    public void The_policy_also_chooses_among_the_standbys_that_a_hint_asks_for() => Assert.That(
        With(BalancePolicy.LeastInFlight, new(0, 0), new(2, 0), new(1, 0)).Decide(StatementClass.Read, new RouteHint { Standby = true }),
        Is.EqualTo("2 Hint"));

    [Test]
    public void A_latency_is_smoothed_and_believed_less_when_it_gets_old()
    {
        var gauge = new NodeGauge();
        Assert.That(gauge.LatencyAt(0), Is.Zero);
        gauge.Observe(8, 1000);
        gauge.Observe(16, 1000);
        Assert.That(gauge.LatencyAt(1500), Is.EqualTo(9));
        Assert.That(gauge.LatencyAt(2000), Is.EqualTo(9));
        Assert.That(gauge.LatencyAt(4000), Is.EqualTo(2.25));
    }

    [Test]
    public void A_session_keeps_its_node_as_long_as_that_may_serve_reads()
    {
        var cluster = RouteCase.PrimaryAndTwoStandbys();
        cluster.KeptNode = 2;
        Assert.That(cluster.Decide(StatementClass.Read), Is.EqualTo("2 Balanced"));
        Assert.That(cluster.Decide(StatementClass.Read, excluded: 0b100), Is.EqualTo("0 Balanced"));
        cluster.KeptNode = 9;
        Assert.That(cluster.Decide(StatementClass.Read), Is.EqualTo("0 Balanced"), "one that is not configured any more");
        Assert.That(new RouteCase { KeptNode = 1 }.Primary().Standby(weight: 0).Decide(StatementClass.Read), Is.EqualTo("0 Balanced"));
        Assert.That(new RouteCase { KeptNode = 1 }.Primary().Standby(replication: "catchup").Decide(StatementClass.Read), Is.EqualTo("0 Balanced"));
    }

    [TestCase(0.1, "0 Balanced")]
    [TestCase(0.4, "1 Balanced", Description = "the choice falls on it")]
    [TestCase(0.6, "2 Balanced", Description = "the choice falls on the one too far behind: the standby least behind")]
    [TestCase(0.9, "3 Balanced")]
    public void Prefer_lower_delay_standby_gives_the_reads_of_one_too_far_behind_to_the_one_least_behind(double draw, string expected)
    {
        var cluster = new RouteCase().Primary().Standby(seconds: 0.5).Standby(seconds: 0.1).Standby(seconds: 0.3);
        Prefer(cluster);
        Assert.That(cluster.Decide(StatementClass.Read, draw: draw), Is.EqualTo(expected));

        var delayed = new RouteCase().Primary().Standby(seconds: 0.5).Standby(seconds: 7).Standby(seconds: 0.3);
        Prefer(delayed);
        Assert.That(delayed.Decide(StatementClass.Read, draw: draw), Is.EqualTo(draw == 0.6 ? "3 Balanced" : expected));
    }

    [Test]
    public void Without_it_all_nodes_share_the_reads_of_one_too_far_behind()
    {
        var cluster = new RouteCase().Primary().Standby(seconds: 0.5).Standby(seconds: 7);
        cluster.Config = cluster.Config with { DelayThresholdByTime = OneSecond };
        Assert.That(Distribution.ChiSquared(cluster, [1, 1, 0]), Is.LessThan(Distribution.OneDegree));
        Prefer(cluster);
        Assert.That(Distribution.ChiSquared(cluster, [1, 2, 0]), Is.LessThan(Distribution.OneDegree));
    }

    [Test]
    public void A_kept_or_preferred_node_too_far_behind_gives_way_to_the_one_least_behind()
    {
        var cluster = new RouteCase { KeptNode = 1 }.Primary().Standby(seconds: 7).Standby(seconds: 0.5).Standby(seconds: 0.2);
        Prefer(cluster);
        Assert.That(cluster.Decide(StatementClass.Read), Is.EqualTo("3 Balanced"));
        (cluster.KeptNode, cluster.Preference) = (null, new NodePreference(PreferredKind.Node, 1, 1));
        Assert.That(cluster.Decide(StatementClass.Read), Is.EqualTo("3 List"));
    }

    [Test]
    public void When_every_standby_is_too_far_behind_the_primary_reads()
    {
        var cluster = new RouteCase().Primary().Standby(seconds: 7).Standby(seconds: null);
        Prefer(cluster);
        Assert.That(cluster.Decide(StatementClass.Read, draw: 0.9), Is.EqualTo("0 Balanced"));
    }

    [TestCase(null, "2")]
    [TestCase(300, "2")]
    [TestCase(100, "0", Description = "no standby keeps it")]
    [TestCase(0, "0")]
    public void Max_lag_of_a_hint_leaves_out_what_is_further_behind(int? milliseconds, string expected)
    {
        var cluster = new RouteCase().Primary().Standby(seconds: null).Standby(seconds: 0.2);
        var hint = milliseconds is { } ms ? new RouteHint { MaxLag = TimeSpan.FromMilliseconds(ms) } : null;
        Assert.That(cluster.Decide(StatementClass.Read, hint, draw: 0.99), Is.EqualTo($"{expected} Balanced"));
        cluster.SessionHint = hint;
        Assert.That(cluster.Decide(StatementClass.Read, draw: 0.99), Is.EqualTo($"{expected} Balanced"), "of the session");
    }

    [Test]
    public void The_stricter_of_threshold_and_max_lag_counts_and_a_hint_before_the_session()
    {
        var cluster = new RouteCase().Primary().Standby(seconds: 0.5);
        cluster.Config = cluster.Config with { DelayThresholdByTime = TimeSpan.FromMilliseconds(100) };
        Assert.That(cluster.Decide(StatementClass.Read, new RouteHint { MaxLag = OneSecond }, draw: 0.99), Is.EqualTo("0 Balanced"));
        cluster.Config = cluster.Config with { DelayThresholdByTime = TimeSpan.Zero };
        cluster.SessionHint = new RouteHint { MaxLag = TimeSpan.FromMilliseconds(100) };
        Assert.That(cluster.Decide(StatementClass.Read, new RouteHint { MaxLag = OneSecond }, draw: 0.99), Is.EqualTo("1 Balanced"));
    }

    [Test]
    public void Max_lag_bounds_what_a_hint_for_a_standby_or_a_node_may_choose()
    {
        var cluster = new RouteCase().Primary().Standby(seconds: 0.5).Standby(seconds: 0.1);
        var lag = TimeSpan.FromMilliseconds(200);
        Assert.That(cluster.Decide(StatementClass.Read, new RouteHint { Standby = true, MaxLag = lag }), Is.EqualTo("2 Hint"));
        Assert.That(cluster.Decide(StatementClass.Read, new RouteHint { Node = 2, MaxLag = lag }), Is.EqualTo("2 Hint"));
        Assert.That(cluster.Decide(StatementClass.Read, new RouteHint { Node = 1, MaxLag = lag }), Is.EqualTo("- Hint"));
        Assert.That(cluster.Decide(StatementClass.Read, new RouteHint { Node = 0, MaxLag = lag }), Is.EqualTo("0 Hint"));
    }

    [Test]
    public void A_place_said_for_the_session_counts_until_a_comment_says_another()
    {
        var cluster = RouteCase.PrimaryAndTwoStandbys();
        cluster.SessionHint = new RouteHint { Standby = true };
        Assert.That(cluster.Decide(StatementClass.Read), Is.EqualTo("1 Hint"));
        Assert.That(cluster.Decide(StatementClass.Write), Is.EqualTo("0 Write"));
        Assert.That(cluster.Decide(StatementClass.Transaction), Is.EqualTo("0 Transaction"));
        Assert.That(cluster.Decide(StatementClass.Transaction, readOnly: true), Is.EqualTo("1 Hint"));
        Assert.That(cluster.Decide(StatementClass.Read, new RouteHint { Primary = true }), Is.EqualTo("0 Hint"));
        Assert.That(cluster.Decide(StatementClass.Read, new RouteHint { MaxLag = OneSecond }), Is.EqualTo("1 Hint"));
        Assert.That(cluster.Decide(StatementClass.Read, new RouteHint { Auto = true }), Is.EqualTo("0 Balanced"));
    }

    private static RouteCase With(BalancePolicy policy, params NodeLoad[] loads)
    {
        var cluster = RouteCase.PrimaryAndTwoStandbys();
        cluster.Config = cluster.Config with { BalancePolicy = policy };
        cluster.Loads = loads;
        return cluster;
    }

    private static void Prefer(RouteCase cluster) =>
        cluster.Config = cluster.Config with { DelayThresholdByTime = OneSecond, PreferLowerDelayStandby = true };
}
