using System.Diagnostics;
using PgRouter.Core.Routing;
using PgRouter.Core.Servers;
using PgRouter.Core.Transport;
using PgRouter.Protocol;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>Client to server: cutting messages into requests, asking what they are, sending them on.</summary>
internal sealed partial class ClientSession
{
    /// <summary>Bytes of one request that are kept while it is incomplete or waits; what is larger streams, and runs on the primary.</summary>
    private const int RequestLimit = 1024 * 1024;

    /// <summary>Reads of one client before others get their turn.</summary>
    private const int RoundsPerTurn = 16;

    private static readonly StatementInfo TooLarge = new(StatementClass.Unknown, "larger than the request buffer", []);
    private static readonly StatementInfo FastPathCall = new(StatementClass.Write, "function call", []);

    private Dictionary<int, StatementInfo>? _resolved;
    private (int Offset, int Start, int Length) _toParse;
    private int _requestLength;
    private bool _requestEndsInReadyForQuery;
    private long _streaming;
    private long _discarding;
    private bool _skipToSync;
    private bool _conformingStrings = true;

    /// <summary>The client's encoding is one in which bytes of SQL may be halves of letters.</summary>
    private bool _hidesAscii;
    private long _lastActivityMs;
    private long _queryCount;

    /// <summary>Takes requests as long as there are bytes and nothing must be waited for.</summary>
    private Step ReadRequests()
    {
        for (var round = 0; !_ended; round++)
        {
            if (!_input.IsEmpty)
            {
                var step = Process(_input.Span, out var consumed);
                ConsumeInput(consumed);
                if (step != Step.Continue)
                    return step;
            }
            if (_ended || IsServerBehind || !_output.IsEmpty)
                return Step.Wait;
            if (round == RoundsPerTurn)
            {
                _signal.Set();
                return Step.Wait;
            }
            var next = _input.IsEmpty ? ReadFresh() : ReadMore();
            if (next != Step.Continue)
                return next;
        }
        return Step.Wait;
    }

    /// <summary>Reads into the loop's buffer and works from there; only what is left over is copied.</summary>
    private Step ReadFresh()
    {
        var buffer = Loop.ReceiveBuffer.AsSpan();
        var count = _client.TryReceive(buffer);
        if (count <= 0)
            return OnNothingRead(count);
        NoteReceived(count);
        var step = Process(buffer[..count], out var consumed);
        _input.Append(buffer[consumed..count]);
        return step;
    }

    /// <summary>Reads behind the part of a request that is already here.</summary>
    private Step ReadMore()
    {
        var count = _input.Receive(_client, Math.Min(RequestLimit, Math.Max(4096, _input.Count)));
        if (count <= 0)
            return OnNothingRead(count);
        NoteReceived(count);
        return Step.Continue;
    }

    private Step OnNothingRead(int result)
    {
        if (result != LoopSocket.WouldBlock)
            Finish("client closed the connection");
        return Step.Wait;
    }

    private void NoteReceived(int count)
    {
        _lastActivityMs = Loop.NowMs;
        _counters.BytesReceived += count;
        _received += count;
    }

    /// <summary>The server has not taken yet what it was sent: the client is not read until it has.</summary>
    private bool IsServerBehind => _lease is { } lease && !lease.Server.Output.IsEmpty;

    private void ConsumeInput(int count)
    {
        if (count > 0)
            _input.Consume(count);
    }

    /// <summary>
    /// Works off complete requests. Continue = all of them are done and more bytes are needed; else what is missing, with the bytes from
    /// <paramref name="consumed"/> on to be given again.
    /// </summary>
    private Step Process(Span<byte> bytes, out int consumed)
    {
        consumed = 0;
        while (!_ended)
        {
            var rest = bytes[consumed..];
            if (_streaming > 0 || _discarding > 0)
            {
                consumed += PassThrough(rest);
                if (_streaming + _discarding > 0 || IsServerBehind)
                    return IsServerBehind ? Step.Wait : Step.Continue;
                continue;
            }
            if (IsServerBehind)
                return Step.Wait;
            if (!MessageHeader.TryRead(rest, out var type, out var length))
                return Step.Continue;
            if (length < MessageHeader.MinLength)
                return ProtocolViolation($"invalid message length {length}");
            if (length > _longestMessage && TooLong(type, length) is { } tooLong)
                return tooLong;
            if (_skipToSync && type is not (FrontendMessage.Sync or FrontendMessage.Terminate))
            {
                _discarding = (long)length + 1;
                continue;
            }
            var step = Request(type, rest, length, out var used);
            consumed += used;
            if (step != Step.Continue || used == 0)
                return step;
        }
        return Step.Wait;
    }

