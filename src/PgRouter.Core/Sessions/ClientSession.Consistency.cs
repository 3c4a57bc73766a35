using PgRouter.Core.Catalog;
using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;
using PgRouter.Core.Consistency;
using PgRouter.Core.Pooling;
using PgRouter.Core.Routing;
using PgRouter.Core.Servers;
using PgRouter.Core.Transport;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>
/// What this session has written and what its reads must see (docs/consistency.md). Tables are marked as written when the end of their transaction is
/// known, in front of the client's ReadyForQuery; a read asks which nodes have what was marked before it.
/// </summary>
internal sealed partial class ClientSession
{
    private TableClock? _clock;

    /// <summary>What the open transaction has written, or may have.</summary>
    private TableSet _writes = TableSet.Nothing;

    /// <summary>Of it what counts as in flight: a commit may be under way.</summary>
    private TableSet _writesInFlight = TableSet.Nothing;

    /// <summary>What the requests under way read.</summary>
    private TableSet _readsUnderWay = TableSet.Nothing;

    /// <summary>One of them did not ask what others have written.</summary>
    private bool _readsAtSession;

    /// <summary>The last write of this session.</summary>
    private long _ownStamp;

    /// <summary>Up to this moment the session may have seen what others wrote; and the node where it saw it.</summary>
    private long _floor;
    private int _floorNode = -1;

    private ConsistencyBook Book => _services.Consistency;

    /// <summary>By the statement, else by the BEGIN of its block, else by the session, else by the configuration.</summary>
    private ReadConsistency LevelOf(RouteHint? hint) =>
        ReadConsistencies.Find(hint?.Consistency) ?? ReadConsistencies.Find(HintOfBlock?.Consistency) ?? ReadConsistencies.Find(SessionHint?.Consistency)
        ?? _limits.Current.ReadConsistency;

    private WalPosition? MinLsnOf(RouteHint? hint) =>
        (hint?.MinLsn ?? HintOfBlock?.MinLsn ?? SessionHint?.MinLsn) is { } token ? WalPosition.ParseToken(token) : null;

    private TimeSpan WaitOf(RouteHint? hint) =>
        hint?.ConsistencyWait ?? HintOfBlock?.ConsistencyWait ?? SessionHint?.ConsistencyWait ?? _limits.Current.ConsistencyWait;

    private RouteHint? HintOfBlock => _block == Block.Begun || _blockOnStandby ? _beginHint : null;

    /// <summary>The nodes that have what the pending request must see, as a set of their indexes.</summary>
    private ulong FreshNodes(ClusterView cluster, in PendingRequest request)
    {
        if (request.Class >= StatementClass.Write || request.Reads is not { IsEmpty: false } reads || _clock is null)
            return ulong.MaxValue;
        return FreshNodes(cluster, reads, request.Hint);
    }

    private ulong FreshNodes(ClusterView cluster, TableSet reads, RouteHint? hint)
    {
        var minLsn = MinLsnOf(hint);
        var fresh = LevelOf(hint) switch
        {
            ReadConsistency.Eventual when minLsn is null => ulong.MaxValue,
            ReadConsistency.Eventual => Book.FreshNodes(cluster, needed: -1, floor: -1, floorNode: -1, minLsn),
            ReadConsistency.Session => FreshNodes(cluster, _ownStamp, minLsn),
            _ => FreshNodes(cluster, _clock!.StampOf(reads), minLsn),
        };
        if (minLsn is not null)
            AskBehind(cluster, fresh);
        return fresh;
    }

    private ulong FreshNodes(ClusterView cluster, long needed, WalPosition? minLsn) =>
        Book.FreshNodes(cluster, Math.Max(needed, Math.Max(Book.Epoch, _strongStamp)), _floor, _floorNode, minLsn);

    /// <summary>While nothing is written through this router, standbys are asked so seldom that a token of another would wait for it.</summary>
    private void AskBehind(ClusterView cluster, ulong fresh)
    {
        foreach (var node in cluster.Nodes)
        {
            if ((fresh & (1UL << node.Index)) == 0)
                Book.Ask(node.Id);
        }
    }

