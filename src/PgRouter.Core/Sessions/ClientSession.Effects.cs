using System.Globalization;
using PgRouter.Core.Catalog;
using PgRouter.Core.Servers;
using PgRouter.Protocol;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>
/// What statements that succeeded do to the session: settings that can be replayed go into the journal, anything else that lives in a server
/// pins the client to it until it is gone (docs/pooling.md).
/// </summary>
internal sealed partial class ClientSession
{
    private readonly SettingsJournal _settings;
    private const SessionEffects SettingChanges =
        SessionEffects.SetsParameter | SessionEffects.ResetsParameter | SessionEffects.SetsRole | SessionEffects.SetsTransaction;

    private List<ExecutedText>? _executed;
    private TransactionStatus _statusBefore = TransactionStatus.Idle;
    private int _completed;
    private bool _isImplicitTransaction;

    /// <summary>
    /// At ReadyForQuery: what was carried out since the last one counts, unless an error has rolled it back; an advisory lock of the session
    /// outlives even that.
    /// </summary>
    private void SettleEffects(ServerConnection server, StatementInfo? query)
    {
        if (_executed is not { Count: > 0 } && (query is null || !MayHaveEffects(query)))
            return;
        // What runs without BEGIN up to ReadyForQuery is one transaction: an error takes it back, and a BEGIN in it makes it a block from its start.
        _isImplicitTransaction = !_settings.InTransaction;
        if (_isImplicitTransaction)
            _settings.Begin();
        if (query is not null)
            ApplyEffects(server, new ExecutedText(query, IsOnServer: true), _requestFailed ? Math.Min(_completed, query.Statements.Count) : query.Statements.Count);
        if (_executed is { Count: > 0 } executed)
        {
            foreach (var text in executed)
                ApplyEffects(server, text, text.Info.Statements.Count);
            executed.Clear();
        }
        if (_isImplicitTransaction && server.Status == TransactionStatus.Idle)
            EndImplicitTransaction();
        _isImplicitTransaction = false;
        server.Settings = _settings.OnServer;
    }

    private bool MayHaveEffects(StatementInfo info) =>
        info.Effects != SessionEffects.None || info.HasTransactionVerb || (_pins != PinReasons.None && info.HasDdl);

    private void EndImplicitTransaction()
    {
        if (_requestFailed)
            _settings.Rollback();
        else
            _settings.Commit();
    }

    /// <summary>Called once for each text, with the number of its statements that the server has carried out.</summary>
    private void ApplyEffects(ServerConnection server, ExecutedText text, int count)
    {
        var info = text.Info;
        if (_requestFailed)
            DoubtAfterFailure(info.Effects);
        if (!MayHaveEffects(info))
            return;
        for (var i = 0; i < count; i++)
            Apply(server, info.Statements[i], text.IsOnServer);
        if (info.Statements.Count == 0 && !_requestFailed)
            PinFor(info.Effects); // Not understood, but seen to touch the session.
    }

    private void Apply(ServerConnection server, Statement statement, bool isOnServer)
    {
        if (statement.Verb != TransactionVerb.None)
            ApplyVerb(server, statement);
        var effects = statement.Effects;
        if (effects == SessionEffects.None)
        {
            DoubtAfter(statement);
            return;
        }
        if ((effects & (SessionEffects.Listens | SessionEffects.Unlistens)) != 0)
            NoteChannels(server, effects, statement.Name);
        if ((effects & SessionEffects.Notifies) != 0)
            NoteNotify(server);
        effects &= ~SessionEffects.Listens;
        if ((effects & SessionEffects.DiscardsAll) != 0)
            OnDiscardAll(server);
        if ((effects & SettingChanges) != 0)
            ApplySettings(server, statement, isOnServer);
        if ((effects & Pinning) != 0)
            PinFor(effects & ~SessionEffects.PreparesStatement);
        if (_requestFailed && server.Status == TransactionStatus.Idle)
            DoubtAfterRollback(); // Unless a COMMIT before the error has kept it.
        if ((effects & SessionEffects.PreparesStatement) != 0)
            OnPreparedHere(statement);
        if ((effects & SessionEffects.DeallocatesPrepared) != 0)
            ApplyDeallocate(server, statement.Name);
        DoubtAfter(statement);
    }

    private void ApplyVerb(ServerConnection server, Statement statement)
    {
        switch (statement.Verb)
        {
            case TransactionVerb.Begin:
                _settings.Begin();
                break;
            case TransactionVerb.Commit when _statusBefore == TransactionStatus.Failed:
            case TransactionVerb.Rollback:
                _settings.Rollback();
                DoubtAfterRollback();
                break;
            case TransactionVerb.Commit:
                _settings.Commit();
                break;
            case TransactionVerb.PrepareTransaction:
                _settings.Commit();
                if (!_requestFailed && _statusBefore != TransactionStatus.Failed)
                    _catalog?.PreparedTransactions.Prepared(statement.Name!, _catalogChanged);
                break;
            case TransactionVerb.CommitPrepared or TransactionVerb.RollbackPrepared when !_requestFailed:
                NotePreparedEnd(statement);
                break;
            case TransactionVerb.Savepoint:
                _settings.Savepoint(statement.Name!);
                break;
            case TransactionVerb.RollbackTo:
                _settings.RollbackTo(statement.Name!);
                DoubtAfterRollback();
                break;
            case TransactionVerb.Release:
                _settings.Release(statement.Name!);
                break;
        }
        if (statement.Chains)
            RestartTransactionClock();
        if ((statement.Chains && server.Status != TransactionStatus.Idle) || (_isImplicitTransaction && !_settings.InTransaction))
            _settings.Begin();
    }

