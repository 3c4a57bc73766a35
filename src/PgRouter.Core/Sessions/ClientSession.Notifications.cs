using System.Text;
using PgRouter.Core.Configuration;
using PgRouter.Core.Notifications;
using PgRouter.Core.Servers;
using PgRouter.Core.Transport;
using PgRouter.Protocol;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>
/// LISTEN and NOTIFY over the shared listening connection (docs/notifications.md). LISTEN itself runs on the pooled server, so that its answer
/// and its part in the transaction are PostgreSQL's; when it is committed the client is subscribed, and the server stops listening before
/// another client gets it. A client that listens gets what was notified before the ReadyForQuery that ends its transaction, or when it is idle.
/// </summary>
internal sealed partial class ClientSession
{
    private Subscriber? _subscriber;
    private ChannelSet _channels = ChannelSet.Empty;
    private List<string>? _channelsToPrepare;
    private bool _channelsPrepared;
    private bool _hasClaims;
    private bool _readyHeld;
    private bool _readsUtf8 = true;

    private bool IsListening => _subscriber is not null && _channels.Count > 0;

    /// <summary>
    /// In session mode the server is the client's own; so it is when the client listens in another encoding than the shared connection, or in a
    /// text that nobody understands.
    /// </summary>
    private bool ListensThroughHub =>
        (_pins & PinReasons.Listen) == 0 && (_subscriber is not null || (_readsUtf8 && _poolMode != PoolMode.Session));

    /// <summary>Is this request one that may commit a LISTEN? Then the shared connection must listen before it runs.</summary>
    private bool MayCommitChannels(SessionEffects effects, bool hasVerb) =>
        !_channelsPrepared && ((effects & SessionEffects.Listens) != 0 || (hasVerb && !ReferenceEquals(_settings.Channels, _channels)));

    /// <summary>Notes the channels that the shared connection must listen to before the request runs. False when it need not, or does already.</summary>
    private bool CollectChannels(IReadOnlyList<StatementInfo> texts, bool commits = false)
    {
        var names = new List<string>(_settings.Channels.Names);
        var inBlock = Status != TransactionStatus.Idle;
        foreach (var statement in texts.SelectMany(text => text.Statements))
        {
            if (statement.Kind == StatementKind.Listen && statement.Name is { } name)
                names.Add(name);
            commits |= statement.Verb == TransactionVerb.Commit;
            inBlock = statement.Verb switch
            {
                TransactionVerb.Begin => true,
                TransactionVerb.Commit or TransactionVerb.Rollback or TransactionVerb.PrepareTransaction => statement.Chains,
                _ => inBlock,
            };
        }
        _channelsToPrepare = [.. names.Where(name => !_channels.Contains(name)).Distinct()];
        return (commits || !inBlock) && _channelsToPrepare.Count > 0 && ListensThroughHub;
    }

    /// <summary>
    /// Waits until the shared connection listens for this client. When it cannot, a LISTEN by itself fails with the reason; a COMMIT, or what
    /// cannot be refused alone, goes on, and the client is told that it does not hear yet.
    /// </summary>
    private async Task PrepareChannelsAsync()
    {
        var names = _channelsToPrepare!;
        var (isDone, error) = (false, (ErrorMessage?)null);
        _subscriber ??= _services.Notifications.Join(Identity.Database, Identity.User, Loop, _signal.Set);
        _hasClaims = true;
        _subscriber.Prepare(
            names,
            answer =>
            {
                (isDone, error) = (true, answer);
                _signal.Set();
            });
        using var deadline = new Deadline(_signal);
        deadline.Start(_services.Config().QueryWaitTimeout);
        while (!isDone && !_ended && !deadline.HasPassed && !_client.PeerClosed && !_cancelRequested && !_terminateAtOnce)
            await _signal;
        _signal.Set(); // Socket events that came meanwhile are still to be looked at.
        if (!isDone)
        {
            error = _cancelRequested
                ? ErrorMessage.Error(SqlStates.QueryCanceled, "canceling statement due to user request")
                : ErrorMessage.Error(SqlStates.ConnectionFailure, "the connection that listens could not be opened in time (query_wait_timeout)");
            DropCancel();
        }
        _channelsPrepared = true;
        if (error is null)
            return;
        if (Status == TransactionStatus.Idle && !_unsynced)
        {
            FailRequest(AsError(error));
            return;
        }
        _subscriber.Tell(ListenNotices.NotListening(names, error.Message));
    }