    /// <summary>What a transaction on a standby reads in all: of one snapshot any table, else what this request does.</summary>
    private TableSet? ReadsOfBlock(TableSet? reads) => _block == Block.Begun && _modes.HasSnapshotPerStatement ? reads : TableSet.All;

    /// <summary>What a statement reads of the block on a standby that it stands in: with one snapshot nothing that was not there at the first query.</summary>
    private TableSet? ReadsInBlock(TableSet? reads) =>
        _modes.Isolation != "repeatable read" ? reads : _blockHasQueried ? null : TableSet.All;

    /// <summary>Does a statement of a block on a standby see there what it must see? A strong one asks for itself.</summary>
    private bool LacksFreshness(ServerLease lease, RouteHint? hint)
    {
        var reads = ReadsInBlock(_requestReads);
        if (!IsStrong(reads, hint) || IsOnPrimary(lease))
            return !IsFreshOn(lease, reads, hint);
        BeginStrong();
        return true;
    }

    private bool IsStrong(TableSet? reads, RouteHint? hint) => reads is { IsEmpty: false } && LevelOf(hint) == ReadConsistency.Strong;

    /// <summary>Has the node of this lease what a request must see that goes to it without being routed?</summary>
    private bool IsFreshOn(ServerLease lease, TableSet? reads, RouteHint? hint)
    {
        if (reads is not { IsEmpty: false } || _clock is null || IsOnPrimary(lease) || AsksNothing(hint))
            return true;
        var cluster = _services.Cluster.View;
        return lease.Server.ConnectedStamp < Book.NodeOf(lease.Server.Node.Id).Asked
            && cluster.Find(lease.Server.Node.Id) is { } node && (FreshNodes(cluster, reads, hint) & (1UL << node.Index)) != 0;
    }

    /// <summary>A read may see whatever a node has.</summary>
    private bool AsksNothing(RouteHint? hint) => LevelOf(hint) == ReadConsistency.Eventual && MinLsnOf(hint) is null;

    /// <summary>What the request reads, as far as it has been looked at; null = it is not known, or does not matter.</summary>
    private TableSet? _requestReads;

    /// <summary>The comment in front of it.</summary>
    private RouteHint? _requestHint;

    private void NoteTables(in TextVerdict verdict, bool mayEnd)
    {
        _schemaWritten |= verdict.ChangesSchema;
        NoteTables(_lease!.Server, verdict.Writes, verdict.Reads, mayEnd || _block == Block.None && _lease.Server.Status != Protocol.TransactionStatus.InTransaction);
    }

    /// <summary>Something that was not looked at is sent.</summary>
    private void NoteAllTables() => NoteTables(_lease!.Server, TableSet.All, TableSet.All, mayEnd: true);

    /// <summary>A request is sent: what it writes counts from now on as being written, if its transaction may end with it.</summary>
    private void NoteTables(ServerConnection server, TableSet writes, TableSet reads, bool mayEnd)
    {
        var level = LevelOf(_requestHint);
        if (level > ReadConsistency.Eventual)
            _readsUnderWay = _readsUnderWay.With(reads);
        _readsAtSession |= level == ReadConsistency.Session;
        _writes = _writes.With(writes);
        if (_writes.IsEmpty || ReferenceEquals(_writes, _writesInFlight) || _clock is null)
            return;
        if (!mayEnd)
            return;
        _clock.Enter(_writes);
        _clock.Leave(_writesInFlight);
        Volatile.Write(ref _writesInFlight, _writes);
        if (_flightSince == 0)
            Volatile.Write(ref _flightSince, ConsistencyBook.Now);
    }

    /// <summary>At ReadyForQuery, in front of the client's.</summary>
    private void SettleTables(ServerConnection server, StatementInfo? query)
    {
        if (_clock is null)
            return;
        var isLast = server.Owed.ReadyForQueryCount == 0;
        if (!_writes.IsEmpty)
            SettleWrites(server, query, isLast);
        if (!_readsUnderWay.IsEmpty)
        {
            NoteSeen(_clock, server);
            if (isLast)
                (_readsUnderWay, _readsAtSession) = (TableSet.Nothing, false);
        }
    }

