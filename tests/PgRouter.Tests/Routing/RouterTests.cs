using NUnit.Framework;
using PgRouter.Core.Cluster;
using PgRouter.Core.Routing;
using PgRouter.Sql;

namespace PgRouter.Tests.Routing;

/// <summary>The ladder of docs/routing.md as a truth table: who decides, and where.</summary>
[TestFixture]
internal sealed class RouterTests
{
    private const ulong PrimaryFailed = 1;
    private const ulong AllFailed = 7;

    private static readonly RouteHint Primary = new() { Primary = true };
    private static readonly RouteHint Standby = new() { Standby = true };
    private static readonly RouteHint Node2 = new() { Node = 2 };
    private static readonly RouteHint Node9 = new() { Node = 9 };

    // The draw of 0.99 falls on the last of the candidates.
    [TestCase(StatementClass.Empty, "- Local")]
    [TestCase(StatementClass.Local, "- Local")]
    [TestCase(StatementClass.State, "2 Balanced")]
    [TestCase(StatementClass.Read, "2 Balanced")]
    [TestCase(StatementClass.Transaction, "0 Transaction")]
    [TestCase(StatementClass.NeedsCatalog, "0 VolatileFunction")]
    [TestCase(StatementClass.PrimaryRead, "0 Catalog")]
    [TestCase(StatementClass.Write, "0 Write")]
    [TestCase(StatementClass.Unknown, "0 Write")]
    public void With_all_nodes_up_the_class_decides(StatementClass statementClass, string expected) =>
        Assert.That(RouteCase.PrimaryAndTwoStandbys().Decide(statementClass, draw: 0.99), Is.EqualTo(expected));

    [TestCase(StatementClass.State)]
    [TestCase(StatementClass.Read)]
    [TestCase(StatementClass.Transaction)]
    [TestCase(StatementClass.NeedsCatalog)]
    [TestCase(StatementClass.PrimaryRead)]
    [TestCase(StatementClass.Write)]
    [TestCase(StatementClass.Unknown)]
    public void A_held_server_decides_for_all_that_is_sent(StatementClass statementClass) =>
        Assert.That(RouteCase.PrimaryAndTwoStandbys().Decide(statementClass, hint: Primary, held: 1), Is.EqualTo("1 Held"));

    [Test]
    public void A_read_of_what_the_catalog_does_not_know_stays_on_the_primary_as_long_as_there_is_one()
    {
        var cluster = RouteCase.PrimaryAndTwoStandbys();
        cluster.IsUncertain = true;
        Assert.That(cluster.Decide(StatementClass.Read, draw: 0.99), Is.EqualTo("0 Catalog"));
        Assert.That(cluster.Decide(StatementClass.Write, draw: 0.99), Is.EqualTo("0 Write"));
        var alone = new RouteCase { IsUncertain = true }.Primary(status: NodeStatus.Down).Standby();
        Assert.That(alone.Decide(StatementClass.Read), Is.EqualTo("1 Balanced"));
    }

    [Test]
    public void A_read_runs_where_it_sees_what_it_must_and_by_reason_of_consistency_on_the_primary_when_no_standby_has_it()
    {
        var cluster = RouteCase.PrimaryAndTwoStandbys();
        cluster.Fresh = [0, 1];
        Assert.That(cluster.Decide(StatementClass.Read, draw: 0.99), Is.EqualTo("1 Balanced"));
        Assert.That(cluster.Decide(StatementClass.Read, hint: Standby, draw: 0.99), Is.EqualTo("1 Hint"));
        Assert.That(cluster.Decide(StatementClass.Read, hint: Node2), Is.EqualTo("0 Hint"));
        cluster.Fresh = [0];
        Assert.That(cluster.Decide(StatementClass.Read, draw: 0.99), Is.EqualTo("0 Consistency"));
        Assert.That(cluster.Decide(StatementClass.Transaction, readOnly: true, draw: 0.99), Is.EqualTo("0 Consistency"));
        Assert.That(cluster.Decide(StatementClass.Read, hint: Standby), Is.EqualTo("0 Hint"));
        Assert.That(cluster.Decide(StatementClass.Write), Is.EqualTo("0 Write"));
    }

