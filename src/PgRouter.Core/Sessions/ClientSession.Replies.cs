using System.Diagnostics;
using System.Text;
using PgRouter.Core.Configuration;
using PgRouter.Core.Health;
using PgRouter.Core.Relay;
using PgRouter.Core.Servers;
using PgRouter.Core.Transport;
using PgRouter.Protocol;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>Server to client: each message is walked against what the server owes; only headers are read, and the few that carry state.</summary>
internal sealed partial class ClientSession
{
    /// <summary>Bytes of an ErrorResponse that are read: severity, SQLSTATE and message are its first fields.</summary>
    private const int ErrorHead = 8 * 1024;

    /// <summary>The longest ParameterStatus that is believed.</summary>
    private const int LongestParameterStatus = 64 * 1024;

    /// <summary>PostgreSQL builds no message longer than its largest allocation.</summary>
    private const int LongestMessage = 1 << 30;

    private bool _answerStarted;
    private bool _requestFailed;
    private bool _copyingIn;
    private long _transactionStarted;

    /// <summary>Moves what the server has said to the client, as long as both can.</summary>
    private void RelayReplies()
    {
        for (var round = 0; _lease is { } lease && _output.IsEmpty && !_ended && !_readyHeld; round++)
        {
            var server = lease.Server;
            if (round == RoundsPerTurn)
            {
                _signal.Set();
                return;
            }
            var count = ReceiveReplies(server, out var bytes);
            if (count == LoopSocket.WouldBlock)
                return;
            if (count <= 0)
            {
                OnServerLost(count == 0 ? "the server closed the connection" : Native.Describe(server.Socket.Error));
                return;
            }
            Relay(server, bytes);
        }
    }

    /// <summary>Reads into the loop's buffer behind the few bytes of a header that was cut.</summary>
    private int ReceiveReplies(ServerConnection server, out Span<byte> bytes)
    {
        var buffer = Loop.ReceiveBuffer.AsSpan();
        var carried = server.Partial.Count;
        bytes = default;
        if (carried > buffer.Length / 2)
        {
            Break(server, "a message of the server is too long to be understood");
            return LoopSocket.WouldBlock;
        }
        var count = server.Socket.TryReceive(buffer[carried..]);
        if (count <= 0)
            return count;
        if (carried > 0)
        {
            server.Partial.Span.CopyTo(buffer);
            server.Partial.Release();
        }
        bytes = buffer[..(carried + count)];
        return count;
    }

    private void Relay(ServerConnection server, Span<byte> bytes)
    {
        var output = new ReplyOutput(bytes, Loop.ScratchBuffer, _client, ref _output);
        var outcome = Walk(server, bytes, ref output);
        _answerStarted |= output.ForwardedSinceMark > 0;
        _counters.BytesSent += output.Forwarded;
        if (outcome == WalkOutcome.Lost && _rerun != Rerun.Abandoning)
        {
            output.Complete();
            OnServerLost(_lossReason);
            return;
        }
        // The server is free for others before the client's send: shorter hold, and the send costs it nothing.
        if (outcome == WalkOutcome.ReadyForQuery || _isFlushed)
            ReleaseIfIdle(server);
        _isFlushed = false;
        output.Complete();
        if (!output.IsWhole)
            Finish("client went away");
        else if (_rerun is Rerun.Drained or Rerun.Abandoning)
            RunOnPrimary(server);
        else if (outcome == WalkOutcome.ReadyForQuery && server.Status != TransactionStatus.Idle && _poolMode == PoolMode.Statement)
            RefuseTransaction();
    }

    private enum WalkOutcome
    {
        More,

        /// <summary>At least one ReadyForQuery came.</summary>
        ReadyForQuery,

        /// <summary>The server says that it is going away, or said what nobody understands.</summary>
        Lost,
    }