    private void SettleWrites(ServerConnection server, StatementInfo? query, bool isLast)
    {
        if (server.Status == Protocol.TransactionStatus.Idle)
        {
            if (!IsRolledBack(query))
                _ownStamp = _writes.IsAll && _schemaWritten ? Book.MarkAll() : Book.Mark(_clock!, _writes);
            if (isLast)
            {
                _writes = TableSet.Nothing;
                _schemaWritten = false;
            }
        }
        if (isLast)
            LeaveFlight();
    }

    /// <summary>The open transaction has run DDL.</summary>
    private bool _schemaWritten;

    /// <summary>Nothing of it can have been committed. A procedure, or a text with COMMIT in it, may have committed before it failed.</summary>
    private bool IsRolledBack(StatementInfo? query) => query is { Statements: [var statement] } && statement switch
    {
        { Verb: TransactionVerb.Rollback } => true,
        { Verb: TransactionVerb.Commit } => _statusBefore == Protocol.TransactionStatus.Failed,
        { Kind: StatementKind.Insert or StatementKind.Update or StatementKind.Delete or StatementKind.Merge or StatementKind.Copy } =>
            _requestFailed && _statusBefore == Protocol.TransactionStatus.Idle,
        _ => false,
    };

    /// <summary>
    /// What a read that ends now may have seen, though nobody has been told of it: commits whose answer is still to come. And at the level of the
    /// session, which does not ask what others wrote, all that was written until now.
    /// </summary>
    private void NoteSeen(TableClock clock, ServerConnection server)
    {
        var isInFlight = clock.IsInFlight(_readsUnderWay) || Book.Lost.Has(clock, _readsUnderWay);
        var floor = isInFlight ? ConsistencyBook.Now : _readsAtSession ? clock.StampOf(_readsUnderWay) : 0;
        if (isInFlight && IsOnStandby(server))
            NoteUnsettled(floor);
        if (floor > _floor)
            (_floor, _floorNode) = (floor, server.Node.Id);
    }

    /// <summary>What was sent has not happened: it was only prepared, or a standby has refused it.</summary>
    private void ForgetTables()
    {
        _writes = _readsUnderWay = TableSet.Nothing;
        _readsAtSession = _schemaWritten = false;
        LeaveFlight();
    }

    private void LeaveFlight()
    {
        Volatile.Write(ref _flightSince, 0);
        _clock?.Leave(_writesInFlight);
        Volatile.Write(ref _writesInFlight, TableSet.Nothing);
    }

    /// <summary>The server is lost, or goes on without this client: what is under way on it may be committed yet.</summary>
    private void LoseTables(ServerConnection server)
    {
        if (_clock is null)
            return;
        if (!_writes.IsEmpty && (server.Owed.Count > 0 || _unsynced))
        {
            if (_schemaWritten)
                Book.MarkAll();
            Book.MarkLost(_clock, _writes, server.Pid);
        }
        ForgetTables();
    }

    private long _strongStamp;

    /// <summary>A strong read must see everything from before this moment: the primary is asked for its position.</summary>
    private bool BeginsStrongRead()
    {
        _strongStamp = 0;
        if (_pending.Class >= StatementClass.Write || !IsStrong(_pending.Reads, _pending.Hint))
            return false;
        BeginStrong();
        _waitsIn = null;
        return true;
    }

    private void BeginStrong()
    {
        _strongStamp = ConsistencyBook.Now;
        Book.Want();
    }

    /// <summary>
    /// Is it known that a server belongs to the life of its node of which the replay position is known? One that was opened since the node was last
    /// asked may belong to the next, which has begun further back.
    /// </summary>
    private bool IsProven(ServerLease lease, ClusterView cluster) =>
        _pending.Reads is null or { IsEmpty: true } || lease.Server.Node.Id == cluster.Primary?.Id || AsksNothing(_pending.Hint)
        || lease.Server.ConnectedStamp < Book.NodeOf(lease.Server.Node.Id).Asked;

