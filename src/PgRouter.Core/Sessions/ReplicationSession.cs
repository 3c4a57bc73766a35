using System.Diagnostics;
using System.Net;
using PgRouter.Core.Admin;
using PgRouter.Core.Pooling;
using PgRouter.Core.Relay;
using PgRouter.Core.Servers;
using PgRouter.Core.Telemetry;
using PgRouter.Core.Transport;
using PgRouter.Protocol;

namespace PgRouter.Core.Sessions;

/// <summary>
/// A replication connection: a server of its own, and bytes passed through as they are in both directions until one side ends. What one side does
/// not take is not read from the other. Loop thread, but for the members that say otherwise.
/// </summary>
internal sealed class ReplicationSession : IClient
{
    private const int RoundsPerTurn = 16;

    private readonly LoopServices _host;
    private readonly SessionServices _services;
    private readonly LoopSocket _client;
    private readonly Signal _signal;
    private readonly ServerConnection _server;
    private readonly ServerPool _place;
    private readonly DatabaseCounters _counters;
    private readonly DateTimeOffset _connectTime = DateTimeOffset.UtcNow;
    private OutgoingBytes _output;
    private MessageBoundary _boundary;
    private bool _terminateRequested;
    private bool _ended;
    private string _endReason = "";

    private ReplicationSession(LoopServices host, LoopSocket client, Signal signal, ClientIdentity identity, ServerConnection server, ServerPool place)
    {
        _host = host;
        _services = host.Services;
        _client = client;
        _signal = signal;
        Identity = identity;
        _server = server;
        _place = place;
        _counters = host.Statistics.Database(identity.Database);
    }

    public int Pid { get; private set; }

    public byte[] CancelSecret { get; private set; } = [];

    public ClientIdentity Identity { get; }

    public EventLoop Loop => _host.Loop;

    public bool IsFlushed => _output.IsEmpty && _server.Output.IsEmpty;

    /// <summary>Opens the server, within the limits that pools have too. The error is for the client.</summary>
    public static async Task<(ReplicationSession? Session, ErrorMessage? Error)> OpenAsync(
        LoopServices host, LoopSocket client, Signal signal, ClientIdentity identity, StartupPacket startup, Authentication.ServerConnector connector)
    {
        var services = host.Services;
        if (ReplicationStartup.ChooseNode(startup, services.Cluster.View, out var error) is not { } node)
            return (null, error);
        // It stands for the one server in the limits, and is in no directory.
        var context = services.Pools.Context;
        var place = new ServerPool(new PoolKey(node.Id, identity.Database, identity.User), node.Config, context, context.Loops.Count);
        if (!context.Budgets.TryTake(place, mayStandInLine: false, out var spent))
        {
            return (null, ErrorMessage.Fatal(
                SqlStates.TooManyConnections, "no server is left for a replication connection", hint: $"Raise {spent?.Setting ?? "nothing, but try again"}."));
        }
        var attempt = await connector.LogInAsync(
            host.Loop, node.Config, identity.Database, identity.User, services.Logins.SecretFor(identity.User), ReplicationStartup.ParametersOf(startup));
        context.Budgets.EndOpening(place, attempt.Server is not null);
        if (attempt.Server is not { } server)
        {
            place.Opener.ServeStarving(host.Loop);
            if (attempt.Error!.IsUnreachable)
                context.ReportFault(node.Id, attempt.Error.Fault);
            return (null, attempt.Error.Message);
        }
        context.Remember(server);
        return (new ReplicationSession(host, client, signal, identity, server, place), null);
    }

    /// <summary>Registers the session and tells the client what the server has told.</summary>
    public void Greet(byte[] secret)
    {
        CancelSecret = secret;
        Pid = _services.Clients.Add(this);
        _counters.ClientLogins++;
        _server.ClientPid = Pid;
        _server.UseCount = 1;
        _server.Replication = Identity.Replication == ReplicationKind.Physical ? "physical" : "logical";
        _server.RequestStarted = Stopwatch.GetTimestamp();
        var writer = new MessageWriter(1024);
        writer.Begin(BackendMessage.Authentication);
        writer.WriteInt32(0);
        writer.End();
        foreach (var (name, value) in _server.Parameters)
            BackendStartupMessages.WriteParameterStatus(writer, name, value);
        BackendStartupMessages.WriteBackendKeyData(writer, Pid, secret);
        BackendStartupMessages.WriteReadyForQuery(writer, TransactionStatus.Idle);
        if (!_output.Send(_client, writer.WrittenSpan))
            Finish("client went away");
    }

    public async Task RunAsync(ReadOnlyMemory<byte> alreadyRead)
    {
        _client.Owner = _signal;
        _server.Socket.Owner = _signal;
        try
        {
            _server.Output.Send(_server.Socket, alreadyRead.Span);
            while (!_ended)
            {
                Pump();
                if (!_ended)
                    await _signal;
            }
        }
        finally
        {
            End();
        }
    }

