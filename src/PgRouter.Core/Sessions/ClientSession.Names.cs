using System.Text;
using PgRouter.Core.Catalog;
using PgRouter.Core.Relay;
using PgRouter.Core.Routing;
using PgRouter.Core.Servers;
using PgRouter.Protocol;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>
/// Prepared statements by SQL: PREPARE, EXECUTE and DEALLOCATE share one namespace with Parse, Bind and Close, as in PostgreSQL. A PREPARE of its
/// own in a simple query becomes a shared statement like one made by Parse; EXECUTE and DEALLOCATE get the server's name in place of the client's.
/// A PREPARE elsewhere keeps the client's own name on its server, which then stays (pin).
/// </summary>
internal sealed partial class ClientSession
{
    private const SessionEffects NameEffects =
        SessionEffects.PreparesStatement | SessionEffects.ExecutesPrepared | SessionEffects.DeallocatesPrepared;

    /// <summary>Names that a server knows as the client does.</summary>
    private HashSet<byte[]>? _ownNames;
    private IReadOnlyList<PreparedStatement> _usedStatements = [];
    private NamedText? _namedText;
    private bool _isSharedPrepare;

    /// <summary>Statements after which names mean something else: nothing is sent ahead of their answer.</summary>
    private const SessionEffects ChangesNames = SessionEffects.DiscardsAll | SessionEffects.DeallocatesPrepared | SessionEffects.PreparesStatement;

    private bool _awaitsReady;

    /// <summary>Does the text, as far as the grammar knows it, name prepared statements?</summary>
    private static bool HasNames(StatementInfo info) => (info.Effects & NameEffects) != 0 && info.Class != StatementClass.Unknown;

    private Step OnNamedQuery(Span<byte> message, StatementInfo info, out int used)
    {
        used = 0;
        if (IsBusy)
            return Step.Wait;
        var sql = message[MessageHeader.Size..^1];
        var names = PreparedNames.Find(sql, _conformingStrings);
        var isPrepare = info.Statements.Count == 1 && names is [{ Use: PreparedNameUse.Prepare }];
        if (isPrepare && !_unsynced && !_cancelsPending && IsPreparedWithoutServer(sql, names[0]))
        {
            used = message.Length;
            return Step.Continue;
        }
        var hint = info.Hint;
        var marks = RequestMarks.None;
        if (isPrepare)
        {
            // What it prepares is what counts when it is executed.
            var start = PreparedNames.FindQuery(sql, names[0], _conformingStrings);
            if (FindInfo(sql[start..], start) is not { } prepared)
                return AskParser(start, MessageHeader.Size + start, sql.Length - start);
            _preparedInfo = prepared;
        }
        else if (Executed(info, names) is { } executed)
        {
            info = executed.Info;
            marks = MarksOf(executed);
        }
        var verdict = Judge(info);
        marks |= verdict.Marks | MarksOf(info, sql);
        var blocks = BlocksOf(info, verdict);
        _requestReads = verdict.Reads;
        // A PREPARE by itself makes a statement that all servers can have.
        var effects = isPrepare ? info.Effects & ~SessionEffects.PreparesStatement : info.Effects;
        var step = Obtain(verdict.Class, hint ?? info.Hint, blocks.FitStandby, effects, marks);
        if (step != Step.Continue)
            return step;
        _blockHasState |= _blockOnStandby;
        NoteTables(isPrepare ? verdict with { Writes = TableSet.Nothing } : verdict, info.HasTransactionVerb);
        var server = _lease!.Server;
        if (server.Status == TransactionStatus.Failed || _unsynced)
        {
            SendQuery(message, info); // It fails whatever its names; or it follows a Flush, and its effects show later.
        }
        else if (isPrepare)
        {
            SendPrepare(server, message, info, names[0]);
        }
        else
        {
            var text = NamedText.Exchange(sql, names, name => _statements?.Find(name.Name));
            if (text.Uses.Any(statement => !server.Prepared.Touch(statement)))
            {
                _usedStatements = text.Uses;
                return Step.Acquire;
            }
            SendNamed(server, message, info, text, ownName: null);
        }
        used = message.Length;
        return Step.Continue;
    }