    private WalkOutcome Walk(ServerConnection server, Span<byte> bytes, ref ReplyOutput output)
    {
        var outcome = WalkOutcome.More;
        var position = ContinueBody(server, bytes, ref output);
        if (server.BodyRemaining == 0)
            EmitLocalReplies(server, ref output);
        while (MessageHeader.TryRead(bytes[position..], out var type, out var length))
        {
            if (length is < MessageHeader.MinLength or > LongestMessage || (type == BackendMessage.ReadyForQuery && length != MessageHeader.MinLength + 1))
                return Lost($"{server.Node} sent a message of length {length}");
            var available = Math.Min((long)length + 1, bytes.Length - position);
            if (available < Wanted(server, type, length))
                break;
            var body = bytes.Slice(position + MessageHeader.Size, (int)available - MessageHeader.Size);
            if (type == BackendMessage.DataRow || type == BackendMessage.CopyData)
            {
                output.Forward(position, (int)available);
            }
            else
            {
                var verdict = OnReply(server, type, length, body, position, ref output);
                if (verdict == ReplyVerdict.Lost)
                    return WalkOutcome.Lost;
                if (type == BackendMessage.ReadyForQuery && verdict == ReplyVerdict.Forward)
                    outcome = WalkOutcome.ReadyForQuery;
                if (verdict == ReplyVerdict.Forward)
                    output.Forward(position, (int)available);
                if (outcome == WalkOutcome.ReadyForQuery && type == BackendMessage.ReadyForQuery)
                    BeginAnswer(ref output);
                server.BodySwallowed = verdict == ReplyVerdict.Swallow;
            }
            position += (int)available;
            server.BodyRemaining = (int)(length + 1 - available);
            if (server.BodyRemaining > 0)
                return outcome;
            EmitLocalReplies(server, ref output); // Never into the middle of a message.
        }
        if (position < bytes.Length)
            server.Partial.Append(bytes[position..]);
        return outcome;
    }

    /// <summary>What comes from here on answers another request.</summary>
    private void BeginAnswer(ref ReplyOutput output)
    {
        output.Mark();
        _answerStarted = false;
    }

    /// <summary>The rest of a message whose head went before.</summary>
    private int ContinueBody(ServerConnection server, Span<byte> bytes, ref ReplyOutput output)
    {
        if (server.BodyRemaining == 0)
            return 0;
        var count = Math.Min(server.BodyRemaining, bytes.Length);
        if (!server.BodySwallowed)
            output.Forward(0, count);
        server.BodyRemaining -= count;
        if (server.BodyRemaining > 0)
            return count;
        server.BodySwallowed = false;
        EmitLocalReplies(server, ref output);
        return count;
    }

    /// <summary>How much of a message must be here before it can be dealt with.</summary>
    private static int Wanted(ServerConnection server, byte type, int length) => type switch
    {
        BackendMessage.ReadyForQuery => length + 1,
        BackendMessage.RowDescription when server.Owed.Count > 0 && server.Owed.Head is { Kind: ReplyKind.Describe, Subject: PreparedStatement } =>
            Math.Min(length + 1, LongestParameterStatus),
        BackendMessage.ErrorResponse when InfoOfHead(server)?.Edits is not null => Math.Min(length + 1, LongestParameterStatus),
        BackendMessage.ErrorResponse or BackendMessage.NoticeResponse => Math.Min(length + 1, ErrorHead),
        BackendMessage.ParameterStatus or BackendMessage.NotificationResponse => Math.Min(length + 1, LongestParameterStatus),
        _ => MessageHeader.Size,
    };

    private enum ReplyVerdict
    {
        Forward,
        Swallow,
        Lost,
    }

