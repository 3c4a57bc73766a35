using PgRouter.Core.Catalog;
using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;
using PgRouter.Core.Health;
using PgRouter.Core.Pooling;
using PgRouter.Core.Routing;
using PgRouter.Core.Servers;
using PgRouter.Core.Telemetry;
using PgRouter.Core.Transport;
using PgRouter.Protocol;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>From a request to a server and back: the route, the lease, bringing the server up to date, losing it, giving it back.</summary>
internal sealed partial class ClientSession
{
    private static readonly TimeSpan SynchronizeTimeout = TimeSpan.FromSeconds(30);
    /// <summary>Servers with other clients' settings that may refuse this client's before it is told.</summary>
    private const int MostRefusals = 8;

    private static readonly TimeSpan HoldPollInterval = TimeSpan.FromMilliseconds(100);

    private readonly PoolWaiter _waiter;
    private ServerLease? _lease;
    private bool _leaseIsFresh;
    private RouteDecision _decision;

    /// <summary>Nothing has been sent since the last decision.</summary>
    private bool _isRoutedAnew;

    /// <summary>Why the last request went where it did.</summary>
    private RouteReason _reason;
    private NodeCounters? _nodeCounters;
    private ServerPool?[] _pools = [];
    private Dictionary<int, ServerLease>? _kept;
    private PendingRequest _pending;
    private ulong _excludedNodes;

    // The request was lost with its server and runs again on the same node, as there is no other.
    private bool _ranAgainAlone;
    private string _lossReason = "";
    private NodeFault? _lossFault = NodeFault.Reset;
    private ErrorMessage? _lossError;
    private ErrorMessage? _farewell;
    private ErrorMessage? _pendingLoss;
    private int _lastReadNodeId = -1;

    /// <summary>Continue = a server is held for this request; Wait = replies must come first; Acquire = go and wait for one (or for an error).</summary>
    private Step Obtain(StatementClass statementClass, RouteHint? hint, bool beginsReadOnly, SessionEffects effects, RequestMarks marks = RequestMarks.None)
    {
        _requestHint = hint;
        if (_pendingLoss is null && _lease is { } lease)
        {
            if (_cancelsPending)
                return Step.Acquire;
            if (_leaseIsFresh)
            {
                _leaseIsFresh = false;
                return Step.Continue;
            }
            if (LeavesStandby(lease))
            {
                _pending = new PendingRequest(statementClass, hint, BeginsReadOnly: false, effects);
                return lease.Server.Owed.Count > 0 ? Step.Wait : Step.Acquire;
            }
            if (_blockOnStandby && LacksFreshness(lease, hint))
            {
                _leavesStandby = _lacksFreshness = true;
                _pending = new PendingRequest(statementClass, hint, BeginsReadOnly: false, effects) { Reads = ReadsInBlock(_requestReads) };
                return lease.Server.Owed.Count > 0 ? Step.Wait : Step.Acquire;
            }
            if (NeedsCorrection(lease.Server) || _block == Block.Failed || ((effects & PreparedEffects) != 0 && MayPrepare(lease.Server)))
            {
                _pending = new PendingRequest(statementClass, hint, beginsReadOnly, effects, marks);
                return Step.Acquire;
            }
            if (AsksForChannels(lease.Server, effects))
            {
                _pending = new PendingRequest(statementClass, hint, beginsReadOnly, effects, marks);
                return lease.Server.Owed.Count > 0 ? Step.Wait : Step.Acquire;
            }
            // Behind a read that is still running on a standby only reads may follow: anything else waits to be routed by itself. Before Sync
            // there is nothing to wait for: the server answers when it has come.
            return lease.Server.Owed.Count > 0 && !_unsynced && !IsOnPrimary(lease)
                && (statementClass > StatementClass.Read || (marks & RequestMarks.Uncertain) != 0 || IsStrong(_requestReads, hint)
                    || !IsFreshOn(lease, _requestReads, hint))
                ? Step.Wait
                : Step.Continue;
        }
        _pending = NeedOf(new PendingRequest(statementClass, hint, beginsReadOnly, effects, marks) { Reads = _requestReads });
        if (_pendingLoss is not null || _cancelsPending || BeginsStrongRead())
            return Step.Acquire;
        var taken = TryTakeLease();
        if (taken is null || NeedsPreparation(taken))
        {
            _unprepared = taken;
            return Step.Acquire;
        }
        Hold(taken);
        return Step.Continue;
    }