    [Test]
    public void Without_a_primary_only_reads_go_on_that_see_what_they_must()
    {
        var cluster = new RouteCase { Fresh = [2] }.Primary(status: NodeStatus.Down).Standby().Standby();
        Assert.That(cluster.Decide(StatementClass.Read), Is.EqualTo("2 Balanced"));
        Assert.That(cluster.Decide(StatementClass.PrimaryRead), Is.EqualTo("2 NoStandby"));
        cluster.Fresh = [];
        Assert.That(cluster.Decide(StatementClass.Read), Is.EqualTo("- NoPrimary"));
        Assert.That(cluster.Decide(StatementClass.PrimaryRead), Is.EqualTo("- NoPrimary"));
    }

    [Test]
    public void What_the_router_answers_itself_does_not_ask_the_held_server() =>
        Assert.That(RouteCase.PrimaryAndTwoStandbys().Decide(StatementClass.Local, held: 1), Is.EqualTo("- Local"));

    [TestCase(StatementClass.State, "2 Balanced")]
    [TestCase(StatementClass.Read, "2 Balanced")]
    [TestCase(StatementClass.Transaction, "- NoPrimary")]
    [TestCase(StatementClass.NeedsCatalog, "1 NoStandby")]
    [TestCase(StatementClass.PrimaryRead, "1 NoStandby")]
    [TestCase(StatementClass.Write, "- NoPrimary")]
    [TestCase(StatementClass.Unknown, "- NoPrimary")]
    public void Without_a_primary_reads_go_on_and_writes_do_not(StatementClass statementClass, string expected)
    {
        var cluster = new RouteCase().Primary(status: NodeStatus.Down).Standby().Standby();
        Assert.That(cluster.Decide(statementClass, draw: 0.99), Is.EqualTo(expected));
    }

    [TestCase(StatementClass.State, "0 NoStandby")]
    [TestCase(StatementClass.Read, "0 NoStandby")]
    [TestCase(StatementClass.Write, "0 Write")]
    public void Without_a_standby_that_serves_the_primary_does(StatementClass statementClass, string expected)
    {
        var cluster = new RouteCase().Primary(weight: 0).Standby(status: NodeStatus.Down).Standby(weight: 0);
        Assert.That(cluster.Decide(statementClass), Is.EqualTo(expected));
    }

    [TestCase(StatementClass.Read)]
    [TestCase(StatementClass.Write)]
    [TestCase(StatementClass.Transaction)]
    public void Without_any_node_nothing_runs(StatementClass statementClass)
    {
        var cluster = new RouteCase().Primary(status: NodeStatus.Down).Standby(status: NodeStatus.Detached)
            .Standby(status: NodeStatus.Quarantine);
        Assert.That(cluster.Decide(statementClass), Is.EqualTo("- NoPrimary"));
        Assert.That(new RouteCase().Decide(statementClass), Is.EqualTo("- NoPrimary"));
    }

    [TestCase(true, "2 Balanced")]
    [TestCase(false, "0 Transaction")]
    public void A_transaction_that_says_READ_ONLY_is_balanced(bool readOnly, string expected) =>
        Assert.That(
            RouteCase.PrimaryAndTwoStandbys().Decide(StatementClass.Transaction, readOnly: readOnly, draw: 0.99), Is.EqualTo(expected));

    [Test]
    public void Without_load_balancing_reads_go_to_the_primary()
    {
        var cluster = RouteCase.PrimaryAndTwoStandbys();
        cluster.Config = cluster.Config with { LoadBalanceMode = false };
        Assert.That(cluster.Decide(StatementClass.Read, draw: 0.99), Is.EqualTo("0 NoStandby"));
        Assert.That(cluster.Decide(StatementClass.Transaction, readOnly: true, draw: 0.99), Is.EqualTo("0 NoStandby"));
    }

    [TestCase(StatementClass.State)]
    [TestCase(StatementClass.Read)]
    [TestCase(StatementClass.NeedsCatalog)]
    [TestCase(StatementClass.PrimaryRead)]
    public void Hints_move_what_only_reads(StatementClass statementClass)
    {
        var cluster = RouteCase.PrimaryAndTwoStandbys();
        Assert.That(cluster.Decide(statementClass, Primary, draw: 0.99), Is.EqualTo("0 Hint"));
        Assert.That(cluster.Decide(statementClass, Standby), Is.EqualTo("1 Hint"));
        Assert.That(cluster.Decide(statementClass, Standby, draw: 0.99), Is.EqualTo("2 Hint"));
        Assert.That(cluster.Decide(statementClass, Node2), Is.EqualTo("2 Hint"));
    }