    private StatementInfo? _preparedInfo;

    /// <summary>For EXECUTE by itself: what it executes; null when that is not known here.</summary>
    private PreparedStatement? Executed(StatementInfo info, List<PreparedName> names) =>
        info.Statements is [{ Kind: StatementKind.Execute, HasPlainArguments: true }] && names is [var name] ? _statements?.Find(name.Name) : null;

    /// <summary>A text that a server has taken before, while no server is held: as for Parse, none is needed to prepare it.</summary>
    private bool IsPreparedWithoutServer(ReadOnlySpan<byte> sql, PreparedName name)
    {
        var definition = sql[(name.Start + name.Length)..];
        if (_lease is not null || _block == Block.Failed || RefusalOf(name.Name, sql.Length) is not null || _services.Statements.Find(definition, SqlScope)?.KnownGoodFor != Identity.PoolName)
            return false;
        Remember(name.Name, _services.Statements.AcquireSql(definition, TooLarge, SqlScope));
        AnswerPrepare();
        return true;
    }

    private void SendPrepare(ServerConnection server, Span<byte> message, StatementInfo info, PreparedName name)
    {
        var sql = message[MessageHeader.Size..^1];
        if (RefusalOf(name.Name, sql.Length) is { } refusal)
        {
            FailQuery(server, refusal);
            return;
        }
        var statement = _services.Statements.AcquireSql(sql[(name.Start + name.Length)..], _preparedInfo!, SqlScope);
        Remember(name.Name, statement);
        if (server.Prepared.Touch(statement))
        {
            AnswerPrepare();
            ReleaseIfIdle(server);
            return;
        }
        server.Prepared.Add(statement, limit: 0);
        SendNamed(server, message, info, NamedText.Exchange(sql, [name], _ => statement), name.Name);
    }

    /// <param name="server">Where to.</param>
    /// <param name="message">The query as the client sent it.</param>
    /// <param name="info">What it is.</param>
    /// <param name="text">What is sent instead.</param>
    /// <param name="ownName">The name that a PREPARE gives to a shared statement; taken back when it fails.</param>
    private void SendNamed(ServerConnection server, ReadOnlySpan<byte> message, StatementInfo info, NamedText text, byte[]? ownName)
    {
        var statementClass = Judge(info).Class;
        NoteRequest(server, info, statementClass, message, mayRetain: ownName is null && statementClass <= StatementClass.Read);
        server.Owed.Enqueue(new OwedReply(ReplyKind.Query, Subject: info, Name: ownName));
        _namedText = text;
        var output = new BatchOutput(server, Loop.ScratchBuffer);
        output.Message(FrontendMessage.Query, text.Text, Zero);
        output.Complete();
        AfterQuerySent(server);
    }

    /// <summary>The client gets the router's error; in a transaction the server is made to fail too.</summary>
    private void FailQuery(ServerConnection server, LocalReply error)
    {
        if (_block == Block.Begun)
            SendBegin(server);
        server.Owed.Enqueue(new OwedReply(ReplyKind.Query, Subject: error));
        TellNothing();
        var output = new BatchOutput(server, Loop.ScratchBuffer);
        output.Message(FrontendMessage.Query, "EXECUTE "u8, PreparedStatement.NoName, Zero);
        output.Complete();
        AfterQuerySent(server);
    }

    private void AnswerPrepare()
    {
        var writer = new MessageWriter();
        WriteCommandComplete(writer, "PREPARE");
        WriteReady(writer);
        _counters.Queries++;
        _unnamed.Forget();
        SendToClient(writer.WrittenSpan);
        EndRequest();
    }

    private bool IsNameTaken(ReadOnlySpan<byte> name) =>
        _statements?.Find(name) is not null || (_ownNames?.GetAlternateLookup<ReadOnlySpan<byte>>().Contains(name) ?? false);