    private ReplyVerdict OnReply(ServerConnection server, byte type, int length, ReadOnlySpan<byte> body, int position, ref ReplyOutput output)
    {
        switch (type)
        {
            case BackendMessage.ReadyForQuery:
                var ready = OnReadyForQuery(server, body[0]);
                if (_told is { Count: > 0 } && ready == ReplyVerdict.Forward)
                    TellClient(ref output);
                return BeforeReady(HoldReady(server, ready), ref output);
            case BackendMessage.CommandComplete or BackendMessage.EmptyQueryResponse or BackendMessage.PortalSuspended:
                return OnExecuted(server, ReplyKind.Execute);
            case BackendMessage.ParseComplete:
                if (server.Owed.Count > 0 && server.Owed.Head.Subject is PreparedStatement parsed)
                    parsed.KnownGoodFor = Identity.PoolName;
                return Answered(server, ReplyKind.Parse);
            case BackendMessage.BindComplete:
                return Answered(server, ReplyKind.Bind);
            case BackendMessage.CloseComplete:
                return Answered(server, ReplyKind.Close);
            case BackendMessage.NoData:
                if (server.Owed.Count > 0 && server.Owed.Head.Subject is PreparedStatement described)
                    described.ResultShape = PreparedStatement.ShapeOf([]);
                return Answered(server, ReplyKind.Describe);
            case BackendMessage.RowDescription:
                return OnRowDescription(server, body);
            case BackendMessage.ErrorResponse:
                return OnError(server, body, ref output);
            case BackendMessage.NoticeResponse:
                return IsFarewell(server, body) ? ReplyVerdict.Swallow : ReplyVerdict.Forward;
            case BackendMessage.ParameterStatus:
                return OnParameterStatus(server, body);
            case BackendMessage.CopyInResponse:
                OnCopyIn(server);
                return ReplyVerdict.Forward;
            case BackendMessage.ParameterDescription:
                return server.Owed.Count > 0 && server.Owed.Head is { Kind: ReplyKind.Describe, Swallow: true } ? ReplyVerdict.Swallow : ReplyVerdict.Forward;
            case BackendMessage.CopyOutResponse or BackendMessage.CopyBothResponse or BackendMessage.CopyDone
                or BackendMessage.FunctionCallResponse:
                return ReplyVerdict.Forward;
            case BackendMessage.NotificationResponse:
                return OnNotification(server, body, ref output);
            default:
                Lost($"{server.Node} sent a message of unknown type {type}");
                return ReplyVerdict.Lost;
        }
    }

    /// <summary>The head of the plan was answered; anything else at the head means that nobody knows any more what belongs to whom.</summary>
    private ReplyVerdict Answered(ServerConnection server, ReplyKind kind)
    {
        if (server.Owed.Count == 0 || server.Owed.Head.Kind != kind)
        {
            Lost($"{server.Node} answered what was not asked ({kind})");
            return ReplyVerdict.Lost;
        }
        return server.Owed.Dequeue().Swallow ? ReplyVerdict.Swallow : ReplyVerdict.Forward;
    }

    /// <summary>Rows of a portal, or what a statement will give; the latter also for the router, which notes it with the shared statement.</summary>
    private ReplyVerdict OnRowDescription(ServerConnection server, ReadOnlySpan<byte> rowDescription)
    {
        if (server.Owed.Count == 0 || server.Owed.Head.Kind != ReplyKind.Describe)
            return ReplyVerdict.Forward; // Of a simple query.
        var described = server.Owed.Dequeue();
        if (described.Subject is PreparedStatement statement)
            statement.ResultShape = PreparedStatement.ShapeOf(rowDescription);
        return described.Swallow ? ReplyVerdict.Swallow : ReplyVerdict.Forward;
    }

    private ReplyVerdict OnExecuted(ServerConnection server, ReplyKind kind)
    {
        if (server.Owed.Count == 0)
            return ReplyVerdict.Forward;
        if (server.Owed.Head.Kind == ReplyKind.Query)
        {
            if (server.Owed.Head.Subject is StatementInfo { Signals: not null } signalling)
                SendSignals(signalling, _completed);
            _completed++;
        }
        else if (server.Owed.Head.Kind == kind)
            return OnPortalExecuted(server, server.Owed.Dequeue());
        return ReplyVerdict.Forward;
    }

