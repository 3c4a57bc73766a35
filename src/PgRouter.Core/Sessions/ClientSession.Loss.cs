using PgRouter.Core.Health;
using PgRouter.Core.Pooling;
using PgRouter.Core.Servers;
using PgRouter.Protocol;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>When one side is gone: a lost server moves a read or costs the client an error; a client that left gives its servers up.</summary>
internal sealed partial class ClientSession
{
    private void Break(ServerConnection server, string reason)
    {
        _lossReason = reason;
        OnServerLost(reason);
    }

    /// <summary>With the last server went more than a transaction: what pinned the client.</summary>
    private bool _lossTookPins;

    /// <summary>
    /// The connection to the server is gone. A read that had said nothing runs once elsewhere; otherwise the client gets the error and lives.
    /// </summary>
    private void OnServerLost(string reason)
    {
        var lease = _lease!;
        var server = lease.Server;
        _lease = null;
        EndFlight();
        _leaseIsFresh = false;
        if (_farewell is { } farewell)
        {
            lease.Break(reason);
            SendNow(farewell);
            Finish(farewell.Message);
            return;
        }
        if (_terminatesItself)
        {
            lease.Break(reason);
            Terminate();
            return;
        }
        if (server.BodyRemaining > 0 && !server.BodySwallowed)
        {
            EndCut(lease, reason);
            return;
        }
        var wasAsked = server.Owed.Count > 0 || _unsynced;
        _lossTookPins = (_pins | _doubts) != PinReasons.None;
        var wasInTransaction = server.Status != TransactionStatus.Idle || _lossTookPins;
        var commits = IsCommitUnderWay(server);
        var failsBlock = !commits && IsBlockOpen(server);
        var endsInReadyForQuery = server.Owed.ReadyForQueryCount;
        LoseTables(server);
        NoteSchemaInDoubt(server);
        TakeBackAll(server);
        if (_lossError is null && _lossFault is { } fault)
            _services.Pools.Context.ReportFault(server.Node.Id, fault);
        _lossFault = NodeFault.Reset;
        var movable = !_answerStarted && !server.Retained.IsEmpty && !wasInTransaction && !_ranAgainAlone;
        if (movable)
            MoveRequest(server);
        SessionLog.ServerLost(
            _services.Logger, Pid, server.Node.Id, reason, movable ? "the statement runs elsewhere" : wasAsked ? "the client gets an error" : "idle");
        lease.Break(reason);
        ForgetServerState();
        if (movable)
            return;
        if (failsBlock)
            _block = Block.Failed;
        var error = _lossError ?? (commits ? CommitUnknown(reason) : ServerGone(server, reason));
        _lossError = null;
        if (wasAsked)
            FailAfterLoss(error, endsInReadyForQuery);
        else if (wasInTransaction)
            _pendingLoss = error; // Nothing is asked now: the client learns it with its next request.
    }

    /// <summary>What the server owes will not come. The last first: a name may have been closed and made again.</summary>
    private void TakeBackAll(ServerConnection server)
    {
        for (var i = server.Owed.Count - 1; i >= 0; i--)
            TakeBack(server, server.Owed[i]);
        server.Owed.Clear();
    }

    /// <summary>
    /// The server was lost under a command that the router carries out: its client learns it as the answer, and not once more with its next request.
    /// </summary>
    private ErrorMessage Told(ServerConnection server, ErrorMessage failure)
    {
        if (server.IsLost && _lease?.Server == server)
        {
            OnServerLost(failure.Message);
            _pendingLoss = null;
        }
        return AsError(failure);
    }

    /// <summary>The client has the head of a message whose rest will never come: whatever is sent now would be read as that rest.</summary>
    private void EndCut(ServerLease lease, string reason)
    {
        if (_lossFault is { } fault)
            _services.Pools.Context.ReportFault(lease.Server.Node.Id, fault);
        SessionLog.ServerLost(_services.Logger, Pid, lease.Server.Node.Id, reason, "the client is disconnected in the middle of a message");
        lease.Break(reason);
        ForgetServerState();
        Finish("its server was lost in the middle of a message");
    }

    /// <summary>
    /// Puts the request back in front of the client's input, to be routed again without the node that failed; where that is the only one, once
    /// more on a new connection to it, for it may have been the connection alone.
    /// </summary>
    private void MoveRequest(ServerConnection server)
    {
        _input.Prepend(server.Retained.Bytes);
        var nodes = _services.Cluster.View.Nodes;
        _ranAgainAlone = !nodes.Any(node => node.IsUsable && node.Id != server.Node.Id);
        if (!_ranAgainAlone && nodes.FirstOrDefault(node => node.Id == server.Node.Id) is { } lost)
            _excludedNodes |= 1UL << lost.Index;
        _skipToSync = false;
        _unsynced = false;
        _signal.Set();
    }

