using PgRouter.Core.Relay;
using PgRouter.Core.Servers;
using PgRouter.Protocol;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>
/// SET, RESET and SHOW of pgrouter.* settings. By itself such a statement is answered here and costs no server; in a batch of the extended protocol it
/// is answered at its place in the plan. Only in a query with other statements, and as set_config(), does it reach a server, which is rid of it
/// before its next statement. Values are kept in the journal, with the transactions and savepoints of other settings.
/// </summary>
internal sealed partial class ClientSession
{
    /// <summary>What the session says to the router while a query with SET of its own and other statements is routed.</summary>
    private RouteHint? _hintOfRequest;

    /// <summary>The client has sent such a statement by the extended protocol.</summary>
    private bool _knowsOwn;

    /// <summary>What counts now.</summary>
    private OwnSettings Own
    {
        get
        {
            Bind(_catalog?.Current);
            return _settings.Own;
        }
    }

    private RouteHint? SessionHint => _hintOfRequest ?? Own.Hint;

    /// <summary>Can such a statement by itself be answered now? In a failed transaction the server has the word.</summary>
    private bool IsOwnAnsweredHere => Status != TransactionStatus.Failed && _pendingLoss is null && !_unsynced;

    /// <summary>The error for a text that says to the router what cannot be, or says it where that cannot be heard; null when there is none.</summary>
    private static ErrorMessage? CheckOwnSettings(StatementInfo info)
    {
        if (!info.NamesOwnSettings)
            return null;
        var unheard = info.IsOwnSetting
            ? null
            : info.Statements.FirstOrDefault(s => s.Kind is StatementKind.Show or StatementKind.Reset && OwnSettingNames.IsOwn(s.Name));
        return unheard is null
            ? OwnSettingChange.Check(info)
            : ErrorMessage.Error(
                SqlStates.FeatureNotSupported,
                $"{unheard.Kind.ToString().ToUpperInvariant()} {unheard.Name} cannot stand in one query with other statements",
                hint: "Send it by itself.");
    }

    /// <summary>Must a request be refused for what it says to the router? <see cref="AcquireAsync"/> does it when it is its turn.</summary>
    private bool IsOwnRefused(StatementInfo info)
    {
        if (!info.NamesOwnSettings || Status == TransactionStatus.Failed || CheckOwnSettings(info) is not { } error)
            return false;
        _refusal = error;
        return true;
    }

    /// <summary>What stands behind SET in the same query is routed by it.</summary>
    private void NoteOwnOfRequest(StatementInfo info)
    {
        _hintOfRequest = After(Own, info).Hint ?? new RouteHint();
    }

    /// <summary>In a simple query: returns the error that ends its transaction.</summary>
    private async ValueTask<ErrorMessage?> CarryOutOwnAsync(Statement statement, MessageWriter writer)
    {
        if ((await TakeTokenAsync(statement) ?? AnswerOwn(statement, Own, withDescription: true, writer)) is { } error)
        {
            await FailTransactionAsync();
            return error;
        }
        ApplyOwn(statement, isOnServer: false);
        return null;
    }

    /// <summary>In a batch of nothing but such statements; false when it failed.</summary>
    private async ValueTask<bool> ExecuteOwnAsync(Statement statement, MessageWriter writer)
    {
        if ((await TakeTokenAsync(statement) ?? AnswerOwn(statement, Own, withDescription: false, writer)) is { } error)
        {
            await FailTransactionAsync();
            return Refuse(writer, error);
        }
        ApplyOwn(statement, isOnServer: false);
        return true;
    }

    /// <summary>What the client gets, or the error that it gets instead.</summary>
    private ErrorMessage? AnswerOwn(Statement statement, OwnSettings own, bool withDescription, MessageWriter writer)
    {
        if (statement.Kind == StatementKind.Show)
        {
            if (ShownValue(statement.Name!, own) is not { } shown)
                return OwnSettingChange.CannotShow(statement.Name!);
            if (withDescription)
                LocalResult.WriteDescription(writer, ColumnOf(statement), []);
            writer.Begin(BackendMessage.DataRow);
            writer.WriteInt16(1);
            var text = System.Text.Encoding.UTF8.GetBytes(shown);
            writer.WriteInt32(text.Length);
            writer.WriteBytes(text);
            writer.End();
            WriteCommandComplete(writer, "SHOW");
            return null;
        }
        foreach (var change in statement.Settings)
        {
            if (OwnSettingChange.Read(change, out _, out _) is { } error)
                return error;
        }
        if (statement.IsLocal && Status == TransactionStatus.Idle && !_settings.InTransaction)
            WriteNoTransaction(writer);
        WriteCommandComplete(writer, statement.Kind == StatementKind.Reset ? "RESET" : "SET");
        return null;
    }

    private static Admin.AdminColumn[] ColumnOf(Statement statement) =>
        statement.Kind == StatementKind.Show ? [new Admin.AdminColumn(statement.Name!, Admin.AdminType.Text)] : [];

    private static void WriteNoTransaction(MessageWriter writer) =>
        new ErrorMessage
        {
            Severity = ErrorMessage.SeverityWarning,
            Code = SqlStates.NoActiveSqlTransaction,
            Message = "SET LOCAL can only be used in transaction blocks",
        }.WriteNoticeResponse(writer);

    /// <summary>Into the journal; a server that was told too must forget it.</summary>
    private void ApplyOwn(Statement statement, bool isOnServer)
    {
        foreach (var change in statement.Settings)
        {
            if (OwnSettingNames.IsOwn(change.Name))
                ApplyOwn(change, isOnServer);
        }
    }