    private ReplyVerdict OnPortalExecuted(ServerConnection server, in OwedReply done)
    {
        if (done.Subject is StatementInfo info)
        {
            NoteTraits(server, info);
            NoteSchemaChange(info);
            if (info.Signals is not null)
                SendSignals(info, 0);
            if (MayHaveEffects(info))
                (_executed ??= []).Add(new ExecutedText(info, IsOnServer: true));
        }
        else if (ReferenceEquals(done.Subject, BeginMark))
        {
            _beginUnderWay = false;
            server.Status = TransactionStatus.InTransaction; // Its first ReadyForQuery comes with the first statement's.
            _transactionStarted = server.RequestStarted;
        }
        else if (done.Subject is PreparedStatement prepared)
        {
            prepared.KnownGoodFor = Identity.PoolName;
        }
        return done.Swallow ? ReplyVerdict.Swallow : ReplyVerdict.Forward;
    }

    private ReplyVerdict OnReadyForQuery(ServerConnection server, byte status)
    {
        if (server.Owed.Count == 0 || server.Owed.Head.Kind is not (ReplyKind.Query or ReplyKind.Sync or ReplyKind.FunctionCall))
        {
            Lost($"{server.Node} said ready for query while nobody asked");
            return ReplyVerdict.Lost;
        }
        var done = server.Owed.Dequeue();
        _statusBefore = server.Status;
        server.Status = (TransactionStatus)status;
        if (done.Swallow)
        {
            if (ReferenceEquals(done.Subject, FlushMark))
                return OnFlushed(server);
            if (_rerun == Rerun.Draining)
                _rerun = Rerun.Drained;
            return ReplyVerdict.Swallow; // Of the router's own, in front of the client's; or of what is to run again.
        }
        SettleTables(server, done.Subject as StatementInfo);
        if (done.Subject is StatementInfo query)
        {
            NoteTraits(server, query);
            NoteSchemaChange(query);
        }
        _awaitsReady = false;
        _definesNames &= server.Owed.ReadyForQueryCount > 0;
        SettlePrepare(server, done.Name);
        SettleEffects(server, done.Subject as StatementInfo);
        _namedText = null;
        // A simple query ends what a Flush before it left open: its ReadyForQuery is the batch's too.
        if (done.Kind == ReplyKind.Query && server.Owed.Count == 0 && _streaming == 0)
            _unsynced = false;
        SettleRerun();
        _readyAtMs = Loop.NowMs;
        _requestFailed = false;
        _completed = 0;
        _copyingIn = false;
        CountTimes(server, _statusBefore);
        if (server.Owed.Count == 0)
        {
            _mayBePassedOver = false;
            EndFlight();
        }
        if (server.Status == TransactionStatus.Idle)
            OnTransactionEnd();
        server.Retained.Settle();
        _excludedNodes = 0;
        _ranAgainAlone = false;
        return ReplyVerdict.Forward;
    }

    private ReplyVerdict BeforeReady(ReplyVerdict verdict, ref ReplyOutput output)
    {
        if (verdict == ReplyVerdict.Forward)
            InsertTakenBack(ref output);
        return verdict;
    }

    private void CountTimes(ServerConnection server, TransactionStatus before)
    {
        var now = Stopwatch.GetTimestamp();
        _serverTicks = now - server.RequestStarted;
        _counters.QueryTicks += _serverTicks;
        if (_services.Config().BalancePolicy == BalancePolicy.LowestLatency)
            NoteLatency(Stopwatch.GetElapsedTime(server.RequestStarted, now).TotalMilliseconds, before == TransactionStatus.Idle && server.Owed.Count == 0);
        if (before == TransactionStatus.Idle)
            _transactionStarted = server.RequestStarted;
        server.RequestStarted = now;
        if (server.Status != TransactionStatus.Idle)
            return;
        _counters.Transactions++;
        _counters.TransactionTicks += now - _transactionStarted;
    }

