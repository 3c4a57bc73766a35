using NUnit.Framework;
using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;
using PgRouter.Core.Routing;
using PgRouter.Sql;

namespace PgRouter.Tests.Routing;

/// <summary>pgpool's lists on the ladder: what they name runs on the primary, and clients prefer the nodes that they are given.</summary>
[TestFixture]
internal sealed class ListRuleTests
{
    private static readonly NodePreference ToPrimary = new(PreferredKind.Primary, -1, 1);
    private static readonly NodePreference ToStandby = new(PreferredKind.Standby, -1, 1);
    private static readonly NodePreference ToNode2 = new(PreferredKind.Node, 2, 1);

    private readonly RouteCase _case = RouteCase.PrimaryAndTwoStandbys();

    [TestCase(StatementClass.Read, "0 List")]
    [TestCase(StatementClass.State, "0 List")]
    [TestCase(StatementClass.NeedsCatalog, "0 VolatileFunction")]
    [TestCase(StatementClass.Write, "0 Write")]
    public void What_a_list_names_runs_on_the_primary(StatementClass statementClass, string expected)
    {
        _case.IsListed = true;
        Assert.That(_case.Decide(statementClass, draw: 0.99), Is.EqualTo(expected));
        _case.IsListed = false;
    }

    [Test]
    public void A_hint_counts_before_the_lists() => Assert.That(
        With(ToPrimary, listed: true).Decide(StatementClass.Read, new RouteHint { Node = 2 }), Is.EqualTo("2 Hint"));

    [Test]
    public void What_is_listed_and_has_no_primary_runs_on_a_standby()
    {
        var cluster = new RouteCase { IsListed = true }.Primary(status: NodeStatus.Down).Standby();
        Assert.That(cluster.Decide(StatementClass.Read), Is.EqualTo("1 Balanced"));
    }

    [Test]
    public void A_redirect_moves_reads_and_nothing_else()
    {
        Assert.That(With(ToNode2).Decide(StatementClass.Read), Is.EqualTo("2 List"));
        Assert.That(With(ToNode2).Decide(StatementClass.Transaction, readOnly: true), Is.EqualTo("2 List"));
        Assert.That(With(ToPrimary).Decide(StatementClass.Read, draw: 0.99), Is.EqualTo("0 List"));
        Assert.That(With(ToStandby).Decide(StatementClass.Read), Is.EqualTo("1 List"));
        Assert.That(With(ToNode2).Decide(StatementClass.Write), Is.EqualTo("0 Write"));
        Assert.That(With(ToNode2).Decide(StatementClass.Transaction), Is.EqualTo("0 Transaction"));
        Assert.That(With(ToNode2).Decide(StatementClass.PrimaryRead), Is.EqualTo("0 Catalog"));
    }

    [Test]
    public void Without_load_balancing_there_is_no_redirect()
    {
        var cluster = With(ToNode2);
        cluster.Config = cluster.Config with { LoadBalanceMode = false };
        Assert.That(cluster.Decide(StatementClass.Read), Is.EqualTo("0 NoStandby"));
    }

    [Test]
    public void A_preferred_node_needs_no_weight_but_must_be_fit()
    {
        var cluster = new RouteCase { Preference = ToNode2 }.Primary().Standby().Standby(weight: 0);
        Assert.That(cluster.Decide(StatementClass.Read), Is.EqualTo("2 List"));
        Assert.That(cluster.Decide(StatementClass.Read, excluded: 0b100), Is.EqualTo("0 Balanced"));
        cluster = new RouteCase { Preference = ToNode2 }.Primary().Standby().Standby(status: NodeStatus.Suspect);
        Assert.That(cluster.Decide(StatementClass.Read), Is.EqualTo("0 Balanced"));
        cluster = new RouteCase { Preference = ToStandby }.Primary().Standby(status: NodeStatus.Down);
        Assert.That(cluster.Decide(StatementClass.Read), Is.EqualTo("0 Balanced"));
    }

    // The draw decides about the ratio, and what is left of it about the rest.
    [TestCase(PreferredKind.Node, 0.25, 0.2, "2 List")]
    [TestCase(PreferredKind.Node, 0.25, 0.25, "0 List")]
    [TestCase(PreferredKind.Node, 0.25, 0.6, "0 List")]
    [TestCase(PreferredKind.Node, 0.25, 0.7, "1 List")]
    [TestCase(PreferredKind.Node, 0.0, 0.0, "0 List")]
    [TestCase(PreferredKind.Standby, 0.5, 0.2, "1 List")]
    [TestCase(PreferredKind.Standby, 0.5, 0.4, "2 List")]
    [TestCase(PreferredKind.Standby, 0.5, 0.6, "0 List", Description = "the rest goes to the primary")]
    [TestCase(PreferredKind.Primary, 0.5, 0.4, "0 List")]
    [TestCase(PreferredKind.Primary, 0.5, 0.6, "1 List")]
    [TestCase(PreferredKind.Primary, 0.5, 0.9, "2 List")]
    public void A_ratio_sends_that_part_there_and_the_rest_elsewhere(PreferredKind kind, double ratio, double draw, string expected) =>
        Assert.That(With(new NodePreference(kind, 2, ratio)).Decide(StatementClass.Read, draw: draw), Is.EqualTo(expected));

    [TestCase(0.3)]
    [TestCase(0.75)]
    public void Over_100_000_reads_a_node_gets_its_ratio(double ratio)
    {
        var cluster = With(new NodePreference(PreferredKind.Node, 1, ratio));
        double[] shares = [(1 - ratio) / 2, ratio, (1 - ratio) / 2];
        Assert.That(Distribution.ChiSquared(cluster, shares), Is.LessThan(Distribution.TwoDegrees));
    }

    [Test]
    public void A_session_that_keeps_its_node_keeps_a_preferred_one_too()
    {
        var cluster = new RouteCase { Preference = new NodePreference(PreferredKind.Node, 2, 0.5), KeptNode = 2 }.Primary().Standby().Standby(weight: 0);
        Assert.That(cluster.Decide(StatementClass.Read, draw: 0.99), Is.EqualTo("2 List"));
        cluster.KeptNode = 1;
        Assert.That(cluster.Decide(StatementClass.Read), Is.EqualTo("1 List"));
    }

    private static RouteCase With(NodePreference preference, bool listed = false)
    {
        var cluster = RouteCase.PrimaryAndTwoStandbys();
        (cluster.Preference, cluster.IsListed) = (preference, listed);
        return cluster;
    }
}