    [TestCase(StatementClass.Write, "0 Write")]
    [TestCase(StatementClass.Unknown, "0 Write")]
    [TestCase(StatementClass.Transaction, "0 Transaction")]
    public void A_hint_never_sends_a_write_to_a_standby(StatementClass statementClass, string expected)
    {
        var cluster = RouteCase.PrimaryAndTwoStandbys();
        Assert.That(cluster.Decide(statementClass, Standby), Is.EqualTo(expected));
        Assert.That(cluster.Decide(statementClass, Node2), Is.EqualTo(expected));
    }

    [Test]
    public void A_hint_to_a_node_that_is_not_there_sends_a_write_to_the_primary_all_the_same() =>
        Assert.That(RouteCase.PrimaryAndTwoStandbys().Decide(StatementClass.Write, Node9), Is.EqualTo("0 Write"));

    [Test]
    public void Hints_for_consistency_alone_leave_the_choice_of_node_alone() =>
        Assert.That(
            RouteCase.PrimaryAndTwoStandbys().Decide(StatementClass.Read, new RouteHint { Consistency = "eventual" }, draw: 0.99),
            Is.EqualTo("2 Balanced"));

    [TestCase(StatementClass.NeedsCatalog)]
    [TestCase(StatementClass.PrimaryRead)]
    public void A_read_of_the_primary_that_failed_there_runs_on_a_standby(StatementClass statementClass) =>
        Assert.That(RouteCase.PrimaryAndTwoStandbys().Decide(statementClass, excluded: PrimaryFailed), Is.EqualTo("1 NoStandby"));

    [Test]
    public void Balancing_leaves_out_the_nodes_that_failed_this_request()
    {
        var cluster = RouteCase.PrimaryAndTwoStandbys();
        Assert.That(cluster.Decide(StatementClass.Read, excluded: 0b100, draw: 0.99), Is.EqualTo("1 Balanced"));
        Assert.That(cluster.Decide(StatementClass.Read, excluded: 0b110, draw: 0.99), Is.EqualTo("0 Balanced"));
        Assert.That(cluster.Decide(StatementClass.Read, excluded: AllFailed, draw: 0.99), Is.EqualTo("- NoPrimary"));
    }

    [Test]
    public void Only_balanced_decisions_may_move()
    {
        var movable = Enum.GetValues<RouteReason>().Where(reason => new RouteDecision(0, reason).MayMove);
        Assert.That(movable, Is.EqualTo(new[] { RouteReason.Balanced, RouteReason.NoStandby }));
    }

    [Test]
    public void Each_reason_has_one_rule_and_the_order_is_that_of_the_reasons() =>
        Assert.That(Router.Rules.Select(rule => rule.Reason), Is.EqualTo(Enum.GetValues<RouteReason>()));

    [Test]
    public void Deciding_and_finding_a_known_shape_allocate_nothing()
    {
        using var parser = new StatementParser();
        var shapes = new StatementShapes();
        byte[][] texts =
        [
            "SELECT abalance FROM pgbench_accounts WHERE aid = 1"u8.ToArray(), "UPDATE t SET a = a + 1 WHERE b = 'x'"u8.ToArray(),
            "BEGIN"u8.ToArray(), "SELECT f(1)"u8.ToArray(),
        ];
        foreach (var text in texts)
            shapes.Learn(text, true, parser.Analyze(text, true));
        var cluster = RouteCase.PrimaryAndTwoStandbys();
        var (view, config) = (cluster.View(), cluster.Config with { DelayThreshold = 1000 });
        Run(texts.Length);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Run(100_000);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);

        void Run(int count)
        {
            for (var i = 0; i < count; i++)
            {
                var info = shapes.Find(texts[i % texts.Length], true)!;
                Router.Decide(new RouteInput
                {
                    Class = info.Class,
                    Hint = info.Hint,
                    HeldNode = -1,
                    Cluster = view,
                    Config = config,
                    Draw = i / 100_000.0,
                });
            }
        }
    }
}