    private ReplyVerdict OnError(ServerConnection server, ReadOnlySpan<byte> body, ref ReplyOutput output)
    {
        ErrorMessage.TryGetCode(body, out var code);
        if (ErrorMessage.IsFatal(body))
        {
            _nodeCounters!.Fatals++;
            _terminatesItself = code.SequenceEqual("57P01"u8) && IsOwnTermination(server);
            _lossFault = NodeFaults.FromSqlState(Encoding.ASCII.GetString(code)); // Any other end is this session's, not the node's.
            if (EndsClientsSession(code) && ErrorMessage.TryParse(body, out var farewell))
                _farewell = farewell;
            Lost(DescribeLoss(body));
            return ReplyVerdict.Lost;
        }
        if (_beginUnderWay)
            return OnBeginFailed(body);
        _nodeCounters!.Errors++;
        if (OnRefused(server, body, code, ref output) is { } verdict)
            return verdict;
        _requestFailed = true;
        if (server.Owed.Count > 0 && server.Owed.Head is { Kind: ReplyKind.Execute, Subject: StatementInfo failed })
            DoubtAfterFailure(failed.Effects);
        // The server was made to fail: the client gets the router's error in place of the server's.
        var own = server.Owed.Count > 0 ? server.Owed.Head.Subject as LocalReply ?? TimeoutReply(server, code) : null;
        var replacement = own?.Bytes ?? ErrorOfClientsText(server, body);
        if (replacement is not null)
            output.Insert(replacement);
        if (server.Owed.Count > 0 && server.Owed.Head.Kind is not (ReplyKind.Query or ReplyKind.FunctionCall))
            SkipToSync(server);
        return replacement is null ? ReplyVerdict.Forward : ReplyVerdict.Swallow;
    }

    /// <summary>The client's own settings (idle_in_transaction_session_timeout) or its breach of the protocol end its session, as they would directly.</summary>
    private static bool EndsClientsSession(ReadOnlySpan<byte> code) => code.SequenceEqual("25P03"u8) || code.SequenceEqual("08P01"u8);

    /// <summary>
    /// An immediate shutdown and the crash of another backend are announced by a warning (quickdie() in PostgreSQL's postgres.c) before the
    /// connection ends. A read that runs elsewhere then has not been answered by it.
    /// </summary>
    private bool IsFarewell(ServerConnection server, ReadOnlySpan<byte> body) =>
        !_answerStarted && !server.Retained.IsEmpty && ErrorMessage.TryGetCode(body, out var code)
        && (code.SequenceEqual("57P01"u8) || code.SequenceEqual("57P02"u8));

    private static string DescribeLoss(ReadOnlySpan<byte> body)
    {
        ErrorMessage.TryGetField(body, (byte)'M', out var message);
        ErrorMessage.TryGetCode(body, out var code);
        return $"{Encoding.UTF8.GetString(message)} (SQLSTATE {Encoding.UTF8.GetString(code)})";
    }

    /// <summary>After an error in the extended protocol the server skips to Sync: what it skips is taken back, on this side too.</summary>
    private void SkipToSync(ServerConnection server)
    {
        var skipped = 0;
        while (skipped < server.Owed.Count && server.Owed[skipped].Kind != ReplyKind.Sync)
            skipped++;
        var unnamedIsLater = HasUnnamedParse(server, from: skipped);
        // The last first: a name may have been closed and made again.
        for (var i = skipped - 1; i >= 0; i--)
            TakeBack(server, server.Owed[i], unnamedIsLater);
        while (skipped-- > 0)
            server.Owed.Dequeue();
        _copyingIn = false; // From here on the server heeds a Sync again.
        if (server.Owed.Count == 0)
            _skipToSync = true; // The Sync is still to come from the client.
    }

    private static bool HasUnnamedParse(ServerConnection server, int from)
    {
        for (var i = from; i < server.Owed.Count; i++)
        {
            if (server.Owed[i] is { Kind: ReplyKind.Parse, Swallow: false, Subject: null })
                return true;
        }
        return false;
    }