    /// <summary>LISTEN or UNLISTEN has succeeded on the server.</summary>
    private void NoteChannels(ServerConnection server, SessionEffects effects, string? channel)
    {
        if ((effects & SessionEffects.Listens) == 0)
        {
            _settings.Unlisten(channel);
            return;
        }
        if (channel is null || !ListensThroughHub)
        {
            if (!(_requestFailed && server.Status == TransactionStatus.Idle))
                PinFor(SessionEffects.Listens);
            return;
        }
        _settings.Listen(channel);
        MarkListening(server);
    }

    private void MarkListening(ServerConnection server)
    {
        server.Listens = true;
        server.ListensAs = null;
        server.TidyUp = _services.Notifications.TidyUp;
    }

    /// <summary>What this transaction notified is to be delivered as this client's: nobody else gets the server before it has been.</summary>
    private void NoteNotify(ServerConnection server)
    {
        if (_services.Notifications.IsListened(Identity.Database))
            server.TidyUp = _services.Notifications.TidyUp;
    }

    /// <summary>A transaction has ended, well or not: the committed channels are the client's.</summary>
    private void SettleChannels()
    {
        if (!_hasClaims && ReferenceEquals(_settings.Channels, _channels))
            return;
        _channels = _settings.Channels;
        _hasClaims = false;
        if (_channels.Count > 0)
            _subscriber ??= _services.Notifications.Join(Identity.Database, Identity.User, Loop, _signal.Set);
        _subscriber?.Settle(_channels);
    }

    /// <summary>DISCARD ALL.</summary>
    private void ForgetChannels()
    {
        _settings.Unlisten(null);
        SettleChannels();
    }

    /// <summary>
    /// A client that listens has one transaction under way at a time, however many it sends ahead: what one of them notifies must come before its
    /// own ReadyForQuery, and not before that of an earlier one.
    /// </summary>
    private bool MustWaitForReady =>
        _readyHeld || ((_awaitsReady || _hasClaims || IsListening) && !_copyingIn && _lease is { } lease && lease.Server.Owed.ReadyForQueryCount > 0);

    /// <summary>ReadyForQuery to a client that listens and is outside a transaction block waits for what was notified until now.</summary>
    private ReplyVerdict HoldReady(ServerConnection server, ReplyVerdict verdict)
    {
        if (!IsListening || verdict != ReplyVerdict.Forward || server.Status != TransactionStatus.Idle || server.Owed.ReadyForQueryCount > 0)
            return verdict;
        _readyHeld = true;
        return ReplyVerdict.Swallow;
    }

    /// <summary>ReadyForQuery behind an answer of the router's own that needed no server.</summary>
    private void WriteReady(MessageWriter writer)
    {
        if (!HoldsOwnReady())
            WriteReadyForQuery(writer);
    }

    /// <summary>True when the ReadyForQuery of an answer of the router's own comes later, behind what was notified until now.</summary>
    private bool HoldsOwnReady()
    {
        if (!IsListening || Status != TransactionStatus.Idle)
            return false;
        _readyHeld = true;
        _signal.Set();
        return true;
    }

    /// <summary>Delivers what was notified until now, then the ReadyForQuery that was held.</summary>
    private async Task DeliverAndGetReadyAsync()
    {
        await SynchronizeAsync();
        _readyHeld = false;
        if (_ended)
            return;
        if (_lease is { } lease)
            ReleaseIfIdle(lease.Server);
        Deliver(andReady: true);
    }