    /// <summary>What a request needs of its node as this session stands, which holds no server.</summary>
    private PendingRequest NeedOf(PendingRequest request)
    {
        var (statementClass, hint, beginsReadOnly, effects, marks) = request;
        // A standby refuses every transaction that is serializable by default, and may not have yet what a notification told of.
        if (statementClass == StatementClass.Read && (DefaultModes.IsSerializable || IsListening))
            statementClass = StatementClass.PrimaryRead;
        // What keeps its server must not keep a standby.
        if (statementClass < StatementClass.PrimaryRead && (effects & Pinning) != 0)
            statementClass = StatementClass.PrimaryRead;
        if (_block != Block.None)
        {
            statementClass = ClassInBlock(statementClass, ref beginsReadOnly);
            hint ??= _beginHint;
        }
        return new PendingRequest(ClassOfRerun(statementClass), hint, beginsReadOnly, effects, marks)
        {
            Reads = beginsReadOnly ? ReadsOfBlock(request.Reads) : request.Reads,
        };
    }

    private ServerLease? _unprepared;

    /// <summary>After RESET of a start-up setting the server has its own default: the start-up value is put back before anything else runs.</summary>
    private bool NeedsCorrection(ServerConnection server) =>
        (!server.Settings.SameAs(_settings.Client) || server.HasClientsNames) && MayPrepare(server);

    /// <summary>Nothing is under way on it: the router may run something of its own.</summary>
    private bool MayPrepare(ServerConnection server) => server.Owed.Count == 0 && !_unsynced && server.Status != TransactionStatus.Failed;

    /// <summary>Statements before which a server must be made to look like one of the client's own.</summary>
    private const SessionEffects PreparedEffects = SessionEffects.ReadsSequenceState | SessionEffects.ShowsPrepared;

    private bool IsOnPrimary(ServerLease lease) => _services.Cluster.View.Primary?.Id == lease.Server.Node.Id;

    private RouteDecision Decide(ClusterView cluster, RouterConfig config)
    {
        var count = config.BalancePolicy == BalancePolicy.WeightedRandom ? 0 : cluster.Nodes.Length;
        var loads = count == 0 ? default : stackalloc NodeLoad[count];
        if (count > 0)
            _host.ReadLoads(cluster, loads);
        return Router.Decide(InputOf(_pending, cluster, config, heldNode: -1, loads));
    }

    private RouteInput InputOf(in PendingRequest request, ClusterView cluster, RouterConfig config, int heldNode, ReadOnlySpan<NodeLoad> loads) => new()
    {
        Class = request.Class,
        BeginsReadOnly = request.BeginsReadOnly,
        Hint = request.Hint,
        Marks = request.Marks,
        SessionHint = SessionHint,
        Fresh = FreshNodes(cluster, request),
        Preference = PreferenceIn(config.Lists),
        KeptNode = KeptNode(cluster, config),
        HeldNode = heldNode,
        Excluded = _excludedNodes,
        Cluster = cluster,
        Config = config,
        Loads = loads,
        Draw = _host.Draw(),
    };

    /// <summary>A server for the pending request at once, or null.</summary>
    private ServerLease? TryTakeLease()
    {
        var cluster = _services.Cluster.View;
        _decision = Decide(cluster, _services.Config());
        _waitsIn = null;
        if (_decision.NodeIndex < 0 || (_decision.Reason == RouteReason.Consistency && WaitOf(_pending.Hint) > TimeSpan.Zero))
            return null;
        var node = cluster.Nodes[_decision.NodeIndex];
        if (TakeKept(node.Id) is { } kept)
            return kept;
        if (_gate.IsPaused)
            return null;
        _waitsIn = PoolOf(node);
        return _waitsIn.TryTake(Loop);
    }

    /// <summary>In session mode: the server this client already has on a node.</summary>
    private ServerLease? TakeKept(int nodeId)
    {
        if (_kept is null || !_kept.Remove(nodeId, out var lease))
            return null;
        if (lease.Server.IsClean)
            return lease;
        lease.Break("lost while the client was idle");
        return null;
    }

    private ServerPool PoolOf(NodeView node)
    {
        if (_pools.Length <= node.Index)
            Array.Resize(ref _pools, node.Index + 1);
        ref var pool = ref _pools[node.Index];
        if (pool is null || pool.IsRetired || !ReferenceEquals(pool.Node, node.Config))
            pool = _services.Pools.Get(node.Config, Identity.Database, Identity.User);
        return pool;
    }

    private bool NeedsPreparation(ServerLease lease) =>
        !lease.Server.Settings.SameAs(_settings.Client) || (_pending.Effects & PreparedEffects) != 0 || _block == Block.Failed
        || !IsProven(lease, _services.Cluster.View) || !IsSettled(lease) || NeedsOwnSequences(lease) || NeedsListenerPreparation(lease.Server, _pending.Effects);

