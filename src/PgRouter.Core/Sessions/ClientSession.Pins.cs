using PgRouter.Core.Servers;
using PgRouter.Protocol;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>
/// Pins: why a client keeps its server. What certainly ties it is pinned from the statement that did it; whether it still does, or whether a
/// function has left something, only the server knows: it is asked once, when the transaction is over (docs/pooling.md).
/// </summary>
internal sealed partial class ClientSession
{
    private const SessionEffects Pinning =
        SessionEffects.CreatesTemporary | SessionEffects.LocksAdvisory | SessionEffects.DeclaresHoldCursor | SessionEffects.Listens
        | SessionEffects.PreparesStatement | SessionEffects.ChangesSessionOpaquely | SessionEffects.BindsToServer;

    /// <summary>What is taken back with the transaction or the savepoint in which it was made.</summary>
    private const PinReasons Transactional = PinReasons.TemporaryObjects | PinReasons.HoldCursor | PinReasons.Listen;

    /// <summary>What the server can be asked about, in the order of the columns of <see cref="PinQuestion"/>.</summary>
    private static readonly PinReasons[] Questions =
    [
        PinReasons.TemporaryObjects, PinReasons.AdvisoryLocks, PinReasons.HoldCursor, PinReasons.Listen, PinReasons.PreparedStatement,
    ];

    /// <summary>Everything by its full name: the client's search_path and its own operators have no say in it.</summary>
    private const string PinQuestion = """
        SELECT EXISTS (SELECT FROM pg_catalog.pg_class WHERE relnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema())
            OR EXISTS (SELECT FROM pg_catalog.pg_type WHERE typnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema())
            OR EXISTS (SELECT FROM pg_catalog.pg_proc WHERE pronamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()),
        EXISTS (SELECT FROM pg_catalog.pg_locks
            WHERE locktype OPERATOR(pg_catalog.=) 'advisory' AND pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()),
        EXISTS (SELECT FROM pg_catalog.pg_cursors WHERE is_holdable),
        EXISTS (SELECT pg_catalog.pg_listening_channels()),
        EXISTS (SELECT FROM pg_catalog.pg_prepared_statements WHERE name OPERATOR(pg_catalog.!~) '^pgrouter_')
        """;

    private PinReasons _pins;
    private DateTimeOffset? _pinnedSince;

    /// <summary>Reasons of which only the server knows whether they hold.</summary>
    private PinReasons _doubts;

    private void Pin(PinReasons reason)
    {
        if ((_pins & reason) == 0)
            _counters.Pins.Count(reason.ToString());
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

    private void PinFor(SessionEffects effects)
    {
        if ((effects & SessionEffects.CreatesTemporary) != 0)
            Pin(PinReasons.TemporaryObjects);
        if ((effects & SessionEffects.LocksAdvisory) != 0)
            PinForLock();
        if ((effects & SessionEffects.DeclaresHoldCursor) != 0)
            Pin(PinReasons.HoldCursor);
        if ((effects & SessionEffects.Listens) != 0)
            Pin(PinReasons.Listen);
        if ((effects & SessionEffects.PreparesStatement) != 0)
            Pin(PinReasons.PreparedStatement);
        if ((effects & SessionEffects.ChangesSessionOpaquely) != 0)
            Pin(PinReasons.Settings);
        if ((effects & SessionEffects.BindsToServer) != 0)
            Pin(PinReasons.ServerProcess);
    }

    /// <summary>A lock outlives even the transaction that failed; whether it was had (pg_try_advisory_lock) the server knows.</summary>
    private void PinForLock()
    {
        Pin(PinReasons.AdvisoryLocks);
        _doubts |= PinReasons.AdvisoryLocks;
    }

    /// <summary>Code that the text does not show was run. Which settings it has left nobody can say afterwards.</summary>
    private void DoubtFor(SessionTraits traits)
    {
        if ((traits & SessionTraits.CreatesTemporary) != 0)
            _doubts |= PinReasons.TemporaryObjects;
        if ((traits & SessionTraits.LocksAdvisory) != 0)
            _doubts |= PinReasons.AdvisoryLocks;
        if ((traits & SessionTraits.HoldsCursor) != 0)
            _doubts |= PinReasons.HoldCursor;
        if ((traits & SessionTraits.Prepares) != 0)
            _doubts |= PinReasons.PreparedStatement;
        if ((traits & SessionTraits.Listens) != 0)
            _doubts |= PinReasons.Listen;
        if ((traits & SessionTraits.ChangesSettings) != 0 && !_requestFailed)
            Pin(PinReasons.Settings);
    }

    /// <summary>A statement that succeeded may have ended a reason.</summary>
    private void DoubtAfter(Statement statement)
    {
        var effects = statement.Effects;
        if (_pins == PinReasons.None)
            return;
        if ((effects & SessionEffects.DiscardsTemp) != 0 || statement.ChangesSchema)
            _doubts |= _pins & PinReasons.TemporaryObjects;
        if ((effects & SessionEffects.UnlocksAdvisory) != 0)
            _doubts |= _pins & PinReasons.AdvisoryLocks;
        if ((effects & SessionEffects.ClosesCursor) != 0)
            _doubts |= _pins & PinReasons.HoldCursor;
        if ((effects & SessionEffects.Unlistens) != 0)
            _doubts |= _pins & PinReasons.Listen;
    }

    /// <summary>What a statement did to locks before it failed stays done.</summary>
    private void DoubtAfterFailure(SessionEffects effects)
    {
        if ((effects & (SessionEffects.LocksAdvisory | SessionEffects.RunsOpaqueCode)) != 0)
            _doubts |= PinReasons.AdvisoryLocks;
    }

    /// <summary>A transaction, or what came after a savepoint, was taken back.</summary>
    private void DoubtAfterRollback() => _doubts |= _pins & Transactional;

    /// <summary>The server has nothing to do for the client and can be asked.</summary>
    private bool MayAskForPins =>
        _lease is { } lease && lease.Server.IsIdle && !_unsynced && _streaming == 0 && lease.Server.BodyRemaining == 0 && lease.Server.Output.IsEmpty && !_ended;

    /// <summary>Asks the server which of the reasons in doubt hold, and gives it back when none does. An error leaves things as they are.</summary>
    private async Task SettlePinsAsync()
    {
        var server = _lease!.Server;
        await JudgeAsync();
        var doubts = _doubts;
        _doubts = PinReasons.None;
        var (row, error) = await server.QueryRowAsync(PinQuestion, _signal, SynchronizeTimeout);
        if (IsLost(server, error))
        {
            _doubts = doubts; // They are lost with it.
            OnServerLost(error!.Message);
            _signal.Set();
            return;
        }
        var isKnown = error is null && row.Length == Questions.Length;
        for (var i = 0; i < Questions.Length; i++)
            Settle(Questions[i], doubts, holds: !isKnown || row[i] == "t");
        ReleaseIfIdle(server);
        _signal.Set(); // Socket events that came meanwhile are still to be looked at.
    }

    /// <summary>A statement of the router's own has met the end of the connection: nothing more will tell of it.</summary>
    private static bool IsLost(ServerConnection server, ErrorMessage? error) =>
        server.IsLost || (error is not null && (server.Socket.PeerClosed || server.Socket.IsClosed));

    private void Settle(PinReasons reason, PinReasons doubts, bool holds)
    {
        if ((doubts & reason) == 0)
            return;
        if (holds)
        {
            Pin(reason);
            return;
        }
        Unpin(reason);
        if (reason == PinReasons.PreparedStatement)
            _ownNames?.Clear();
    }
}