    private Step Request(byte type, Span<byte> rest, int length, out int used)
    {
        if (_copyingIn && _lease is not null && !MayStandInCopy(type))
        {
            used = rest.Length;
            SendToServer(_lease!.Server, rest); // In PostgreSQL it ends the session; its words come with the loss.
            return Step.Wait;
        }
        used = 0;
        // What a standby has refused goes in front of what is not sent yet, not behind it.
        if ((MustWaitForReady || _isFlushing || _rerun == Rerun.Draining) && type is not (FrontendMessage.CopyData or FrontendMessage.CopyDone or FrontendMessage.CopyFail))
            return Step.Wait;
        switch (type)
        {
            case FrontendMessage.Query:
                return OnQuery(rest, length, out used);
            case FrontendMessage.Parse or FrontendMessage.Bind or FrontendMessage.Describe or FrontendMessage.Execute
                or FrontendMessage.Close or FrontendMessage.Sync or FrontendMessage.Flush:
                return OnBatch(rest, out used);
            case FrontendMessage.CopyData or FrontendMessage.CopyDone or FrontendMessage.CopyFail:
                return OnCopyMessage(type, rest, length, out used);
            case FrontendMessage.FunctionCall:
                return OnFunctionCall(rest, length, out used);
            case FrontendMessage.Terminate:
                used = 0;
                if (!IsBusy || _copyingIn)
                    Finish("client terminated");
                return Step.Wait; // What it has asked before is answered first.
            default:
                used = 0;
                return ProtocolViolation($"invalid frontend message type {type}");
        }
    }

    private Step OnQuery(Span<byte> rest, int length, out int used)
    {
        used = 0;
        var total = (long)length + 1;
        if (rest.Length < total)
            return total <= RequestLimit ? Step.Continue : OnLargeQuery(rest, total, out used);
        BeginRequest((int)total, endsInReadyForQuery: true);
        if (length == MessageHeader.MinLength || rest[MessageHeader.Size..(int)total].IndexOf((byte)0) != length - MessageHeader.MinLength - 1)
            return OnMalformed(rest[..(int)total], out used);
        if (Identity.IsConsole)
            return Step.Local;
        var sql = rest[MessageHeader.Size..((int)total - 1)];
        if (FindInfo(sql, 0) is not { } info)
            return AskParser(0, MessageHeader.Size, sql.Length);
        if (info.PidCalls is not null)
            return Step.Rewrite;
        if (IsAnsweredHere(info) || IsCarriedOutHere(info))
        {
            _ownCommand = info;
            return IsBusy ? Step.Wait : Step.Local;
        }
        if (IsBlockRefused(info.OpensBlock) || IsOwnRefused(info))
            return IsBusy ? Step.Wait : Step.Acquire;
        if (info.NamesOwnSettings)
            NoteOwnOfRequest(info);
        if (IsBlockStatement(info) && IsBlockHandledHere(info, sql))
        {
            LogLocal(rest[..(int)total]);
            used = (int)total;
            return Step.Continue;
        }
        if (MayCommitChannels(info.Effects, info.HasTransactionVerb) && CollectChannels([info]))
            return IsBusy ? Step.Wait : Step.Listen;
        if (HasNames(info))
            return OnNamedQuery(rest[..(int)total], info, out used);
        var verdict = Judge(info);
        var blocks = BlocksOf(info, verdict);
        _requestReads = verdict.Reads;
        var step = Obtain(verdict.Class, info.Hint, blocks.FitStandby, info.Effects, verdict.Marks | MarksOf(info, sql));
        if (step != Step.Continue)
            return step;
        used = (int)total;
        FollowBlock(blocks, sql, info);
        NoteTables(verdict, info.HasTransactionVerb);
        SendQuery(rest[..used], info);
        return Step.Continue;
    }

    /// <summary>A simple query that does not fit the buffer: the primary, streamed, and the client keeps its server because nobody knows what it did.</summary>
    private Step OnLargeQuery(Span<byte> rest, long total, out int used)
    {
        used = 0;
        BeginRequest(total > int.MaxValue ? int.MaxValue : (int)total, endsInReadyForQuery: true);
        var step = Obtain(StatementClass.Unknown, null, beginsReadOnly: false, SessionEffects.ChangesSessionOpaquely);
        if (step != Step.Continue)
            return step;
        used = rest.Length;
        Pin(PinReasons.Settings);
        NoteAllTables();
        SendQuery(rest, TooLarge);
        _streaming = total - rest.Length;
        return Step.Continue;
    }

