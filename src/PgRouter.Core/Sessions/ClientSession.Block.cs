using PgRouter.Core.Pooling;
using PgRouter.Core.Routing;
using PgRouter.Core.Servers;
using PgRouter.Protocol;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>
/// A transaction block while it has no server. BEGIN by itself, and the SET TRANSACTION that may follow, are answered here and sent in front of the
/// block's first statement, whose node they share: a client that thinks between BEGIN and its first statement holds nobody up, one round trip is
/// saved, and where the block runs is decided when its modes are known. A block whose server was lost is failed until the client ends it, as
/// PostgreSQL has it: nothing of it may run by itself on another server.
/// </summary>
internal sealed partial class ClientSession
{
    private static readonly byte[] BeginReply = Reply("BEGIN", TransactionStatus.InTransaction);
    private static readonly byte[] StartTransactionReply = Reply("START TRANSACTION", TransactionStatus.InTransaction);
    private static readonly byte[] SetReply = Reply("SET", TransactionStatus.InTransaction);
    private static readonly byte[] CommitReply = Reply("COMMIT", TransactionStatus.Idle);
    private static readonly byte[] RollbackReply = Reply("ROLLBACK", TransactionStatus.Idle);
    private static readonly object BeginMark = new();

    /// <summary>Bytes of ReadyForQuery, the end of each of these replies.</summary>
    private const int ReadyForQueryLength = 6;

    private Block _block;
    private bool _beginUnderWay;

    /// <summary>What BEGIN and SET TRANSACTION have said so far, while no server has been asked.</summary>
    private TransactionModes _modes;
    private RouteHint? _beginHint;

    /// <summary>BEGIN, and each SET TRANSACTION behind it, as they are sent with the block's first statement.</summary>
    private readonly List<Opening> _opening = [];
    private InjectedTexts? _openingTexts;

    private enum Block : byte
    {
        /// <summary>There is none, or its server knows of it.</summary>
        None,

        /// <summary>The client has begun one; no server has been asked yet.</summary>
        Begun,

        /// <summary>Its server was lost: every statement fails until the client ends it.</summary>
        Failed,
    }

    /// <summary>Is it one statement that begins, shapes or ends a block?</summary>
    private static bool IsBlockStatement(StatementInfo info) =>
        info.Class == StatementClass.Transaction && (info.Verb != TransactionVerb.None || SetsModes(info));

    /// <summary>SET TRANSACTION and nothing else; of a snapshot is another matter. In front of a block's first query it cannot fail.</summary>
    private static bool SetsModes(StatementInfo info) =>
        info.Class == StatementClass.Transaction && info.Statements is [{ Kind: StatementKind.Set, Name: "transaction" }];

    /// <summary>BEGIN, SET TRANSACTION behind it, and the end of a block that no server knows of. False = a server must be asked.</summary>
    private bool IsBlockHandledHere(StatementInfo info, ReadOnlySpan<byte> sql)
    {
        if (_lease is not null || info.Statements[0].Chains)
            return false;
        switch (info.Verb)
        {
            case TransactionVerb.Begin when MayBeginLater:
                BeginLater(info, sql);
                AnswerBlock(BeginReplyTo(info));
                return true;
            case TransactionVerb.None when _block == Block.Begun && MaySetModesLater:
                SetModesLater(info, sql);
                AnswerBlock(SetReply);
                return true;
            case TransactionVerb.Rollback when _block != Block.None:
                if (!_lossTookPins)
                    _pendingLoss = null;
                EndBlock(RollbackReply);
                return true;
            case TransactionVerb.Commit when _block == Block.Begun:
                _settings.Commit(); // What was said to the router alone.
                EndBlock(CommitReply);
                return true;
            case TransactionVerb.Commit when _block == Block.Failed && _pendingLoss is null:
                EndBlock(RollbackReply);
                return true;
            case TransactionVerb.Commit when _block == Block.Failed:
                _block = Block.None; // The error that the client has not seen yet is the answer, and the end.
                return false;
            default:
                return false;
        }
    }

    private bool MayBeginLater => _block == Block.None && _pendingLoss is null && !_unsynced;

    private bool MaySetModesLater => _opening.Count < MostOpening;

    private const int MostOpening = 8;

    private static byte[] BeginReplyTo(StatementInfo info) => info.Statements[0].Cause == "BEGIN" ? BeginReply : StartTransactionReply;

    private void BeginLater(StatementInfo info, ReadOnlySpan<byte> sql)
    {
        _block = Block.Begun;
        _beganAtMs = Loop.NowMs;
        _modes = DefaultModes.With(info.Statements[0]);
        _beginHint = info.Hint;
        _settings.Begin();
        _opening.Clear();
        OpenWith(info, sql);
    }

    private void SetModesLater(StatementInfo info, ReadOnlySpan<byte> sql)
    {
        _modes = _modes.With(info.Statements[0]);
        OpenWith(info, sql);
    }

    private void OpenWith(StatementInfo info, ReadOnlySpan<byte> sql) =>
        _opening.Add(new Opening((_openingTexts ??= new InjectedTexts(_services.Statements)).Get(sql, info), null));

    private void EndBlock(byte[] reply)
    {
        EndBlock();
        AnswerBlock(reply);
    }

    private void EndBlock()
    {
        _block = Block.None;
        _beganAtMs = 0;
        _settings.Rollback();
    }