    private void Hold(ServerLease lease)
    {
        _lease = lease;
        _isRoutedAnew = true;
        NoteBlockOnStandby(lease);
        if (lease.Server.Settings.SameAs(_settings.Client))
            _settings.Synchronized();
        lease.Server.ClientPid = Pid;
        if (_pending.Class > StatementClass.Read && Pid != 0 && !IsListening)
            lease.Server.SenderPid = Pid;
        lease.Server.Socket.Owner = _signal;
        _nodeCounters = _host.Statistics.Node(lease.Server.Node.Id);
        NoteDecision(lease.Server.Node.Id);
        _counters.ServerAssignments++;
    }

    /// <summary>Waits until the pending request has a server that is up to date, or answers it with an error.</summary>
    private async Task AcquireAsync()
    {
        if ((_pendingLoss ?? _refusal) is { } failure)
        {
            if (_pendingLoss is null)
                await FailTransactionAsync();
            _pendingLoss = _refusal = null;
            FailRequest(failure);
            return;
        }
        if (_cancelsPending)
        {
            CancelPending();
            return;
        }
        if (_lease is { } onStandby && LeavesStandby(onStandby) && await LeaveStandbyAsync() is { } tied)
        {
            FailPending(tied);
            return;
        }
        if (_lease is { } held)
        {
            if ((await PrepareServerAsync(held.Server) ?? await PrepareUsedAsync(held.Server)) is { } refused)
            {
                RefusePending(held.Server, refused);
            }
            else if (!CancelIfAsked())
            {
                _leaseIsFresh = true;
            }
            return;
        }
        ErrorMessage? error;
        bool again;
        var refusals = 0;
        await AwaitFreshAsync();
        do
        {
            (var lease, error) = _unprepared is { } taken ? (taken, null) : await WaitForLeaseAsync();
            _unprepared = null;
            again = lease is not null && !(await IsProvenAsync(lease) && await IsSettledAsync(lease));
            if (again)
                continue;
            // What another client left set (a statement_timeout of 1 ms) may keep this client's settings out: a fresh server has nothing set.
            var hasOthers = lease is { Server.Settings.Count: > 0 };
            again = lease is not null && (error = await HoldPreparedAsync(lease)) is not null
                && (MayTryAfterLoss(lease.Server, error) || (hasOthers && ++refusals < MostRefusals && !_ended));
        }
        while (again);
        if (_ended)
            return;
        if (error is not null)
            FailRequest(error);
        else if (!CancelIfAsked())
            _leaseIsFresh = true;
    }

    /// <summary>The server that is held could not be made ready. One that is lost is another matter: the request has not been sent.</summary>
    private void RefusePending(ServerConnection server, ErrorMessage refused)
    {
        if (IsLost(server, refused))
        {
            OnServerLost(refused.Message);
            return;
        }
        FailPending(refused);
        ReleaseIfIdle(server);
    }

    private async Task<ErrorMessage?> HoldPreparedAsync(ServerLease lease)
    {
        Hold(lease);
        var error = await PrepareServerAsync(lease.Server);
        if (error is not null)
        {
            _lease = null;
            lease.Break($"could not be brought up to date: {error.Message}");
        }
        return error;
    }

    /// <summary>The server died before it was sent anything of the client's: a read may be asked of another node.</summary>
    private bool MayTryAfterLoss(ServerConnection server, ErrorMessage error)
    {
        var fault = NodeFaults.FromSqlState(error.Code) ?? (error.Code == SqlStates.ConnectionFailure ? NodeFault.Reset : null);
        if (_ended || _breakReason is not null || fault is null)
            return false;
        _services.Pools.Context.ReportFault(server.Node.Id, fault.Value);
        if (_services.Cluster.View.Nodes.FirstOrDefault(n => n.Id == server.Node.Id) is not { } node)
            return true;
        if (_ranAgainAlone || (IsOnlyPlace(node) && _pending.Class < StatementClass.Write))
            return !_ranAgainAlone && (_ranAgainAlone = true);
        return MayTryAnother(node);
    }

    /// <summary>No other node could run the pending request.</summary>
    private bool IsOnlyPlace(NodeView lost) =>
        _pending.Class > StatementClass.Read || !_services.Cluster.View.Nodes.Any(node => node.IsUsable && node.Id != lost.Id);