    /// <summary>Close of a name that the server has as the client gave it: true when the message must reach it.</summary>
    private bool ForgetOwnName(ReadOnlySpan<byte> name)
    {
        if (_ownNames?.GetAlternateLookup<ReadOnlySpan<byte>>().Remove(name) != true)
            return false;
        _doubts |= PinReasons.PreparedStatement;
        return true;
    }

    private void Remember(byte[] name, PreparedStatement statement) => (_statements ??= new StatementMap(_services.Statements)).Add(name, statement);

    /// <summary>PREPARE and Parse make different plans of the same text (what they show of themselves differs): they are not shared with each other.</summary>
    private string SqlScope => NameScope + "\u0001";

    /// <summary>At the end of a simple query that prepares a shared statement: when it failed, the name is free again.</summary>
    private void SettlePrepare(ServerConnection server, byte[]? ownName)
    {
        _isSharedPrepare = ownName is not null;
        if (ownName is null)
            return;
        if (_requestFailed)
            TakeBackPrepare(server, ownName);
        else if (_statements?.Find(ownName) is { } statement)
            statement.KnownGoodFor = Identity.PoolName;
    }

    private void TakeBackPrepare(ServerConnection server, byte[] ownName)
    {
        if (_statements?.Remove(ownName) is { } statement)
            server.Prepared.Remove(statement);
    }

    /// <summary>PREPARE was carried out, under the name the client gave: the server is the only one that has it.</summary>
    private void OnPreparedHere(Statement statement)
    {
        if (_isSharedPrepare)
            return;
        Pin(PinReasons.PreparedStatement);
        if (statement.Name is { } name)
            (_ownNames ??= new HashSet<byte[]>(ByteArrayComparer.Instance)).Add(Encoding.UTF8.GetBytes(name));
    }

    /// <summary>DEALLOCATE of one name was carried out by the server.</summary>
    private void OnDeallocated(ServerConnection server, string name)
    {
        var bytes = Encoding.UTF8.GetBytes(name);
        if (_statements?.Remove(bytes) is { } statement)
            server.Prepared.Remove(statement);
        else if (_ownNames?.Remove(bytes) == true && _ownNames.Count == 0)
            Unpin(PinReasons.PreparedStatement);
    }

    /// <summary>A Parse whose text names prepared statements: the text that is prepared has the servers' names.</summary>
    private bool RewriteNamedParse(ServerConnection server, ReadOnlySpan<byte> body, StatementInfo info, ref BatchOutput output)
    {
        var reader = new MessageReader(body);
        reader.TryReadCString(out var name);
        reader.TryReadCString(out var sql);
        if (IsRefused(server, info))
        {
            output.Message(FrontendMessage.Parse, PreparedStatement.NoName, body[name.Length..]); // Refused, whatever it names.
            server.Owed.Enqueue(new OwedReply(ReplyKind.Parse));
            return true;
        }
        var text = NamedText.Exchange(sql, PreparedNames.Find(sql, _conformingStrings), place => _statements?.Find(place.Name));
        EnsureUsed(server, text.Uses, ref output);
        if (info.Statements is [{ Kind: StatementKind.Execute }] && text.Uses is [var executed])
            info = executed.Info;
        byte[] exchanged = [.. name, 0, .. text.Text, 0, .. reader.Rest];
        if (name.Length > 0)
            return RewriteParse(server, exchanged, info, text.Uses, ref output);
        RememberUnnamed(server, exchanged, info);
        _unnamed.Uses = text.Uses;
        server.Owed.Enqueue(new OwedReply(ReplyKind.Parse));
        output.Message(FrontendMessage.Parse, exchanged);
        return true;
    }

    private void EnsureUsed(ServerConnection server, IReadOnlyList<PreparedStatement> uses, ref BatchOutput output)
    {
        foreach (var used in uses)
        {
            if (!server.Prepared.Touch(used))
                PrepareOn(server, used, null, ref output);
        }
    }

