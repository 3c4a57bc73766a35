using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;

namespace PgRouter.Core.Health;

/// <summary>Attempts in a row with one outcome. Times are monotonic, counted from the start of the monitor.</summary>
internal readonly record struct NodeHistory(int Failures, int Successes, TimeSpan FailingSince)
{
    /// <summary>The history after one more attempt, which began at <paramref name="startedAt"/>.</summary>
    public NodeHistory After(bool good, TimeSpan startedAt) => good
        ? new NodeHistory(0, Successes + 1, default)
        : new NodeHistory(Failures + 1, 0, Failures == 0 ? startedAt : FailingSince);
}

/// <summary>
/// Decides what a node's status is. Pure: history and answers in, state out; no clock, no I/O. What nodes may not be together in one
/// view is decided in <see cref="QuarantineRules"/>, at the same swap.
/// </summary>
internal static class HealthPolicy
{
    /// <summary>Good probes in a row that bring a node back from down.</summary>
    public const int ProbesToComeBack = 2;

    /// <summary>Longest pause between probes while no node takes writes, so that a promotion by hand is followed quickly.</summary>
    public static readonly TimeSpan PaceWithoutPrimary = TimeSpan.FromSeconds(1);

    /// <summary>Shortest pause between two probes that faults ask for.</summary>
    public static readonly TimeSpan FaultPace = TimeSpan.FromMilliseconds(200);

    // With both periods off nobody would ever learn a role.
    private static readonly TimeSpan FallbackPeriod = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Have the failures gone on long enough? Yes after 1 + health_check_max_retries of them, and also when another retry would end later
    /// than health_check_timeout + retries x health_check_retry_delay after the first began: a node that hangs must not take a timeout
    /// per retry.
    /// </summary>
    public static bool IsExhausted(NodeHistory history, HealthCheckConfig health, TimeSpan now) =>
        history.Failures > health.MaxRetries || now - history.FailingSince + health.RetryDelay >= Budget(health);

    /// <summary>Time that the next attempt may take: health_check_timeout, or what is left of the check's budget.</summary>
    public static TimeSpan AttemptLimit(NodeHistory history, HealthCheckConfig health, TimeSpan now)
    {
        var limit = ProbeSettings.LimitOf(health);
        if (history.Failures == 0)
            return limit;
        var left = Budget(health) - (now - history.FailingSince);
        return left > TimeSpan.Zero && left < limit ? left : limit;
    }

    /// <summary>The state of a node after an attempt whose outcome is already in <paramref name="history"/>.</summary>
    public static NodeState Decide(
        NodeState state, NodeHistory history, ProbeResult result, HealthCheckConfig health, NodeFlags flags, TimeSpan now)
    {
        var known = Learn(state, result);
        var status = result.IsGood ? AfterSuccess(state.Status, history) : AfterFailure(state.Status, history, health, flags, now);
        if (status == state.Status)
            return status == NodeStatus.Suspect && !result.IsGood ? known with { Reason = result.Reason } : known;
        return known with { Status = status, Reason = result.IsGood ? ComingUp(state.Status, result) : result.Reason };
    }

    /// <summary>A fault that the data plane saw: a node believed up becomes suspect, nothing else changes.</summary>
    public static NodeState Suspect(NodeState state, NodeFault fault) => state.Status is NodeStatus.Up or NodeStatus.Waiting
        ? state with { Status = NodeStatus.Suspect, Reason = NodeFaults.Describe(fault) }
        : state;

    /// <summary>
    /// Pause until the next probe of a node, <paramref name="now"/> after the monitor's start. Ticks are multiples of the periods since
    /// that start, so the nodes are probed together and their positions can be compared.
    /// </summary>
    public static TimeSpan Pause(RouterConfig config, int nodeId, NodeStatus status, NodeHistory history, bool primaryKnown, TimeSpan now)
    {
        var health = config.HealthFor(nodeId);
        if (status == NodeStatus.Down && history.Successes is > 0 and < ProbesToComeBack)
            return health.RetryDelay;
        var pause = UntilTick(health.Period, now);
        pause = Min(pause, UntilTick(config.SrCheckPeriod, now));
        if (pause == TimeSpan.MaxValue)
            pause = UntilTick(FallbackPeriod, now);
        return primaryKnown ? pause : Min(pause, UntilTick(PaceWithoutPrimary, now));
    }

    private static NodeStatus AfterSuccess(NodeStatus status, NodeHistory history) => status switch
    {
        NodeStatus.Waiting or NodeStatus.Suspect or NodeStatus.Quarantine => NodeStatus.Up,
        NodeStatus.Down when history.Successes >= ProbesToComeBack => NodeStatus.Up,
        _ => status,
    };

    private static NodeStatus AfterFailure(NodeStatus status, NodeHistory history, HealthCheckConfig health, NodeFlags flags, TimeSpan now)
    {
        if (status is NodeStatus.Down or NodeStatus.Detached or NodeStatus.Draining)
            return status;
        if (IsExhausted(history, health, now) && !flags.HasFlag(NodeFlags.DisallowToFailover))
            return NodeStatus.Down;
        return status == NodeStatus.Quarantine ? status : NodeStatus.Suspect;
    }

    private static NodeState Learn(NodeState state, ProbeResult result)
    {
        if (!result.IsGood)
            return state with { Reachable = false };
        if (result.Facts is not { } facts)
            return LearnReachable(state);
        return state with
        {
            Reachable = true,
            Role = facts.InRecovery ? NodeRole.Standby : NodeRole.Primary,
            SystemIdentifier = facts.SystemIdentifier,
            Timeline = facts.Timeline,
            Lsn = facts.Lsn,
            ReceiveLsn = facts.ReceiveLsn,
            ReceiverStatus = facts.ReceiverStatus,
            LastReplay = facts.LastReplay,
            ServerVersion = facts.ServerVersion,
            MaxConnections = facts.MaxConnections,
            DefaultTransactionReadOnly = facts.DefaultTransactionReadOnly,
        };
    }

    // A node that stayed up while our login stopped working keeps its role; one that was away may have come back as something else.
    private static NodeState LearnReachable(NodeState state) => state.Status is NodeStatus.Down
        ? state with { Reachable = true, Role = NodeRole.Unknown, Timeline = 0, Lsn = 0 }
        : state with { Reachable = true };

    private static string ComingUp(NodeStatus from, ProbeResult result)
    {
        var word = from switch
        {
            NodeStatus.Waiting => "first probe answered",
            NodeStatus.Suspect => "probe answered",
            _ => "came back",
        };
        return result.Facts is null ? $"{word}, but its role is unknown: {result.Reason}" : word;
    }

    private static TimeSpan Budget(HealthCheckConfig health) => ProbeSettings.LimitOf(health) + health.MaxRetries * health.RetryDelay;

    // A timer may fire a little early; a tick that is this close was just served.
    private static TimeSpan UntilTick(TimeSpan period, TimeSpan now)
    {
        if (period <= TimeSpan.Zero)
            return TimeSpan.MaxValue;
        var pause = new TimeSpan(period.Ticks - now.Ticks % period.Ticks);
        return pause < period / 20 ? pause + period : pause;
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