    private void FailAfterLoss(ErrorMessage error, int readyForQueryCount)
    {
        var writer = new MessageWriter();
        if (readyForQueryCount == 0)
            error.WriteErrorResponse(writer);
        _skipToSync = _unsynced || readyForQueryCount == 0;
        if (_streaming > 0)
        {
            _discarding = _streaming;
            _streaming = 0;
        }
        for (var i = 0; i < readyForQueryCount; i++)
        {
            error.WriteErrorResponse(writer);
            WriteReadyForQuery(writer);
        }
        _unsynced = false;
        SendToClient(writer.WrittenSpan);
        _signal.Set();
    }

    /// <summary>What a session keeps on its server is gone with it.</summary>
    private void ForgetServerState()
    {
        _pins = _doubts = PinReasons.None;
        _beganAtMs = 0;
        _blockOnStandby = _pathIsOpen = _madeTemporary = false;
        _pinnedSince = null;
        _ownNames?.Clear();
        _unjudged?.Clear();
        _namedText = null;
        _beginUnderWay = false;
        _copyingIn = false;
        _isFlushing = _isFlushed = false;
        _requestFailed = false;
        _executed?.Clear();
        _completed = 0;
        (_rerun, _refused) = (Rerun.None, null);
        _told?.Clear();
        _settings.Rollback();
        TakeBackReported();
        SettleChannels();
        _portal = null;
        _portals?.Clear();
    }

    /// <summary>The client has gone: its servers go back after a reset, or finish what they do without it, or are closed.</summary>
    private void GiveUpServers()
    {
        EndFlight();
        if (_unprepared is { } unprepared)
            unprepared.Release();
        _waitsIn?.Cancel(_waiter);
        if (_breakReason is { } reason)
            BreakServers(reason);
        if (_kept is not null)
        {
            foreach (var kept in _kept.Values)
                kept.Recycle(_services.Config().ResetQueryList);
            _kept.Clear();
        }
        if (_lease is not { } lease)
            return;
        _lease = null;
        var server = lease.Server;
        LoseTables(server);
        if ((_pins & PinReasons.ServerProcess) != 0)
        {
            lease.Break("its client left behind what only the end of the process takes back");
            return;
        }
        if (_isTerminated && server.Owed.Count > 0)
        {
            // Unlike a client that leaves by itself: what it runs is to stop, and to be undone.
            _ = ServerCancel.SendAsync(server, _services.Config().ServerConnectTimeout);
            lease.Break("its client was terminated in the middle of a statement");
            return;
        }
        if (server.Owed.Count == 0 && !_unsynced && _streaming == 0 && server.BodyRemaining == 0 && server.Output.IsEmpty && !server.Socket.PeerClosed)
            lease.Recycle(_services.Config().ResetQueryList);
        else if (IsWriteUnderWay(server))
            _ = FinishWithoutClientAsync(lease);
        else
            lease.Break("its client went away in the middle of a statement");
        NoteSchemaInDoubt(server);
    }

    private async Task FinishWithoutClientAsync(ServerLease lease)
    {
        var changesSchema = MayChangeSchema(lease.Server);
        await ServerDrain.FinishAsync(lease, _services.Config().ResetQueryList);
        if (changesSchema)
            NoteSchemaChange();
    }

    /// <summary>Something that PostgreSQL would have finished for a client that left is under way, all of it sent.</summary>
    private bool IsWriteUnderWay(ServerConnection server) =>
        !_unsynced && !_mayBePassedOver && _streaming == 0 && !_copyingIn && server.Owed.ReadyForQueryCount > 0 && server.Retained.IsEmpty && !server.Socket.PeerClosed
        && OwesMoreThanReads(server);

    /// <summary>A pipeline of reads is not worth finishing for nobody, and may be long.</summary>
    private static bool OwesMoreThanReads(ServerConnection server)
    {
        for (var i = 0; i < server.Owed.Count; i++)
        {
            var entry = server.Owed[i];
            if (entry.Kind is ReplyKind.Query or ReplyKind.Execute or ReplyKind.FunctionCall
                && entry.Subject is not StatementInfo { Class: <= StatementClass.Read })
                return true;
        }
        return false;
    }

    private static bool IsCommitUnderWay(ServerConnection server)
    {
        for (var i = 0; i < server.Owed.Count; i++)
        {
            if (server.Owed[i].Subject is StatementInfo { HasTransactionVerb: true } info
                && info.Statements.Any(s => s.Verb is TransactionVerb.Commit or TransactionVerb.CommitPrepared))
                return true;
        }
        return false;
    }
}