    /// <summary>Waits until it is known; false, and the lease is given back, when another server must be found.</summary>
    private async Task<bool> IsProvenAsync(ServerLease lease)
    {
        if (IsProven(lease, _services.Cluster.View))
            return true;
        using var deadline = new Deadline(_signal);
        deadline.Start(ProofLimit);
        Action wake = WakeFromAnywhere;
        Book.AddWaiter(wake);
        Book.Ask(lease.Server.Node.Id);
        while (!IsProven(lease, _services.Cluster.View) && !deadline.HasPassed && !_ended)
            await _signal;
        Book.RemoveWaiter(wake);
        var cluster = _services.Cluster.View;
        var node = cluster.Find(lease.Server.Node.Id);
        if (node is not null && IsProven(lease, cluster) && (FreshNodes(cluster, _pending) & (1UL << node.Index)) != 0)
            return true;
        if (node is not null && !IsProven(lease, cluster))
            _excludedNodes |= 1UL << node.Index;
        GiveBack(lease);
        return false;
    }

    private static readonly TimeSpan ProofLimit = TimeSpan.FromSeconds(2);

    private void GiveBack(ServerLease lease)
    {
        if (_poolMode == PoolMode.Session)
            (_kept ??= []).Add(lease.Server.Node.Id, lease);
        else
            lease.Release();
    }

    /// <summary>
    /// Waits until a standby may serve the pending request, as long as that is worth it: at the level <c>strong</c> for the position of the primary and
    /// what the standbys say to it, at the others for consistency_wait.
    /// </summary>
    private async Task AwaitFreshAsync()
    {
        var isStrong = _strongStamp != 0;
        if (_unprepared is not null || _pending.Reads is null || WaitLimit <= TimeSpan.Zero)
            return;
        using var deadline = new Deadline(_signal);
        deadline.Start(WaitLimit);
        Action wake = WakeFromAnywhere;
        Book.AddWaiter(wake);
        try
        {
            while (MustWait() && !deadline.HasPassed && !IsAbandoned() && !_terminateRequested && !_cancelRequested)
            {
                if (isStrong && WaitOf(_pending.Hint) <= TimeSpan.Zero && StandbysHaveAnswered())
                    break;
                await _signal;
            }
        }
        finally
        {
            Book.RemoveWaiter(wake);
        }
    }

    private static readonly TimeSpan LongestStay = TimeSpan.FromSeconds(30);

    /// <summary>The server that is held gets what the pending request must see, in time.</summary>
    private async Task<bool> BecomesFreshAsync(ServerLease lease, TimeSpan limit)
    {
        if (limit <= TimeSpan.Zero)
            return false;
        using var deadline = new Deadline(_signal);
        deadline.Start(limit);
        Action wake = WakeFromAnywhere;
        Book.AddWaiter(wake);
        Book.Ask(lease.Server.Node.Id);
        while (!IsFreshOn(lease, _pending.Reads, _pending.Hint) && !deadline.HasPassed && !IsAbandoned() && !_terminateRequested && !_cancelRequested)
            await _signal;
        Book.RemoveWaiter(wake);
        return IsFreshOn(lease, _pending.Reads, _pending.Hint);
    }

    private bool MustWait() => Decide(_services.Cluster.View, _services.Config()).Reason == RouteReason.Consistency;

    /// <summary>How long the pending request may wait for a standby.</summary>
    private TimeSpan WaitLimit
    {
        get
        {
            var wait = WaitOf(_pending.Hint);
            return _strongStamp != 0 && wait < StrongLimit ? StrongLimit : wait;
        }
    }

    private static readonly TimeSpan StrongLimit = TimeSpan.FromMilliseconds(100);

    /// <summary>Every standby that is asked at all has been asked behind the moment the read must see, and the primary too.</summary>
    private bool StandbysHaveAnswered()
    {
        if (Book.Ticks.Newest <= _strongStamp)
            return false;
        var cluster = _services.Cluster.View;
        foreach (var node in cluster.Nodes)
        {
            if (node.Index != cluster.PrimaryIndex && node.IsUsable && Book.NodeOf(node.Id).Asked is var asked and > 0 && asked <= Book.Ticks.Newest)
                return false;
        }
        return true;
    }

    private void WakeFromAnywhere() => Loop.Post(static state => ((ClientSession)state!)._signal.Set(), this);
}
