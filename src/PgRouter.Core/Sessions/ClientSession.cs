using System.Net;
using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;
using PgRouter.Core.Pooling;
using PgRouter.Core.Servers;
using PgRouter.Core.Telemetry;
using PgRouter.Core.Transport;
using PgRouter.Protocol;

namespace PgRouter.Core.Sessions;

/// <summary>
/// One client, from its login to its end. All of it runs on one loop, as one handler that is woken when the client's or its server's
/// socket is ready, when a server was granted, a statement was parsed, or a deadline passed; each time it does all that can be done and
/// sleeps again. The parts: this file the life and the pump, Requests (client to server), Batch (extended protocol), Replies (server
/// to client), Leasing (routes and servers), Gate (pauses), Timeouts, Loss (when a side is gone), Effects (what statements do to the session),
/// Notifications (LISTEN and what comes of it), Block (transactions without a server), Names (PREPARE and EXECUTE), Sequences, Local and Discard
/// (what the router answers itself).
/// </summary>
internal sealed partial class ClientSession : IClient
{
    private readonly LoopServices _host;
    private readonly SessionServices _services;
    private readonly LoopSocket _client;
    private readonly Signal _signal;
    private readonly DatabaseCounters _counters;
    private IncomingBytes _input;
    private OutgoingBytes _output;
    private bool _ended;
    private string _endReason = "";
    private bool _terminateRequested;

    public ClientSession(LoopServices host, LoopSocket client, Signal signal, ClientIdentity identity)
    {
        _host = host;
        _services = host.Services;
        _client = client;
        _signal = signal;
        Identity = identity;
        _counters = host.Statistics.Database(identity.Database);
        _gate = identity.IsConsole ? DatabaseGate.OfConsole : host.Services.Pools.Context.Gates.Get(identity.Database);
        _limits = host.Services.Limits.For(identity.Database, identity.User);
        _poolMode = identity.AskedPoolMode ?? _limits.Current.PoolMode;
        _waiter = new PoolWaiter(signal);
        _settings = new SettingsJournal(identity.Settings, identity.OwnSettings);
        ConnectTime = DateTimeOffset.UtcNow;
    }

    public ClientIdentity Identity { get; }

    public EventLoop Loop => _host.Loop;

    public int Pid { get; private set; }

    /// <summary>The cancel key given to the client.</summary>
    public byte[] CancelSecret { get; private set; } = [];

    public DateTimeOffset ConnectTime { get; }

    public EndPoint? RemoteEndPoint => _client.RemoteEndPoint;

    /// <summary>What the pump could not go on without.</summary>
    private enum Step
    {
        /// <summary>More bytes, or room to write: the sockets will tell.</summary>
        Wait,

        /// <summary>The request needs the parser.</summary>
        Parse,

        /// <summary>The request needs a server.</summary>
        Acquire,

        /// <summary>The request is answered by the router.</summary>
        Local,

        /// <summary>The request may commit a LISTEN: the shared connection must listen first.</summary>
        Listen,

        /// <summary>The server must be asked whether it is still tied to this client.</summary>
        Pins,

        /// <summary>What was notified until now must come before ReadyForQuery.</summary>
        Notify,

        /// <summary>The request names process ids of clients, and is written anew for a server.</summary>
        Rewrite,

        /// <summary>The request is done; go on with the next bytes.</summary>
        Continue,
    }

    /// <summary>Registers the session, gives it its cancel key, and returns pid and key.</summary>
    public void Register(byte[] secret)
    {
        CancelSecret = secret;
        Pid = _services.Clients.Add(this);
        _counters.ClientLogins++;
        UseCatalog();
    }

    /// <summary>Serves the client until it goes away or must go.</summary>
    public async Task RunAsync(ReadOnlyMemory<byte> alreadyRead)
    {
        _input.Append(alreadyRead.Span);
        _client.Owner = _signal;
        StartLimits();
        try
        {
            while (!_ended)
            {
                switch (Pump())
                {
                    case Step.Parse:
                        await ParseAsync();
                        break;
                    case Step.Acquire:
                        if (StandsInLine())
                        {
                            while (!IsServed())
                                await _signal;
                        }
                        if (!HoldsGranted())
                            await AcquireAsync();
                        break;
                    case Step.Rewrite:
                        WritePids();
                        break;
                    case Step.Local:
                        _cancelsPending = false; // It takes no time.
                        await AnswerLocallyAsync();
                        break;
                    case Step.Listen:
                        await PrepareChannelsAsync();
                        break;
                    case Step.Pins:
                        await SettlePinsAsync();
                        break;
                    case Step.Notify:
                        await DeliverAndGetReadyAsync();
                        break;
                    default:
                        _cancelsPending = false; // What it was for has been answered, or is not all here.
                        if (!_ended)
                            await _signal;
                        break;
                }
            }
        }
        catch (Exception e)
        {
            SessionLog.Failed(_services.Logger, e, Pid, Identity.User, Identity.Database);
            _endReason = "internal error";
        }
        finally
        {
            End();
        }
    }