    private void ApplyOwn(SettingChange change, bool isOnServer)
    {
        if (OwnSettingChange.Read(change, out var row, out var value) is null)
            _settings.SetOwn(row, value, change.IsLocal);
        if (isOnServer && !change.IsLocal)
            _settings.NoteOwnOnServer(change.Name, change.Value ?? "DEFAULT");
    }

    /// <summary>An error of the router's own fails the client's transaction: also that on its server.</summary>
    private async ValueTask FailTransactionAsync()
    {
        if (_block == Block.Begun)
            _block = Block.Failed;
        else if (_lease is { Server: { Status: TransactionStatus.InTransaction } server })
            await server.ExecuteAsync("EXECUTE pgrouter_0", _signal, SynchronizeTimeout);
    }

    /// <summary>Parse of such a statement in a batch with others.</summary>
    private bool ParseOwn(ServerConnection server, ReadOnlySpan<byte> body, StatementInfo info, ref BatchOutput output)
    {
        var reader = new MessageReader(body);
        reader.TryReadCString(out var name);
        _counters.ClientParses++;
        if (name.IsEmpty)
        {
            _unnamed.Remember(body, info, Interlocked.Increment(ref _lastUnnamed));
            Answer(server, new LocalReply(ParseComplete));
            return true;
        }
        if (IsNameTaken(name))
            return Fail(server, LocalReply.DuplicateStatement(name), ref output);
        var ownName = name.ToArray();
        (_statements ??= new StatementMap(_services.Statements)).Add(ownName, _services.Statements.Acquire(reader.Rest, info, NameScope));
        Answer(server, new LocalReply(ParseComplete) { ParsedName = ownName });
        return true;
    }

    /// <summary>The statement of this kind that a message is about, null when it is about another.</summary>
    private StatementInfo? OwnIn(byte type, ReadOnlySpan<byte> body, int position)
    {
        var info = type switch
        {
            FrontendMessage.Parse => InfoOf(body, position),
            FrontendMessage.Bind => BoundInfo(body),
            FrontendMessage.Execute => PortalInfo(body),
            FrontendMessage.Describe when body[0] == (byte)'P' => PortalInfo(body[1..]),
            FrontendMessage.Describe => body.Length == 2 ? _unnamed.Info : _statements?.Find(body[1..^1])?.Info,
            _ => null,
        };
        return info is { IsOwnSetting: true } ? info : null;
    }

    private bool RewriteOwn(ServerConnection server, byte type, ReadOnlySpan<byte> body, StatementInfo info, ref BatchOutput output) => type switch
    {
        FrontendMessage.Parse => ParseOwn(server, body, info, ref output),
        FrontendMessage.Bind => BindOwn(server, body, info, ref output),
        FrontendMessage.Execute => ExecuteOwn(server, info, ref output),
        _ => DescribeOwn(server, body, ref output),
    };

    private bool BindOwn(ServerConnection server, ReadOnlySpan<byte> body, StatementInfo info, ref BatchOutput output)
    {
        var writer = new MessageWriter();
        _counters.Binds++;
        if (!BindLocal(body, writer))
            return Fail(server, new LocalReply(writer.WrittenSpan.ToArray()) { IsError = true }, ref output);
        NotePortal(body, info);
        Answer(server, new LocalReply(writer.WrittenSpan.ToArray()));
        return true;
    }

    private bool DescribeOwn(ServerConnection server, ReadOnlySpan<byte> body, ref BatchOutput output)
    {
        var writer = new MessageWriter();
        if (!DescribeLocal(body, writer))
            return Fail(server, new LocalReply(writer.WrittenSpan.ToArray()) { IsError = true }, ref output);
        Answer(server, new LocalReply(writer.WrittenSpan.ToArray()));
        return true;
    }

    private bool ExecuteOwn(ServerConnection server, StatementInfo info, ref BatchOutput output)
    {
        var writer = new MessageWriter();
        var statement = info.Statements[0];
        if ((IsShowOfToken(statement) ? TokenAmongOthers() : AnswerOwn(statement, OwnInPlan(server), withDescription: false, writer)) is { } error)
        {
            error.WriteErrorResponse(writer);
            return Fail(server, new LocalReply(writer.WrittenSpan.ToArray()) { IsError = true }, ref output);
        }
        _counters.Queries++;
        Answer(server, new LocalReply(writer.WrittenSpan.ToArray()) { Executed = info });
        return true;
    }

    /// <summary>The settings as they will be behind what is in the plan.</summary>
    private OwnSettings OwnInPlan(ServerConnection server)
    {
        var own = Own;
        foreach (var executed in _executed ?? [])
            own = After(own, executed.Info);
        for (var i = 0; i < server.Owed.Count; i++)
        {
            if (server.Owed[i].Subject is LocalReply { Executed: { } planned })
                own = After(own, planned);
        }
        return own;
    }

    private OwnSettings After(OwnSettings own, StatementInfo info)
    {
        if (!info.NamesOwnSettings)
            return own;
        foreach (var change in info.Statements.SelectMany(statement => statement.Settings))
        {
            if (OwnSettingNames.IsOwn(change.Name) && OwnSettingChange.Read(change, out var row, out var value) is null)
                own = own.With(row, value ?? _settings.OwnStartup.Said(row));
        }
        return own;
    }
}
