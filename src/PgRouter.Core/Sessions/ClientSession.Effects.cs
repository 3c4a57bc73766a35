using System.Globalization;
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
    private const SessionEffects Pinning =
        SessionEffects.CreatesTemporary | SessionEffects.LocksAdvisory | SessionEffects.DeclaresHoldCursor | SessionEffects.Listens
        | SessionEffects.PreparesStatement | SessionEffects.SetsRole | SessionEffects.ChangesSessionOpaquely;

    private readonly SettingsSet _startupSettings;
    private SettingsSet _settings;
    private PinReasons _pins;
    private DateTimeOffset? _pinnedSince;

    private void Pin(PinReasons reason)
    {
        if (_pins == PinReasons.None)
            _pinnedSince = DateTimeOffset.UtcNow;
        _pins |= reason;
    }

    private void Unpin(PinReasons reason)
    {
        _pins &= ~reason;
        if (_pins == PinReasons.None)
            _pinnedSince = null;
    }

    private List<StatementInfo>? _executed;

    /// <summary>
    /// At ReadyForQuery: what was carried out since the last one counts, unless an error has rolled it back; an advisory lock of the session
    /// outlives even that.
    /// </summary>
    private void SettleEffects(ServerConnection server, StatementInfo? query)
    {
        if (query is not null)
            Settle(server, query);
        if (_executed is not { Count: > 0 } executed)
            return;
        foreach (var info in executed)
            Settle(server, info);
        executed.Clear();
    }

    private void Settle(ServerConnection server, StatementInfo info)
    {
        if (!_requestFailed)
            ApplyEffects(server, info);
        else if ((info.Effects & SessionEffects.LocksAdvisory) != 0)
            Pin(PinReasons.AdvisoryLocks);
    }

    /// <summary>Called once for each statement text that the server has carried out.</summary>
    private void ApplyEffects(ServerConnection server, StatementInfo info)
    {
        if (info.Effects == SessionEffects.None)
            return;
        foreach (var statement in info.Statements)
        {
            if (statement.Effects != SessionEffects.None)
                Apply(server, statement);
        }
        if (info.Statements.Count == 0)
            PinFor(info.Effects); // Not understood, but seen to touch the session.
    }

    private void Apply(ServerConnection server, Statement statement)
    {
        var effects = statement.Effects;
        if ((effects & SessionEffects.DiscardsAll) != 0)
            OnDiscardAll(server);
        if ((effects & (SessionEffects.SetsParameter | SessionEffects.ResetsParameter)) != 0)
            OnSetting(server, statement);
        if ((effects & SessionEffects.SetsTransaction) != 0 && !statement.IsLocal && statement.Kind == StatementKind.Set && statement.Name is not null)
            Pin(PinReasons.Settings);
        if ((effects & Pinning) != 0)
            PinFor(effects);
        Release(effects, statement);
    }

    private void PinFor(SessionEffects effects)
    {
        if ((effects & SessionEffects.CreatesTemporary) != 0)
            Pin(PinReasons.TemporaryObjects);
        if ((effects & SessionEffects.LocksAdvisory) != 0)
            Pin(PinReasons.AdvisoryLocks);
        if ((effects & SessionEffects.DeclaresHoldCursor) != 0)
            Pin(PinReasons.HoldCursor);
        if ((effects & SessionEffects.Listens) != 0)
            Pin(PinReasons.Listen);
        if ((effects & SessionEffects.PreparesStatement) != 0)
            Pin(PinReasons.PreparedStatement);
        if ((effects & (SessionEffects.SetsRole | SessionEffects.ChangesSessionOpaquely)) != 0)
            Pin(PinReasons.Settings);
    }

    /// <summary>What ends a pin for certain: the statements that clear all of a kind.</summary>
    private void Release(SessionEffects effects, Statement statement)
    {
        if ((effects & SessionEffects.DiscardsTemp) != 0)
            Unpin(PinReasons.TemporaryObjects);
        if (statement.Name is not null)
            return; // Of one name only: there may be others.
        if ((effects & SessionEffects.Unlistens) != 0)
            Unpin(PinReasons.Listen);
        if ((effects & SessionEffects.ClosesCursor) != 0)
            Unpin(PinReasons.HoldCursor);
        if ((effects & SessionEffects.DeallocatesPrepared) != 0)
            OnDeallocateAll();
    }

    /// <summary>DEALLOCATE ALL reached one server; the client's names are gone, the server's shared ones too.</summary>
    private void OnDeallocateAll()
    {
        Unpin(PinReasons.PreparedStatement | PinReasons.LargeStatement);
        _statements?.Clear();
        _lease?.Server.Prepared.Clear();
    }

    private void OnDiscardAll(ServerConnection server)
    {
        OnDeallocateAll();
        _pins = PinReasons.None;
        _pinnedSince = null;
        _settings = _startupSettings;
        server.Settings = SettingsSet.Empty;
        server.Prepared.Clear();
        server.UnnamedStatementOwner = 0;
        _unnamed.Forget();
    }

    /// <summary>SET and RESET. Outside a transaction they go into the journal at once; inside one they count if it commits.</summary>
    private void OnSetting(ServerConnection server, Statement statement)
    {
        if (statement.IsLocal)
        {
            _hasLocalSettings = true;
            return;
        }
        if (server.Status != TransactionStatus.Idle || statement.Kind is not (StatementKind.Set or StatementKind.Reset))
        {
            Pin(PinReasons.Settings); // Undone by ROLLBACK or set by a function: not to be guessed.
            return;
        }
        if (statement.Name is not { } name)
        {
            _settings = _startupSettings; // RESET ALL
            server.Settings = SettingsSet.Empty;
        }
        else if (statement.Value is { } value)
        {
            server.Settings = server.Settings.With(name, value);
            _settings = _settings.With(name, value);
        }
        else
        {
            server.Settings = server.Settings.WithFrom(name, SettingsSet.Empty);
            _settings = _settings.WithFrom(name, _startupSettings);
        }
    }

    private bool _hasLocalSettings;
    private bool _schemaChanged;

    /// <summary>
    /// What the names in a statement's text mean now. A session whose own objects or settings the journal does not know shares with nobody.
    /// </summary>
    private string NameScope =>
        _hasLocalSettings || (_pins & (PinReasons.Settings | PinReasons.TemporaryObjects)) != 0
            ? string.Create(CultureInfo.InvariantCulture, $"client {Pid}")
            : _settings.SearchPath;

    /// <summary>At once for this session itself, and again at the transaction's end, when others see it.</summary>
    private void NoteSchemaChange(StatementInfo info)
    {
        if (!info.HasDdl)
            return;
        _services.Statements.NoteSchemaChange();
        _schemaChanged = true;
    }

    private void OnTransactionEnd()
    {
        _hasLocalSettings = false;
        if (_schemaChanged)
            _services.Statements.NoteSchemaChange();
        _schemaChanged = false;
        _portal = null;
        _portals?.Clear();
    }
}