    /// <summary>Until everything that was notified before this moment is here.</summary>
    private async Task SynchronizeAsync()
    {
        var isDone = false;
        _subscriber!.Synchronize(() =>
        {
            isDone = true;
            _signal.Set();
        });
        while (!isDone)
            await _signal;
        _signal.Set(); // Socket events that came meanwhile are still to be looked at.
    }

    /// <summary>In front of an answer of the router's own.</summary>
    private async ValueTask DeliverFirstAsync()
    {
        if (!IsListening || Status != TransactionStatus.Idle)
            return;
        await SynchronizeAsync();
        Deliver(andReady: false);
    }

    /// <summary>When there is nothing else to do: to an idle client at once.</summary>
    private void DeliverIfIdle()
    {
        if (_ended || _unsynced || _readyHeld || _streaming > 0 || !_output.IsEmpty || Status != TransactionStatus.Idle || IsBusy)
            return;
        Deliver(andReady: false);
    }

    private void Deliver(bool andReady)
    {
        var writer = new MessageWriter();
        _subscriber!.WriteTo(writer, _readsUtf8);
        if (andReady)
            WriteReadyForQuery(writer);
        SendToClient(writer.WrittenSpan);
    }

    /// <summary>
    /// A notification on the client's own connection: for a client whose server listens for it alone; any other gets its notifications from the
    /// shared connection.
    /// </summary>
    private ReplyVerdict OnNotification(ServerConnection server, ReadOnlySpan<byte> body, ref Relay.ReplyOutput output)
    {
        if ((_pins & PinReasons.Listen) == 0)
        {
            if (!server.Listens)
                MarkListening(server); // By a function that the router did not see into.
            return ReplyVerdict.Swallow;
        }
        var reader = new MessageReader(body);
        reader.TryReadInt32(out var pid);
        var name = reader.Rest[..Math.Max(0, reader.Rest.IndexOf((byte)0))];
        if (IsListening && _channels.Contains(Encoding.UTF8.GetString(name)))
            return ReplyVerdict.Swallow; // It comes from the shared connection, too.
        var writer = new MessageWriter();
        writer.Begin(BackendMessage.NotificationResponse);
        writer.WriteInt32(_services.Pools.Context.SenderOf(server.Node.Id, pid));
        writer.WriteBytes(reader.Rest);
        writer.End();
        output.Insert(writer.WrittenSpan);
        return ReplyVerdict.Swallow;
    }

    /// <summary>Must this server be made ready for a client that listens before the pending request runs on it?</summary>
    private bool NeedsListenerPreparation(ServerConnection server, SessionEffects effects) =>
        IsListening && (server.SenderPid != Pid || AsksForChannels(server, effects));

    private bool AsksForChannels(ServerConnection server, SessionEffects effects) =>
        (effects & SessionEffects.ReadsChannels) != 0 && IsListening && !ReferenceEquals(server.ListensAs, _channels) && !_unsynced
        && server.Status != TransactionStatus.Failed;

    /// <summary>
    /// What another client notified on this server is delivered as that client's before this one can notify on it. Whoever asks for its channels
    /// (pg_listening_channels) asks a server that listens to them.
    /// </summary>
    private async Task<ErrorMessage?> PrepareForListenerAsync(ServerConnection server)
    {
        if (!IsListening)
            return null;
        if (server.SenderPid != Pid)
            await SynchronizeAsync();
        server.SenderPid = Pid;
        if (!AsksForChannels(server, _pending.Effects))
            return null;
        if (server.Status != TransactionStatus.Idle)
        {
            return ErrorMessage.Error(
                SqlStates.FeatureNotSupported,
                "pg_listening_channels() cannot be asked in this transaction: its server does not listen",
                hint: "Ask outside a transaction block, or use pool_mode = session.");
        }
        MarkListening(server);
        var listensByItself = (_pins & PinReasons.Listen) != 0;
        var error = await server.ExecuteAsync(_channels.Script(isOnly: !listensByItself), _signal, SynchronizeTimeout);
        server.ListensAs = _channels;
        return error is null ? null : AsError(error);
    }
}
