using NUnit.Framework;
using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;
using PgRouter.Core.Health;

namespace PgRouter.Tests.Health;

public class HealthPolicyTests
{
    private static readonly HealthCheckConfig Health = new()
    {
        Timeout = TimeSpan.FromSeconds(20),
        MaxRetries = 2,
        RetryDelay = TimeSpan.FromSeconds(1),
    };

    private static readonly ProbeResult Good =
        ProbeResult.Answered(new NodeFacts { InRecovery = true, SystemIdentifier = 7, Timeline = 1, Lsn = 9 });
    private static readonly ProbeResult Bad = ProbeResult.Failed("connection refused");

    /// <summary>Status before, failures or successes in a row with this one, good or bad: status after.</summary>
    [TestCase("Waiting", 1, true, "Up")]
    [TestCase("Up", 1, true, "Up")]
    [TestCase("Suspect", 1, true, "Up")]
    [TestCase("Down", 1, true, "Down")]
    [TestCase("Down", 2, true, "Up")]
    [TestCase("Quarantine", 1, true, "Up")]
    [TestCase("Detached", 9, true, "Detached")]
    [TestCase("Draining", 9, true, "Draining")]
    [TestCase("Waiting", 1, false, "Suspect")]
    [TestCase("Up", 1, false, "Suspect")]
    [TestCase("Suspect", 2, false, "Suspect")]
    [TestCase("Suspect", 3, false, "Down")]
    [TestCase("Quarantine", 1, false, "Quarantine")]
    [TestCase("Quarantine", 3, false, "Down")]
    [TestCase("Down", 4, false, "Down")]
    [TestCase("Detached", 9, false, "Detached")]
    [TestCase("Draining", 9, false, "Draining")]
    public void A_status_follows_from_the_attempts_in_a_row(string before, int inARow, bool good, string after)
    {
        var history = good ? new NodeHistory(0, inARow, default) : new NodeHistory(inARow, 0, TimeSpan.Zero);
        var state = new NodeState { Status = Enum.Parse<NodeStatus>(before) };

        var decided = HealthPolicy.Decide(state, history, good ? Good : Bad, Health, NodeFlags.AllowToFailover, TimeSpan.FromSeconds(2));

        Assert.That(decided.Status, Is.EqualTo(Enum.Parse<NodeStatus>(after)));
        Assert.That(decided.Reachable, Is.EqualTo(good));
    }

    [Test]
    public void A_node_that_may_not_fail_over_stays_suspect()
    {
        var decided = HealthPolicy.Decide(
            new NodeState { Status = NodeStatus.Suspect },
            new NodeHistory(9, 0, default), Bad, Health, NodeFlags.DisallowToFailover, default);
        Assert.That(decided.Status, Is.EqualTo(NodeStatus.Suspect));
    }

    [Test]
    public void A_node_that_hangs_is_given_up_within_the_budget_of_one_check()
    {
        var history = new NodeHistory(2, 0, TimeSpan.FromSeconds(100));
        Assert.That(HealthPolicy.IsExhausted(history, Health, TimeSpan.FromSeconds(120)), Is.False);
        Assert.That(HealthPolicy.AttemptLimit(history, Health, TimeSpan.FromSeconds(121)), Is.EqualTo(TimeSpan.FromSeconds(1)));
        Assert.That(HealthPolicy.IsExhausted(history, Health, TimeSpan.FromSeconds(121)), Is.True);
    }

    [Test]
    public void History_starts_anew_when_the_outcome_changes()
    {
        var failing = default(NodeHistory).After(false, TimeSpan.FromSeconds(5)).After(false, TimeSpan.FromSeconds(6));
        Assert.That(failing, Is.EqualTo(new NodeHistory(2, 0, TimeSpan.FromSeconds(5))));
        Assert.That(failing.After(true, TimeSpan.FromSeconds(7)), Is.EqualTo(new NodeHistory(0, 1, default)));
    }

    [Test]
    public void A_refused_login_is_up_and_keeps_the_role_only_while_the_node_stayed_up()
    {
        var refused = ProbeResult.LoginRefused("no", "28P01");
        var stayed = HealthPolicy.Decide(
            new NodeState { Status = NodeStatus.Up, Role = NodeRole.Primary },
            new NodeHistory(0, 1, default), refused, Health, default, default);
        var back = HealthPolicy.Decide(
            new NodeState { Status = NodeStatus.Down, Role = NodeRole.Primary },
            new NodeHistory(0, 2, default), refused, Health, default, default);
        Assert.That((stayed.Status, stayed.Role), Is.EqualTo((NodeStatus.Up, NodeRole.Primary)));
        Assert.That((back.Status, back.Role), Is.EqualTo((NodeStatus.Up, NodeRole.Unknown)));
    }

    /// <summary>health_check_period, sr_check_period, is a primary known, seconds since start: pause.</summary>
    [TestCase(5, 10, true, 0, 5)]
    [TestCase(5, 10, true, 7, 3)]
    [TestCase(30, 10, true, 1, 9)]
    [TestCase(0, 10, true, 0, 10)]
    [TestCase(0, 0, true, 0, 10)]
    [TestCase(5, 0, true, 0, 5)]
    [TestCase(5, 10, false, 2, 1)]
    public void The_next_tick_is_a_multiple_of_the_shorter_period(int period, int srPeriod, bool primaryKnown, int now, int pause)
    {
        var config = new RouterConfig
        {
            SrCheckPeriod = TimeSpan.FromSeconds(srPeriod),
            HealthCheck = Health with { Period = TimeSpan.FromSeconds(period) },
        };
        Assert.That(
            HealthPolicy.Pause(config, 0, NodeStatus.Up, default, primaryKnown, TimeSpan.FromSeconds(now)),
            Is.EqualTo(TimeSpan.FromSeconds(pause)));
    }

    [TestCase("57P01", false)]
    [TestCase("57P02", false)]
    [TestCase("57P03", false)]
    [TestCase("28P01", true)]
    [TestCase("28000", true)]
    [TestCase("3D000", true)]
    [TestCase("53300", true)]
    public void Only_a_server_that_serves_nobody_fails_at_login(string sqlState, bool good) =>
        Assert.That(ProbeFailure.AtLogin(sqlState, "x").IsGood, Is.EqualTo(good));

    [Test]
    public void Every_fault_has_its_words_and_marks_only_nodes_that_are_up()
    {
        foreach (var (fault, status) in Enum.GetValues<NodeFault>().SelectMany(f => Enum.GetValues<NodeStatus>().Select(s => (f, s))))
        {
            var state = HealthPolicy.Suspect(new NodeState { Status = status }, fault);
            Assert.That(NodeFaults.Describe(fault), Is.Not.Empty);
            Assert.That(state.Status, Is.EqualTo(status is NodeStatus.Up or NodeStatus.Waiting ? NodeStatus.Suspect : status));
        }
    }

    [Test]
    public void The_account_of_the_check_falls_back_to_that_of_sr_check_and_is_never_shown_with_its_password()
    {
        var config = new RouterConfig { SrCheckUser = "sr", SrCheckPassword = "secret", SrCheckDatabase = "d" };
        var settings = ProbeSettings.For(config, 0);
        Assert.That((settings.User, settings.Password, settings.Database), Is.EqualTo(("sr", "secret", "d")));
        Assert.That(settings.ToString(), Does.Not.Contain("secret"));
    }
}