    /// <summary>
    /// Prepares a statement that was made by PREPARE: through a statement and a portal of the router's own, so that those of the client stay.
    /// </summary>
    private static void PrepareBySql(ServerConnection server, PreparedStatement statement, ref BatchOutput output)
    {
        var own = "pgrouter_own\0"u8;
        byte[] text = [.. statement.SqlText(), 0, 0, 0];
        output.Message(FrontendMessage.Close, "S"u8, own); // One that failed has left it.
        output.Message(FrontendMessage.Parse, own, text);
        output.Message(FrontendMessage.Bind, own, own, [0, 0, 0, 0, 0, 0]);
        output.Message(FrontendMessage.Execute, own, [0, 0, 0, 0]);
        output.Message(FrontendMessage.Close, "P"u8, own);
        server.Owed.Enqueue(new OwedReply(ReplyKind.Close, Swallow: true));
        server.Owed.Enqueue(new OwedReply(ReplyKind.Parse, Swallow: true));
        server.Owed.Enqueue(new OwedReply(ReplyKind.Bind, Swallow: true));
        server.Owed.Enqueue(new OwedReply(ReplyKind.Execute, Swallow: true, Subject: statement));
        server.Owed.Enqueue(new OwedReply(ReplyKind.Close, Swallow: true));
    }

    /// <summary>Prepares what a simple query uses, before it is sent. Returns the server's error, which is what the query itself would have met.</summary>
    private async Task<ErrorMessage?> PrepareUsedAsync(ServerConnection server)
    {
        var statements = _usedStatements;
        _usedStatements = [];
        foreach (var statement in statements.Where(s => !server.Prepared.Touch(s)))
        {
            _counters.ServerParses++;
            var (shape, error) = await server.PrepareAsync(statement, _signal, SynchronizeTimeout);
            if (error is not null)
                return AsError(statement.IsSql ? AtClientsPlace(error, statement) : error);
            server.Prepared.Add(statement, limit: 0);
            if (shape != 0 && statement.ResultShape != 0 && shape != statement.ResultShape)
                return ErrorMessage.Error(SqlStates.FeatureNotSupported, "cached plan must not change result type");
        }
        return null;
    }

    /// <summary>The place that an error names in the text of a PREPARE, in the text as the client sent it.</summary>
    private ErrorMessage AtClientsPlace(ErrorMessage error, PreparedStatement statement) =>
        error.Position > 0 && _statements?.NameOf(statement.ServerName) is { } name
            ? error with { Position = error.Position - (statement.ServerName.Length - name.Length) }
            : error;

    /// <summary>
    /// Statements of a batch that were prepared before a change of schema and are not on this server: a session of the client's own would find that
    /// their result has changed. They are prepared, and looked at, before the batch is sent.
    /// </summary>
    private bool HasStale(ReadOnlySpan<byte> batch, ServerConnection server)
    {
        if (!MayPrepare(server))
            return false;
        var stale = new List<PreparedStatement>();
        while (MessageHeader.TryRead(batch, out var type, out var length))
        {
            var reader = new MessageReader(batch[MessageHeader.Size..(length + 1)]);
            var isUse = type == FrontendMessage.Bind && reader.TryReadCString(out _);
            if (isUse && reader.TryReadCString(out var name) && _statements?.Find(name) is { Definition.Length: > 0 } statement
                && statement.Uses.Count == 0 && statement.SchemaVersion != _services.Statements.SchemaVersion && !server.Prepared.Touch(statement))
                stale.Add(statement);
            batch = batch[(length + 1)..];
        }
        _usedStatements = stale;
        return stale.Count > 0;
    }

    /// <summary>The names that were made on the server for pg_prepared_statements to show.</summary>
    private List<byte[]>? _shownNames;

    private const string DeallocateShared = """
        SELECT pg_catalog.string_agg('DEALLOCATE ' OPERATOR(pg_catalog.||) name, '; ') FROM pg_catalog.pg_prepared_statements
        WHERE name OPERATOR(pg_catalog.~) '^pgrouter_'
        """;