    private void AnswerBlock(byte[] reply)
    {
        _queryCount++;
        _counters.Queries++;
        _unnamed.Forget();
        if (_takenBack is null)
        {
            SendToClient(HoldsOwnReady() ? reply.AsSpan(0, reply.Length - ReadyForQueryLength) : reply);
        }
        else
        {
            var writer = new MessageWriter();
            writer.WriteBytes(reply.AsSpan(0, reply.Length - ReadyForQueryLength));
            WriteReady(writer);
            SendToClient(writer.WrittenSpan);
        }
        EndRequest();
    }

    /// <summary>The blocks of a request that comes now, before any of its statements.</summary>
    private RequestBlocks BlocksOfRequest() =>
        new(_block == Block.Begun || (_blockOnStandby && !_leaseIsFresh), _modes, DefaultModes);

    /// <summary>The same with the one text of the request, where blocks have a say.</summary>
    private RequestBlocks BlocksOf(StatementInfo info, TextVerdict verdict)
    {
        if (_block != Block.Begun && !_blockOnStandby && !info.HasTransactionVerb)
            return default;
        var blocks = BlocksOfRequest();
        blocks.Add(info, verdict.ClassForBlock);
        JudgeBlocks(blocks);
        return blocks;
    }

    /// <summary>What a request in a block without a server needs of its node.</summary>
    private StatementClass ClassInBlock(StatementClass statementClass, ref bool fitsStandby)
    {
        fitsStandby &= _block == Block.Begun && statementClass <= StatementClass.Transaction;
        if (fitsStandby)
            return StatementClass.Transaction;
        return statementClass < StatementClass.Write ? StatementClass.Write : statementClass;
    }

    /// <summary>
    /// Puts the client's BEGIN in front of what is sent next, in one send with it: by Bind and Execute, so that the server skips what follows should
    /// it fail.
    /// </summary>
    private void SendBegin(ServerConnection server)
    {
        _block = Block.None;
        _beginUnderWay = true;
        if (HasOthersSequences(server) && MayUseSequences(_lease!.Pool))
            SendDiscardSequences(server, _lease.Pool);
        var last = _opening.FindLastIndex(opening => opening.Effects is null);
        for (var i = 0; i < _opening.Count; i++)
            KeepExecution(server, _opening[i].Statement, i == last ? BeginMark : _opening[i].Effects);
    }

    private void KeepExecution(ServerConnection server, InjectedStatement injected, object? mark)
    {
        var statement = injected.Statement;
        if (!server.Prepared.Touch(statement))
        {
            server.Prepared.Add(statement, limit: 0);
            server.Output.Keep(statement.Parse());
            server.Owed.Enqueue(new OwedReply(ReplyKind.Parse, Swallow: true, Subject: statement));
            _counters.ServerParses++;
        }
        server.Output.Keep(injected.Messages);
        server.Owed.Enqueue(new OwedReply(ReplyKind.Bind, Swallow: true));
        server.Owed.Enqueue(new OwedReply(ReplyKind.Execute, Swallow: true, Subject: mark));
        server.Owed.Enqueue(new OwedReply(ReplyKind.Close, Swallow: true));
    }

    /// <summary>The block could not begin (a time-out of a millisecond, a cancel): its statements must not run without it.</summary>
    private ReplyVerdict OnBeginFailed(ReadOnlySpan<byte> errorBody)
    {
        ErrorMessage.TryParse(errorBody, out var error);
        _lossError = AsError(error);
        Lost($"the transaction did not begin: {error.Message}");
        return ReplyVerdict.Lost;
    }

    /// <summary>Begins the client's block by itself, for what must be prepared inside it.</summary>
    private async Task<ErrorMessage?> BeginNowAsync(ServerConnection server)
    {
        foreach (var opening in _opening)
        {
            if (await server.ExecuteAsync(opening.Statement.Text, _signal, SynchronizeTimeout) is { } error)
                return AsError(error);
        }
        _block = Block.None;
        return null;
    }

    /// <summary>Gives a block whose server was lost another one, on which it has failed too.</summary>
    private async Task<ErrorMessage?> EnterFailedBlockAsync(ServerConnection server)
    {
        var error = await server.ExecuteAsync("BEGIN; EXECUTE pgrouter_0", _signal, SynchronizeTimeout);
        if (server.Status != TransactionStatus.Failed)
            return error is null ? NoPrimary() : AsError(error);
        _block = Block.None;
        _settings.Begin();
        return null;
    }

    /// <summary>Is a transaction block open on this server, or being opened?</summary>
    private bool IsBlockOpen(ServerConnection server)
    {
        if (server.Status != TransactionStatus.Idle || _beginUnderWay)
            return true;
        for (var i = 0; i < server.Owed.Count; i++)
        {
            if (server.Owed[i].Subject is StatementInfo { HasTransactionVerb: true } info
                && info.Statements.Any(s => s.Verb == TransactionVerb.Begin))
                return true;
        }
        return false;
    }

    /// <param name="Statement">What is sent in front of the block's first statement.</param>
    /// <param name="Effects">A SET whose effects count when it has succeeded; null for BEGIN and SET TRANSACTION.</param>
    private readonly record struct Opening(InjectedStatement Statement, StatementInfo? Effects);

    private static byte[] Reply(string tag, TransactionStatus status)
    {
        var writer = new MessageWriter();
        WriteCommandComplete(writer, tag);
        BackendStartupMessages.WriteReadyForQuery(writer, status);
        return writer.WrittenSpan.ToArray();
    }
}