    /// <summary>Asks node after node until one gives a server; the deadline is over all of it.</summary>
    private async Task<(ServerLease? Lease, ErrorMessage? Error)> FindLeaseAsync()
    {
        var config = _services.Config();
        var unreachable = _waiter.Error;
        if (unreachable is not null && !MayGoElsewhere(unreachable, _services.Cluster.View, _waitsIn!.Node.Id))
            return (null, AsError(unreachable.Message));
        while (!_ended)
        {
            if (IsAbandoned() || _terminateRequested)
                return (null, null);
            if (_cancelRequested)
            {
                DropCancel();
                return (null, CanceledByUser);
            }
            var cluster = _services.Cluster.View;
            _decision = Decide(cluster, config);
            if (_gate.IsPaused && !KeepsServerOn(cluster, _decision.NodeIndex))
            {
                if (await WaitAtGateAsync() is { } paused)
                    return (null, paused);
                continue;
            }
            if (_decision.NodeIndex < 0)
            {
                if (await HoldForPrimaryAsync(config))
                    continue;
                _host.Statistics.Nowhere.Routed[(int)_decision.Reason]++;
                return (null, unreachable is null ? NoNode() : AsError(unreachable.Message));
            }
            if (unreachable is not null && (_excludedNodes & (1UL << _decision.NodeIndex)) != 0)
                return (null, AsError(unreachable.Message)); // The rules know no other place than one that was tried.
            var node = cluster.Nodes[_decision.NodeIndex];
            var pool = PoolOf(node);
            if ((TakeKept(node.Id) ?? pool.TryTake(Loop)) is { } lease)
                return (lease, null);
            var error = await WaitInPoolAsync(pool);
            if (_waiter.Lease is { } granted)
            {
                _waiter.Reset();
                return (granted, null);
            }
            if (error is null)
                continue;
            if (!MayGoElsewhere(error, cluster, node.Id))
                return (null, AsError(error.Message));
            unreachable = error;
        }
        return (null, null);
    }

    private async Task<PoolError?> WaitInPoolAsync(ServerPool pool)
    {
        _waitsIn = pool;
        pool.Wait(_waiter);
        while (!IsServed())
            await _signal;
        return _waiter.Error;
    }

    /// <summary>A node could not give a server: true when another may.</summary>
    private bool MayGoElsewhere(PoolError error, ClusterView cluster, int nodeId)
    {
        if (cluster.Nodes.FirstOrDefault(n => n.Id == nodeId) is not { } node)
            return error.IsUnreachable && _pending.Class < StatementClass.Write;
        var isElsewhere = error.IsUnreachable || (error.MayBeBehind && cluster.PrimaryIndex >= 0 && cluster.PrimaryIndex != node.Index);
        return isElsewhere && MayTryAnother(node);
    }

    /// <summary>
    /// A client that went away while a read of its own was waiting needs no answer, nor does one that is told to go. What writes is run all the
    /// same, as PostgreSQL would.
    /// </summary>
    private bool IsAbandoned()
    {
        if (_terminateAtOnce && !_ended)
            Terminate();
        else if (_client.PeerClosed && _pending.Class <= StatementClass.PrimaryRead)
            Finish("client went away while waiting for a server");
        return _ended || _loginDeadline is { HasPassed: true };
    }

    private bool MayTryAnother(NodeView node)
    {
        _excludedNodes |= 1UL << node.Index;
        return _pending.Class < StatementClass.Write;
    }

    /// <summary>pgrouter.failover_hold: true when the cluster may have a primary now.</summary>
    private async Task<bool> HoldForPrimaryAsync(RouterConfig config)
    {
        if (Loop.NowMs - _waitSince >= config.FailoverHold.TotalMilliseconds)
            return false;
        using var pause = new Deadline(_signal);
        pause.Start(HoldPollInterval);
        while (!pause.HasPassed && !IsAbandoned() && !_terminateRequested && !_cancelRequested)
            await _signal;
        return true;
    }

    /// <summary>Gives the server this client's settings, and takes another client's sequence values from it when they are asked for.</summary>
    private async Task<ErrorMessage?> PrepareServerAsync(ServerConnection server)
    {
        var error = await BringUpToDateAsync(server);
        return error is null && server.IsLost
            ? ErrorMessage.Error(SqlStates.ConnectionFailure, $"the connection to {server.Node} was lost before the statement was sent")
            : error;
    }

