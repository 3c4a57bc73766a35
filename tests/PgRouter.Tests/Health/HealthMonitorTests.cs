using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;
using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;
using PgRouter.Core.Health;

namespace PgRouter.Tests.Health;

public class HealthMonitorTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RestOfPeriod = 5 * Second - HealthPolicy.FaultPace;
    private readonly Dictionary<int, FakeProbe> _probes = [];
    private ManualTimeProvider _time = new();
    private RouterConfig _config = new();
    private ClusterUpdater _updater = new();
    private HealthMonitor _monitor = null!;

    [SetUp]
    public void Start_two_nodes()
    {
        _config = new RouterConfig
        {
            Nodes = [Node(0), Node(1)],
            SrCheckPeriod = 10 * Second,
            HealthCheck = new HealthCheckConfig { Period = 5 * Second, Timeout = 20 * Second, MaxRetries = 2, RetryDelay = Second },
        };
        _time = new ManualTimeProvider();
        _updater = new ClusterUpdater(_time);
        _monitor = new HealthMonitor(
            _updater, () => _config, _time, NullLoggerFactory.Instance, node => _probes[node.Id] = new FakeProbe());
        _monitor.Start();
    }

    [TearDown]
    public async Task Stop() => await _monitor.DisposeAsync();

    [Test]
    public async Task The_first_good_probe_makes_a_node_up_with_its_role()
    {
        await Answer_the_first_round();
        await Until(view => view.Primary?.Id == 0 && State(1).ReplicationDelayBytes == 59);
        Assert.That((State(0).Status, State(0).Role, State(0).Lsn), Is.EqualTo((NodeStatus.Up, NodeRole.Primary, 100UL)));
        Assert.That(
            (State(1).Status, State(1).Role, State(1).ReplicationState),
            Is.EqualTo((NodeStatus.Up, NodeRole.Standby, "streaming")));
    }

    [Test]
    public async Task A_node_that_hangs_delays_no_other_and_the_first_round_ends_at_its_limit()
    {
        await _probes[0].NextCall();
        await _probes[1].Answer(Standby(1, 40));
        await Until(_ => State(1).Status == NodeStatus.Up);
        var round = _monitor.WaitForFirstRoundAsync(3 * Second);
        Assert.That(round.IsCompleted, Is.False);
        await _time.TimersDueIn(3 * Second, 1);
        _time.Advance(3 * Second);
        await round.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.That(State(0).Status, Is.EqualTo(NodeStatus.Waiting));
    }

    [Test]
    public async Task A_node_goes_down_after_its_retries_and_comes_back_after_two_good_probes()
    {
        await Answer_the_first_round();
        await Tick(RestOfPeriod, loops: 2);
        await _probes[1].Fail();
        await Until(_ => State(1).Status == NodeStatus.Suspect);
        await Tick(Second);
        await _probes[1].Fail();
        await Tick(Second);
        Assert.That(State(1).Status, Is.EqualTo(NodeStatus.Suspect));
        await _probes[1].Fail();
        await Until(_ => State(1).Status == NodeStatus.Down);
        Assert.That(State(1).LastStatusChange, Is.EqualTo(ManualTimeProvider.Start + 7 * Second));
        Assert.That(State(1).Reason, Is.EqualTo("connection refused"));

        await Tick(3 * Second);
        await _probes[1].Answer(Standby(1, 50));
        await Tick(Second);
        Assert.That(State(1).Status, Is.EqualTo(NodeStatus.Down));
        await _probes[1].Answer(Standby(1, 50));
        await Until(_ => State(1).Status == NodeStatus.Up);

        var statistics = _monitor.Statistics()[1];
        Assert.That((statistics.Fail, statistics.Retry, statistics.MaxRetry), Is.EqualTo((1L, 2L, 2L)));
        Assert.That(statistics.MaxDuration, Is.EqualTo(2 * Second));
        Assert.That(statistics.LastFail, Is.EqualTo(ManualTimeProvider.Start + 7 * Second));
    }

    [Test]
    public async Task A_fault_makes_a_node_suspect_and_probes_it_before_the_next_tick()
    {
        await Answer_the_first_round();
        await _time.TimersDueIn(RestOfPeriod, 2);
        _monitor.ReportFault(1, NodeFault.Reset);
        _monitor.ReportFault(1, NodeFault.Refused);
        Assert.That((State(1).Status, State(1).Reason), Is.EqualTo((NodeStatus.Suspect, "connection lost")));
        await Tick(HealthPolicy.FaultPace);
        await _probes[1].Answer(Standby(1, 40));
        await Until(_ => State(1).Status == NodeStatus.Up);
        Assert.DoesNotThrow(() => _monitor.ReportFault(77, NodeFault.Reset));
    }

    [Test]
    public async Task A_promotion_by_hand_is_followed_and_the_old_primary_is_quarantined()
    {
        await Answer_the_first_round();
        await Tick(RestOfPeriod, loops: 2);
        await _probes[1].Answer(Primary(2, 200));
        await Until(view => view.Primary?.Id == 1);
        Assert.That(State(0).Status, Is.EqualTo(NodeStatus.Quarantine));
        await _probes[0].Answer(Primary(1, 9000));
        await Until(_ => State(0).Lsn == 9000);
        Assert.That((State(0).Status, _updater.View.Primary?.Id), Is.EqualTo((NodeStatus.Quarantine, (int?)1)));
    }

    [Test]
    public async Task While_no_node_takes_writes_the_others_are_probed_each_second()
    {
        await _probes[0].Answer(Standby(1, 40));
        await _probes[1].Answer(Standby(1, 40));
        await Until(_ => State(0).Role == NodeRole.Standby && State(1).Role == NodeRole.Standby);
        await Tick(Second, loops: 2);
        await _probes[0].Answer(Primary(2, 200));
        await Until(view => view.Primary?.Id == 0);
    }

    [Test]
    public async Task A_probe_that_throws_is_a_failed_probe_and_the_loop_lives_on()
    {
        (await _probes[0].NextCall()).SetException(new InvalidOperationException("broken probe"));
        await Until(_ => State(0).Status == NodeStatus.Suspect);
        Assert.That(State(0).Reason, Does.Contain("broken probe"));
        await Tick(Second);
        await _probes[0].Answer(Primary(1, 100));
        await Until(_ => State(0).Status == NodeStatus.Up);
    }

    [Test]
    public async Task A_reload_adds_and_removes_nodes()
    {
        await Answer_the_first_round();
        var removed = _probes[1];
        _config = _config with { Nodes = [Node(0), Node(2)] };
        _monitor.Reconfigure();
        await _probes[2].Answer(Standby(1, 100));
        await Until(view => view.Find(1) is null && State(2).Status == NodeStatus.Up);
        Assert.That(State(0).Role, Is.EqualTo(NodeRole.Primary));
        Assert.That(_monitor.Statistics().Select(s => s.NodeId), Is.EqualTo(new[] { 0, 2 }));
        await _monitor.DisposeAsync();
        Assert.That(removed.IsDisposed, Is.True);
    }

    [Test]
    public async Task An_attached_node_is_probed_at_once()
    {
        await Answer_the_first_round();
        await Until(_ => State(1).Status == NodeStatus.Up);
        var operations = new NodeOperations(_updater, _monitor.ProbeNow);
        Assert.That(operations.Detach(1, graceful: false), Is.EqualTo(NodeOperationResult.Done));
        await Tick(RestOfPeriod, loops: 2);
        await _probes[1].Answer(Standby(1, 90));
        await Until(_ => State(1).Lsn == 90);
        Assert.That(State(1).Status, Is.EqualTo(NodeStatus.Detached));
        Assert.That(operations.Attach(1), Is.EqualTo(NodeOperationResult.Done));
        await Tick(HealthPolicy.FaultPace);
        await _probes[1].Answer(Standby(1, 95));
        await Until(_ => State(1).Status == NodeStatus.Up);
    }

    private static NodeConfig Node(int id) => new() { Id = id, Host = "127.0.0.1", Port = 5432 + id, ApplicationName = $"s{id}" };

    private static ProbeResult Primary(uint timeline, ulong lsn) => ProbeResult.Answered(new NodeFacts
    {
        InRecovery = false,
        SystemIdentifier = 7,
        Timeline = timeline,
        Lsn = lsn,
        Replication = [new ReplicationRow { ApplicationName = "s1", State = "streaming", SyncState = "async" }],
    });

    private static ProbeResult Standby(uint timeline, ulong lsn) =>
        ProbeResult.Answered(new NodeFacts { InRecovery = true, SystemIdentifier = 7, Timeline = timeline, Lsn = lsn });

    private NodeState State(int id) => _updater.View.Find(id)!.State;

    // A new primary wakes the loops of the others, so node 1 is probed again after the pace of faults.
    private async Task Answer_the_first_round()
    {
        await _probes[0].Answer(Primary(1, 100));
        await _time.TimersDueIn(5 * Second, 1);
        await _probes[1].Answer(Standby(1, 40));
        await Tick(HealthPolicy.FaultPace);
        await _probes[1].Answer(Standby(1, 41));
        await Until(_ => State(1).Lsn == 41);
    }

    /// <summary>Waits until so many loops wait for this long, then lets the time pass.</summary>
    private async Task Tick(TimeSpan time, int loops = 1)
    {
        await _time.TimersDueIn(time, loops);
        _time.Advance(time);
    }

    private async Task Until(Func<ClusterView, bool> condition)
    {
        var signal = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Look(ClusterView before, ClusterView after)
        {
            if (condition(_updater.View))
                signal.TrySetResult();
        }
        _updater.Changed += Look;
        Look(_updater.View, _updater.View);
        await signal.Task.WaitAsync(TimeSpan.FromSeconds(20));
        _updater.Changed -= Look;
    }
}