    public void Wake() => Loop.Post(static state => ((ReplicationSession)state!)._signal.Set(), this);

    /// <summary>It has none: no time-out of sessions is meant for replication.</summary>
    public void ReadLimits()
    {
    }

    public Task CancelAsync()
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Loop.Post(_ => _ = CancelServerAsync(done), null);
        return done.Task;
    }

    public void RequestTermination(bool atOnce) => Loop.Post(
        static state =>
        {
            var session = (ReplicationSession)state!;
            session._terminateRequested = true;
            session._signal.Set();
        },
        this);

    public void Kill() => RequestTermination(atOnce: true);

    public ClientSnapshot Snapshot()
    {
        var remote = _client.RemoteEndPoint as IPEndPoint;
        var local = _client.LocalEndPoint as IPEndPoint;
        return new ClientSnapshot
        {
            Pid = Pid,
            User = Identity.User,
            Database = Identity.Database,
            State = "active",
            Replication = _server.Replication,
            Address = remote?.Address.ToString() ?? "unix",
            Port = remote?.Port ?? 0,
            LocalAddress = local?.Address.ToString() ?? "unix",
            LocalPort = local?.Port ?? 0,
            IsTls = _client.Tls is not null,
            TlsDescription = _client.Tls?.Description ?? "",
            ApplicationName = Identity.ApplicationName,
            ConnectTime = _connectTime,
            RequestTime = _connectTime,
            IdleSince = null,
            Wait = TimeSpan.Zero,
            Pinned = "Replication",
            PinnedSince = _connectTime,
            NodeId = _server.Node.Id,
            ServerPid = _server.Pid,
            PreparedStatements = 0,
            QueryCount = 0,
            LoadBalanceNodeId = -1,
        };
    }

    private async Task CancelServerAsync(TaskCompletionSource done)
    {
        if (!_ended)
            await ServerCancel.SendAsync(_server, _services.Config().ServerConnectTimeout);
        done.SetResult();
    }

    private void Pump()
    {
        for (var round = 0; !_ended; round++)
        {
            if (_terminateRequested)
            {
                Terminate();
                return;
            }
            if (round == RoundsPerTurn)
            {
                _signal.Set();
                return;
            }
            var moved = PassToClient();
            if (!(PassToServer() || moved))
                return;
        }
    }

    private bool PassToClient()
    {
        if (!_output.Flush(_client))
            Finish("client went away");
        if (_ended || !_output.IsEmpty)
            return false;
        var buffer = Loop.ReceiveBuffer.AsSpan();
        var count = _server.Socket.TryReceive(buffer);
        if (count == LoopSocket.WouldBlock)
            return false;
        if (count <= 0)
        {
            Finish("the server closed the connection");
            return false;
        }
        _boundary.Pass(buffer[..count]);
        _counters.BytesSent += count;
        if (!_output.Send(_client, buffer[..count]))
            Finish("client went away");
        return true;
    }

    private bool PassToServer()
    {
        if (_ended)
            return false;
        // A server that is gone is found, with its last words, by the side that reads from it.
        if (!_server.Output.Flush(_server.Socket))
            _signal.Set();
        if (!_server.Output.IsEmpty)
            return false;
        var buffer = Loop.ReceiveBuffer.AsSpan();
        var count = _client.TryReceive(buffer);
        if (count == LoopSocket.WouldBlock)
            return false;
        if (count <= 0)
        {
            Finish("client closed the connection");
            return false;
        }
        _counters.BytesReceived += count;
        if (!_server.Output.Send(_server.Socket, buffer[..count]))
            _signal.Set();
        return true;
    }

    private void Terminate()
    {
        if (_boundary.IsReached)
        {
            var writer = new MessageWriter();
            ErrorMessage.Fatal(SqlStates.AdminShutdown, "terminating connection due to administrator command").WriteErrorResponse(writer);
            _output.Send(_client, writer.WrittenSpan);
        }
        Finish("terminated by the administrator");
    }

    private void Finish(string reason)
    {
        if (_ended)
            return;
        _ended = true;
        _endReason = reason;
    }

    private void End()
    {
        _ended = true;
        _output.Release();
        _client.Close();
        var context = _services.Pools.Context;
        PoolLog.ServerClosed(
            _services.Logger, _server.Id, _server.Pid, _server.Node.Id, Identity.Database, Identity.User, $"replication connection: {_endReason}");
        context.Forget(_server);
        _server.Close();
        context.Budgets.Release(_place);
        _place.Opener.ServeStarving(Loop);
        _services.Clients.Remove(Pid);
        if (_services.Config().LogDisconnections)
            SessionLog.Disconnected(_services.Logger, Pid, Identity.User, Identity.Database, _endReason);
    }
}