    private void SendQuery(ReadOnlySpan<byte> bytes, StatementInfo info)
    {
        var server = _lease!.Server;
        var statementClass = Judge(info).Class;
        NoteRequest(server, info, statementClass, bytes, mayRetain: statementClass <= StatementClass.Read);
        server.Owed.Enqueue(new OwedReply(ReplyKind.Query, Subject: info));
        SendToServer(server, bytes);
        AfterQuerySent(server);
    }

    private void AfterQuerySent(ServerConnection server)
    {
        server.UnnamedStatementOwner = 0; // A simple query destroys the unnamed statement.
        _unnamed.Forget();
        _mayBePassedOver |= _unsynced; // After an error in what is not synced, PostgreSQL passes over this too.
        _unsynced = false; // It ends the implicit transaction as a Sync would.
        _counters.Queries++;
        EndRequest();
    }

    /// <summary>A message whose body is not what it should be: PostgreSQL says what is wrong with it, and what becomes of the transaction.</summary>
    private Step OnMalformed(ReadOnlySpan<byte> message, out int used)
    {
        used = 0;
        if (Identity.IsConsole)
            return ProtocolViolation("invalid message format");
        var isQuery = message[0] is FrontendMessage.Query or FrontendMessage.Sync;
        BeginRequest(message.Length, endsInReadyForQuery: isQuery);
        var step = Obtain(StatementClass.Unknown, null, beginsReadOnly: false, SessionEffects.None);
        if (step != Step.Continue)
            return step;
        used = message.Length;
        var server = _lease!.Server;
        NoteAllTables();
        NoteRequest(server, TooLarge, StatementClass.Unknown, message, mayRetain: false);
        server.Owed.Enqueue(new OwedReply(isQuery ? ReplyKind.Query : ReplyKind.Describe));
        SendToServer(server, message);
        _unsynced = !isQuery;
        EndRequest();
        return Step.Continue;
    }

    /// <summary>CopyData, its ends, and what PostgreSQL ignores while it reads COPY data (CopyGetData() in copyfromparse.c).</summary>
    private static bool MayStandInCopy(byte type) =>
        type is FrontendMessage.CopyData or FrontendMessage.CopyDone or FrontendMessage.CopyFail or FrontendMessage.Sync or FrontendMessage.Flush
            or FrontendMessage.Terminate;

    private Step OnFunctionCall(Span<byte> rest, int length, out int used)
    {
        used = 0;
        var total = (long)length + 1;
        if (rest.Length < total && total <= RequestLimit)
            return Step.Continue;
        BeginRequest((int)Math.Min(total, int.MaxValue), endsInReadyForQuery: true);
        var step = Obtain(StatementClass.Write, null, beginsReadOnly: false, SessionEffects.None);
        if (step != Step.Continue)
            return step;
        used = (int)Math.Min(total, rest.Length);
        var server = _lease!.Server;
        NoteAllTables();
        NoteRequest(server, FastPathCall, FastPathCall.Class, rest[..used], mayRetain: false);
        server.Owed.Enqueue(new OwedReply(ReplyKind.FunctionCall, Subject: FastPathCall));
        if (!FastPath.IsLargeObjectCall(rest[MessageHeader.Size..used]))
            _doubts |= PinReasons.TemporaryObjects | PinReasons.AdvisoryLocks | PinReasons.HoldCursor;
        _counters.Queries++;
        SendToServer(server, rest[..used]);
        _streaming = total - used;
        EndRequest();
        return Step.Continue;
    }

    /// <summary>COPY data goes to the server that asked for it, many messages in one send; without one PostgreSQL ignores it, and so do we.</summary>
    private Step OnCopyMessage(byte type, Span<byte> rest, int length, out int used)
    {
        used = 0;
        if (_lease is null)
        {
            _discarding = (long)length + 1;
            used = DropNow(rest.Length);
            return Step.Continue;
        }
        var server = _lease.Server;
        if (type != FrontendMessage.CopyData)
        {
            if (rest.Length <= length)
                return length <= RequestLimit ? Step.Continue : ProtocolViolation("CopyFail message is too long");
            if (server.Owed.Count > 0)
                server.Owed.Enqueue(new OwedReply(ReplyKind.CopyEnd));
            _copyingIn = false;
            used = length + 1;
            SendToServer(server, rest[..used]);
            return Step.Continue;
        }
        while (MessageHeader.TryRead(rest[used..], out type, out length) && type == FrontendMessage.CopyData && length >= MessageHeader.MinLength)
        {
            var total = (long)length + 1;
            var here = (int)Math.Min(total, rest.Length - used);
            used += here;
            _streaming = total - here;
            if (_streaming > 0)
                break;
        }
        SendToServer(server, rest[..used]);
        return Step.Continue;
    }