    private async Task<ErrorMessage?> BringUpToDateAsync(ServerConnection server)
    {
        if (!server.Settings.SameAs(_settings.Client))
        {
            // By itself: a standby can run nothing in a transaction that is serializable, and the one the script runs in begins before it.
            if (server.Settings.SetsIsolation && server.Status == TransactionStatus.Idle)
            {
                if (await server.ExecuteAsync($"RESET {SettingsSet.Isolation}", _signal, SynchronizeTimeout) is { } refused)
                    return AsError(refused);
                server.Settings = server.Settings.WithFrom(SettingsSet.Isolation, SettingsSet.Empty);
            }
            if (await server.ExecuteAsync(server.Settings.ScriptTo(_settings.Client), _signal, SynchronizeTimeout) is { } error)
                return AsError(error);
            server.Settings = _settings.Client;
        }
        _settings.Synchronized();
        if (await PrepareForListenerAsync(server) is { } refusal)
            return refusal;
        if ((_pending.Effects & SessionEffects.ShowsPrepared) != 0)
        {
            if (await ShowOwnNamesAsync(server) is { } unprepared)
                return unprepared;
        }
        else if (server.HasClientsNames)
        {
            await ForgetOwnNamesAsync(server);
        }
        if (_block == Block.Failed)
            return await EnterFailedBlockAsync(server);
        return await TakeSequencesAsync(_lease!);
    }

    /// <summary>Answers the pending request with an error; the session lives.</summary>
    private void FailRequest(ErrorMessage error)
    {
        var here = Math.Min(_requestLength, _input.Count);
        ConsumeInput(here);
        _discarding = _requestLength - here;
        EndRequest();
        _excludedNodes = 0;
        _ranAgainAlone = false;
        (_rerun, _refused) = (Rerun.None, null);
        if (_block == Block.Begun)
            _block = Block.Failed;
        if (_hasClaims && !_settings.InTransaction)
            SettleChannels();
        var writer = new MessageWriter();
        error.WriteErrorResponse(writer);
        if (_requestEndsInReadyForQuery)
            WriteReadyForQuery(writer);
        _skipToSync = !_requestEndsInReadyForQuery;
        SendToClient(writer.WrittenSpan);
        _signal.Set();
    }

    /// <summary>After ReadyForQuery: the server goes back when nothing ties it to this client.</summary>
    private void ReleaseIfIdle(ServerConnection server)
    {
        if (_lease is not { } lease || !server.IsIdle || _unsynced || (_pins & ~_doubts) != PinReasons.None || server.BodyRemaining > 0 || _streaming > 0
            || _readyHeld)
            return;
        if (_doubts != PinReasons.None)
        {
            _signal.Set(); // The pump asks the server first.
            return;
        }
        _lease = null;
        if (_poolMode == PoolMode.Session)
            (_kept ??= []).Add(server.Node.Id, lease);
        else if (server.HasClientsNames)
            lease.Recycle(ForgetClientsNames);
        else
            lease.Release();
    }

    private static readonly string[] ForgetClientsNames = ["DISCARD ALL"];

    private ErrorMessage NoNode() => _decision.Reason != RouteReason.Hint || _services.Cluster.View.Primary is null
        ? NoPrimary()
        : ErrorMessage.Error(
            SqlStates.CannotConnectNow,
            "no node that the hint allows can be used: the statement was not run",
            hint: "A comment in front of the statement, or pgrouter.route of the session, names the node or asks for a standby; see SHOW POOL_NODES.");

    private static ErrorMessage NoPrimary() => ErrorMessage.Error(
        SqlStates.CannotConnectNow,
        "no primary is available: the statement was not run",
        hint: "Reads go on. Writes work again as soon as a node is out of recovery; see SHOW POOL_NODES.");

    private static ErrorMessage ServerGone(ServerConnection server, string reason) => ErrorMessage.Error(
        SqlStates.AdminShutdown,
        $"the connection to node {server.Node.Id} was lost: {reason}",
        detail: "The transaction is rolled back; whether a statement outside a transaction took effect is not known.");

    private static ErrorMessage CommitUnknown(string reason) => ErrorMessage.Error(
        SqlStates.TransactionResolutionUnknown,
        $"the connection was lost during COMMIT: {reason}",
        detail: "Whether the transaction was committed is not known.");

    /// <summary>What a server said when it refused a login ends no client's session.</summary>
    private static ErrorMessage AsError(ErrorMessage error) =>
        error.EndsSession ? error with { Severity = ErrorMessage.SeverityError, LocalizedSeverity = null } : error;

    /// <summary>What the pending request needs.</summary>
    private readonly record struct PendingRequest(StatementClass Class, RouteHint? Hint, bool BeginsReadOnly, SessionEffects Effects, RequestMarks Marks = RequestMarks.None)
    {
        /// <summary>What it reads; null = that does not matter.</summary>
        public TableSet? Reads { get; init; }
    }
}