    /// <summary>Asks the session to end with 57P01 as soon as it is not in a transaction, or at once. Any thread.</summary>
    public void RequestTermination(bool atOnce) => Loop.Post(
        state =>
        {
            var session = (ClientSession)state!;
            session._terminateRequested = true;
            session._terminateAtOnce |= atOnce;
            session._signal.Set();
        },
        this);

    private bool _terminateAtOnce;
    private bool _isTerminated;

    /// <summary>One round: replies first, because they free servers; then what the client asks.</summary>
    private Step Pump()
    {
        if (_gate.IsSuspended)
            return PumpSuspended();
        // Before the replies: they wait for an empty output, and no event tells again of bytes the server has sent already.
        // And without reading on: what a client has sent ahead hides its end from those who wait for a server.
        if (_client.IsReset || !_output.Flush(_client))
            Finish("client went away");
        if (_lease is { Server.IsLost: true })
            OnServerLost("the connection was lost");
        RelayReplies();
        if (_cancelRequested)
            ForwardCancel();
        if (_lease is { } lease && !lease.Server.Output.Flush(lease.Server.Socket))
            OnServerLost("send failed");
        if (_terminateRequested && (_terminateAtOnce || (_lease is null && _block == Block.None)))
            Terminate();
        if (_doubts != PinReasons.None && MayAskForPins)
            return Step.Pins;
        if (_readyHeld && !_ended)
            return Step.Notify;
        var step = _ended ? Step.Wait : ReadRequests();
        if (step == Step.Wait && _subscriber is { HasWaiting: true })
            DeliverIfIdle();
        return step;
    }

    private void Finish(string reason)
    {
        if (_ended)
            return;
        _ended = true;
        _endReason = reason;
    }

    private void Terminate()
    {
        _isTerminated = true;
        // Never into the middle of a message.
        if (_lease is not { Server: { BodyRemaining: > 0, BodySwallowed: false } })
            SendNow(ErrorMessage.Fatal(SqlStates.AdminShutdown, "terminating connection due to administrator command"));
        Finish("terminated by the administrator");
    }

    /// <summary>The end, whatever the reason: the server goes back or away, the client is closed, then forgotten.</summary>
    private void End()
    {
        _ended = true;
        StopLimits();
        DropCancel();
        GiveUpServers();
        _subscriber?.Close();
        _statements?.Clear();
        _openingTexts?.Clear();
        _input.Release();
        _output.Release();
        _client.Close();
        _services.Clients.Remove(Pid);
        OnConsoleClosed();
        if (_services.Config().LogDisconnections)
            SessionLog.Disconnected(_services.Logger, Pid, Identity.User, Identity.Database, _endReason);
    }

    private void SendNow(ErrorMessage error)
    {
        if (_lease is { Server: { BodyRemaining: > 0, BodySwallowed: false } })
            return; // Into the middle of a message nothing can be said.
        var writer = new MessageWriter();
        error.WriteErrorResponse(writer);
        if (!_output.Send(_client, writer.WrittenSpan))
            Finish("client went away");
    }
}

/// <summary>Who a client is, as settled at login.</summary>
internal sealed record ClientIdentity(string User, string Database, string ApplicationName, SettingsSet Settings, int ProtocolVersion)
{
    /// <summary>Names the pools this client uses: database and user.</summary>
    public string PoolName { get; } = $"{Database}\0{User}";

    /// <summary>pgrouter.pool_mode of the start-up packet; null = not given.</summary>
    public PoolMode? AskedPoolMode { get; init; }

    /// <summary>What the start-up packet says to the router.</summary>
    public OwnSettings OwnSettings { get; init; } = OwnSettings.Default;

    /// <summary>Connected to the virtual database: everything it says is a command to the router.</summary>
    public bool IsConsole { get; init; }

    public ReplicationKind Replication { get; init; }

    /// <summary>Its statements are routed; else it has a server of its own, or needs none.</summary>
    public bool IsRouted => IsConsole || Replication == ReplicationKind.None;
}