    /// <summary>What did not happen must not be remembered as done.</summary>
    /// <param name="server">Where it did not happen.</param>
    /// <param name="entry">What.</param>
    /// <param name="unnamedIsLater">The client's unnamed statement is that of a later batch, which is still to be carried out.</param>
    private void TakeBack(ServerConnection server, in OwedReply entry, bool unnamedIsLater = false)
    {
        switch (entry.Kind)
        {
            case ReplyKind.Parse when entry.Subject is PreparedStatement statement:
                server.Prepared.Remove(statement);
                if (entry.Name is not null)
                    _statements!.Remove(entry.Name);
                break;
            case ReplyKind.Execute when entry.Subject is PreparedStatement prepared:
                server.Prepared.Remove(prepared);
                break;
            case ReplyKind.Parse when unnamedIsLater:
                break;
            case ReplyKind.Parse:
                server.UnnamedStatementOwner = 0;
                if (!entry.Swallow)
                    _unnamed.Forget();
                break;
            case ReplyKind.Query when entry.Name is not null:
                TakeBackPrepare(server, entry.Name);
                break;
            case ReplyKind.Close when entry.Subject is PreparedStatement displaced:
                server.Prepared.Add(displaced, limit: 0);
                break;
            case ReplyKind.Local when entry.Subject is LocalReply reply:
                TakeBackLocal(reply);
                break;
        }
    }

    private void TakeBackLocal(LocalReply reply)
    {
        if (reply.ParsedName is not null)
            _statements!.Remove(reply.ParsedName);
        if (reply.ClosedName is { } name && reply.ClosedStatement is { } closed)
            _statements!.Add(name, _services.Statements.Acquire(closed.Definition, closed.Info, closed.Scope));
    }

    /// <summary>COPY data is wanted. In the extended protocol the server now ignores a Sync that was sent before CopyDone or CopyFail.</summary>
    private void OnCopyIn(ServerConnection server)
    {
        _copyingIn = true;
        if (server.Owed.Count == 0 || server.Owed.Head.Kind != ReplyKind.Execute)
        {
            _copyingIn = !HasCopyEnd(server);
            return;
        }
        for (var i = 1; i < server.Owed.Count;)
        {
            var kind = server.Owed[i].Kind;
            if (kind == ReplyKind.CopyEnd)
            {
                _copyingIn = false;
                return;
            }
            if (kind == ReplyKind.Sync)
                server.Owed.RemoveAt(i);
            else
                i++;
        }
    }

    private static bool HasCopyEnd(ServerConnection server)
    {
        for (var i = 0; i < server.Owed.Count; i++)
        {
            if (server.Owed[i].Kind == ReplyKind.CopyEnd)
                return true;
        }
        return false;
    }

    /// <summary>Replies of the router's own whose turn has come, into the stream of the server's.</summary>
    private void EmitLocalReplies(ServerConnection server, ref ReplyOutput output)
    {
        while (server.Owed.Count > 0 && server.Owed.Head.Kind is ReplyKind.Local or ReplyKind.CopyEnd)
        {
            var entry = server.Owed.Dequeue();
            if (entry.Subject is not LocalReply reply)
                continue;
            output.Insert(reply.Bytes);
            if (reply.Executed is { } text)
                (_executed ??= []).Add(new ExecutedText(text, IsOnServer: false));
            _requestFailed |= reply.IsError;
        }
    }

    /// <summary>The same when nothing of the server is owed before them.</summary>
    private void EmitLocalReplies(ServerConnection server)
    {
        if (server.Owed.Count == 0 || server.Owed.Head.Kind is not (ReplyKind.Local or ReplyKind.CopyEnd))
            return;
        var output = new ReplyOutput(default, Loop.ScratchBuffer, _client, ref _output);
        EmitLocalReplies(server, ref output);
        _answerStarted |= output.Forwarded > 0;
        output.Complete();
        if (!output.IsWhole)
            Finish("client went away");
    }

    private WalkOutcome Lost(string reason)
    {
        _lossReason = reason;
        return WalkOutcome.Lost;
    }

    private void SendToClient(ReadOnlySpan<byte> bytes)
    {
        _counters.BytesSent += bytes.Length;
        if (!_output.Send(_client, bytes))
            Finish("client went away");
    }
}