    /// <summary>The rest of a large message: to the server, or nowhere.</summary>
    private int PassThrough(Span<byte> bytes)
    {
        if (_discarding > 0)
            return DropNow(bytes.Length);
        var count = (int)Math.Min(_streaming, bytes.Length);
        _streaming -= count;
        if (_lease is { } lease)
        {
            SendToServer(lease.Server, bytes[..count]);
            if (_streaming == 0)
                ReleaseIfIdle(lease.Server); // COPY data whose COPY had failed before all of it was here.
        }
        return count;
    }

    private int DropNow(int available)
    {
        var count = (int)Math.Min(_discarding, available);
        _discarding -= count;
        return count;
    }

    private void SendToServer(ServerConnection server, ReadOnlySpan<byte> bytes)
    {
        if (!server.Output.Send(server.Socket, bytes))
            _signal.Set(); // The reading side will find the broken connection and say so once.
    }

    private void BeginRequest(int length, bool endsInReadyForQuery)
    {
        _requestLength = length;
        _requestEndsInReadyForQuery = endsInReadyForQuery;
        _leavesStandby = _lacksFreshness = false;
        _requestReads = null;
    }

    private void EndRequest()
    {
        _resolved = null;
        _requestLength = 0;
        _hintOfRequest = null;
        _channelsPrepared = false;
    }

    /// <summary>Bookkeeping of every request that is sent: time, statistics, and a copy while it may still run elsewhere.</summary>
    private void NoteRequest(
        ServerConnection server, StatementInfo info, StatementClass statementClass, ReadOnlySpan<byte> bytes, bool mayRetain)
    {
        if (server.Owed.Count == 0)
        {
            server.RequestStarted = Stopwatch.GetTimestamp();
            BeginFlight();
            _answerStarted = false;
        }
        if (mayRetain && MayRunAgain(server, info))
            server.Retained.Add(bytes, isFirst: server.Owed.Count == 0);
        else
            server.Retained.Forget();
        if (_block == Block.Begun)
            SendBegin(server);
        if (_rerun == Rerun.Pending)
            _rerun = Rerun.Sent;
        NoteSequenceUse(server, statementClass);
        _queryCount++;
        NoteRoute(server, info);
        TellOf(server, bytes, info);
    }

    private void NoteRoute(ServerConnection server, StatementInfo info)
    {
        _reason = _isRoutedAnew ? _decision.Reason : RouteReason.Held;
        _isRoutedAnew = false;
        _nodeCounters!.Count(info);
        _nodeCounters.Routed[(int)_reason]++;
        _host.ShapeCounts.Count(info, _reason, server.Node.Id);
    }

    private StatementInfo? FindInfo(ReadOnlySpan<byte> sql, int offset)
    {
        if (_resolved is not null && _resolved.TryGetValue(offset, out var resolved))
            return resolved;
        return (_hidesAscii ? HiddenAscii.Judge(sql, _conformingStrings) : null) ?? _host.Shapes.Find(sql, _conformingStrings);
    }

    private Step AskParser(int offset, int start, int length)
    {
        _toParse = (offset, start, length);
        return Step.Parse;
    }

    /// <summary>Has the text at <see cref="_toParse"/> of the pending request parsed off the loop and learns its shape.</summary>
    private async Task ParseAsync()
    {
        var (offset, start, length) = _toParse;
        var result = await AnalyzeAsync(_input.Span.Slice(start, length).ToArray());
        (_resolved ??= [])[offset] = result;
        NoteCancelOfPending();
        _signal.Set(); // Socket events that came meanwhile are still to be looked at.
    }

    /// <summary>Has a text parsed off the loop, and learns its shape.</summary>
    private async Task<StatementInfo> AnalyzeAsync(byte[] sql)
    {
        StatementInfo? result = null;
        _services.Parser.Parse(
            sql,
            _conformingStrings,
            info => Loop.Post(
                _ =>
                {
                    result = info;
                    _signal.Set();
                },
                null));
        while (result is null)
            await _signal;
        _host.Shapes.Learn(sql, _conformingStrings, result);
        return result;
    }

    private Step ProtocolViolation(string message)
    {
        SendNow(ErrorMessage.Fatal(SqlStates.ProtocolViolation, message));
        Finish("protocol violation: " + message);
        return Step.Wait;
    }
}