    /// <summary>SET, RESET, SET ROLE and set_config with constants: into the journal.</summary>
    private void ApplySettings(ServerConnection server, Statement statement, bool isOnServer)
    {
        if (statement.Kind == StatementKind.Reset && statement.Name is null)
            _settings.ResetAll();
        // By a function, with arguments that the text does not show.
        _hasLocalSettings |= statement.Settings.Count == 0;
        _pathIsOpen |= statement.Settings.Count == 0 && statement.Kind is not (StatementKind.Set or StatementKind.Reset);
        foreach (var change in statement.Settings)
        {
            var (name, value, isLocal) = change;
            if (OwnSettingNames.IsOwn(name))
            {
                ApplyOwn(change, isOnServer);
                continue;
            }
            _hasLocalSettings |= isLocal;
            _pathIsOpen |= isLocal && name is SessionDefaults.SearchPath or SettingsSet.Role or SettingsSet.SessionAuthorization;
            if (isLocal || name.StartsWith("transaction_", StringComparison.Ordinal))
                continue; // Ends with the transaction.
            if (value is null)
                _settings.Reset(name);
            else if (name == SettingsSet.DateStyle && server.Parameters.TryGetValue("DateStyle", out var style))
                _settings.SetReported(name, style);
            else if (_settings.Client.QuotesAllNames && NameLists.Contains(name) && NameLists.QuoteAll(value) is { } quoted)
                _settings.SetReported(name, quoted);
            else
                _settings.Set(name, value);
        }
        BoundSettings();
    }

    /// <summary>DEALLOCATE takes effect at once, whatever becomes of its transaction.</summary>
    private void ApplyDeallocate(ServerConnection server, string? name)
    {
        if (name is null)
            OnDeallocateAll();
        else
            OnDeallocated(server, name);
    }

    /// <summary>DEALLOCATE ALL reached one server; the client's names are gone, the server's shared ones too.</summary>
    private void OnDeallocateAll()
    {
        Unpin(PinReasons.PreparedStatement | PinReasons.LargeStatement);
        _ownNames?.Clear();
        _statements?.Clear();
        _lease?.Server.Prepared.Clear();
    }

    private void OnDiscardAll(ServerConnection server)
    {
        OnDeallocateAll();
        _doubts = PinReasons.None;
        Unpin(~PinReasons.ServerProcess);
        _settings.DiscardAll();
        server.Prepared.Clear();
        server.UnnamedStatementOwner = 0;
        _unnamed.Forget();
    }

    private bool _hasLocalSettings;
    private bool _schemaChanged;

    /// <summary>
    /// What the names in a statement's text mean now. A session whose own objects or settings the journal does not know shares with nobody.
    /// </summary>
    private string NameScope =>
        _hasLocalSettings || (_pins & (PinReasons.Settings | PinReasons.TemporaryObjects)) != 0
            ? string.Create(CultureInfo.InvariantCulture, $"client {Pid}")
            : _settings.Client.Meaning;

    /// <summary>At once for this session itself, and again at the transaction's end, when others see it.</summary>
    private void NoteSchemaChange(StatementInfo info)
    {
        if (!info.HasDdl)
            return;
        _services.Statements.NoteSchemaChange();
        _schemaChanged = true;
        NoteCatalogChange(info);
    }

    /// <summary>The same of code, whose body is known to do it.</summary>
    private void NoteSchemaChange()
    {
        _services.Statements.NoteSchemaChange();
        _schemaChanged = _catalogChanged = true;
        _catalog?.NoteDdl();
    }

    private void OnTransactionEnd()
    {
        _beganAtMs = 0;
        _blockOnStandby = false;
        if (_settings.InTransaction)
        {
            // COMMIT or PREPARE TRANSACTION has failed, and ended the transaction all the same.
            _settings.Rollback();
            DoubtAfterRollback();
            _lease!.Server.Settings = _settings.OnServer;
        }
        _hasLocalSettings = _pathIsOpen = _madeTemporary = false;
        SettleChannels();
        _reported?.Clear();
        if (_schemaChanged)
            _services.Statements.NoteSchemaChange();
        _schemaChanged = false;
        NoteCatalogChangeAtEnd();
        _portal = null;
        _portals?.Clear();
    }

    /// <summary>A text that was carried out, by a server or in the plan alone.</summary>
    private readonly record struct ExecutedText(StatementInfo Info, bool IsOnServer);
}