    /// <summary>
    /// pg_prepared_statements shows a session's names: what the client has prepared is made again under them, and the shared ones go. Names that
    /// the server has as the client gave them stay.
    /// </summary>
    private async Task<ErrorMessage?> ShowOwnNamesAsync(ServerConnection server)
    {
        if (server.Status == TransactionStatus.Failed || (_pins & PinReasons.LargeStatement) != 0)
            return null; // Fails anyway, or has names that cannot be made again.
        if (_block == Block.Begun && await BeginNowAsync(server) is { } refused)
            return refused;
        if (server.HasClientsNames)
            await ForgetOwnNamesAsync(server);
        server.HasClientsNames = true;
        server.Prepared.Clear();
        var error = await ForgetNamesAsync(server);
        (_shownNames ??= []).Clear();
        foreach (var (name, statement) in _statements?.All ?? [])
        {
            if (server.IsLost || (error is not null && server.Status != TransactionStatus.Idle))
                break;
            error = await server.PrepareAsAsync(name, statement, _signal, SynchronizeTimeout);
            if (error is null) // One that cannot be prepared any more is not shown.
                _shownNames.Add(name);
        }
        return error is not null && server.Status == TransactionStatus.Failed ? AsError(error) : null;
    }

    /// <summary>All statements on the server but those of the client that only it has.</summary>
    private async Task<ErrorMessage?> ForgetNamesAsync(ServerConnection server)
    {
        if ((_pins & PinReasons.PreparedStatement) == 0)
            return await server.ExecuteAsync("DEALLOCATE ALL", _signal, SynchronizeTimeout);
        var (row, error) = await server.QueryRowAsync(DeallocateShared, _signal, SynchronizeTimeout);
        return error is null && row is [{ } deallocate] ? await server.ExecuteAsync(deallocate, _signal, SynchronizeTimeout) : error;
    }

    /// <summary>The names that pg_prepared_statements has shown must not be found by others' EXECUTE, nor by this client's after DEALLOCATE.</summary>
    private async Task ForgetOwnNamesAsync(ServerConnection server)
    {
        if ((_pins & PinReasons.PreparedStatement) == 0)
        {
            server.Prepared.Clear();
            server.HasClientsNames = await server.ExecuteAsync("DEALLOCATE ALL", _signal, SynchronizeTimeout) is not null;
            return;
        }
        var names = string.Join("; ", (_shownNames ?? []).Select(name => $"DEALLOCATE \"{Encoding.UTF8.GetString(name).Replace("\"", "\"\"")}\""));
        server.HasClientsNames = names.Length > 0 && await server.ExecuteAsync(names, _signal, SynchronizeTimeout) is not null;
    }

    /// <summary>An error that names a server's statement, or a place in an exchanged text, in the client's terms; null when it does neither.</summary>
    private byte[]? InClientsTerms(ReadOnlySpan<byte> body)
    {
        var namesOne = body.IndexOf(PreparedStatement.NamePrefix) >= 0;
        if ((!namesOne && _namedText is null) || !ErrorMessage.TryParse(body, out var error))
            return null;
        if (namesOne)
            error = error with { Message = WithClientsNames(error.Message) };
        if (_namedText is { } text && error.Position > 0)
            error = error with { Position = text.OriginalPosition(error.Position) };
        var writer = new MessageWriter();
        error.WriteErrorResponse(writer);
        return writer.WrittenSpan.ToArray();
    }

    private string WithClientsNames(string message)
    {
        const string Prefix = "\"pgrouter_";
        var start = message.IndexOf(Prefix, StringComparison.Ordinal);
        var end = start < 0 ? -1 : message.IndexOf('"', start + 1);
        if (end < 0 || _statements?.NameOf(Encoding.UTF8.GetBytes(message[(start + 1)..end])) is not { } name)
            return message;
        return $"{message[..(start + 1)]}{Encoding.UTF8.GetString(name)}{message[end..]}";
    }
}
