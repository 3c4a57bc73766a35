using System.Net;
using System.Security.Cryptography;
using PgRouter.Core.Admin;
using PgRouter.Core.Authentication;
using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;
using PgRouter.Core.Pooling;
using PgRouter.Core.Servers;
using PgRouter.Core.Telemetry;
using PgRouter.Core.Transport;
using PgRouter.Protocol;

namespace PgRouter.Core.Sessions;

/// <summary>
/// A new connection until it is a session: encryption requests, cancel requests, the start-up packet, who the client is. One handler on one loop,
/// bounded by authentication_timeout.
/// </summary>
internal sealed partial class ClientLogin
{
    private readonly LoopServices _host;
    private readonly SessionServices _services;
    private readonly LoopSocket _client;
    private readonly Signal _signal;
    private readonly Deadline _deadline;
    private readonly MessageWriter _writer = new();
    private readonly RouterConfig _config;
    private readonly ServerConnector _connector;
    private readonly IPAddress? _address;
    private readonly int _addressConnections;
    private ClientIdentity? _admitted;
    private IncomingBytes _input;
    private OutgoingBytes _output;

    private ClientLogin(LoopServices host, ServerConnector connector, LoopSocket client)
    {
        _host = host;
        _services = host.Services;
        _connector = connector;
        _client = client;
        _signal = new Signal(host.Loop);
        _deadline = new Deadline(_signal);
        _config = _services.Config();
        client.Owner = _signal;
        _address = (client.RemoteEndPoint as IPEndPoint)?.Address;
        if (_address is not null)
            _addressConnections = _services.Addresses.Enter(_address);
    }

    /// <summary>Serves a connection from its first byte to its last. Never throws.</summary>
    public static async Task ServeAsync(LoopServices host, ServerConnector connector, LoopSocket client)
    {
        var login = new ClientLogin(host, connector, client);
        host.Services.Clients.Connected();
        try
        {
            if (await login.RunAsync() is { } session)
                await session.RunAsync(login.TakeInput());
        }
        catch (Exception e)
        {
            SessionLog.Failed(host.Services.Logger, e, 0, "", "");
        }
        finally
        {
            login.Dispose();
            host.Services.Clients.Disconnected();
        }
    }

    private async Task<IClient?> RunAsync()
    {
        _deadline.Start(_config.AuthenticationTimeout);
        if (await ReadStartupAsync() is not { } startup)
            return null;
        if (RefuseConnection(startup.User) is { } clear)
            return Refuse(startup, clear, clear.Message);
        if (ClientAdmission.Check(_config, _services.Clients.ConnectionCount, startup.User) is { } full)
            return Refuse(startup, full, full.Message);
        if (_address is { } address && ClientAdmission.CheckAddress(_config, _addressConnections, _services.Addresses.PauseOf(address)) is { } crowded)
            return Refuse(startup, crowded, crowded.Message);
        if (!Negotiate(startup, out var settings, out var own, out var poolMode, out var error)
            || !ReplicationStartup.TryRead(startup, out var replication, out error))
            return Refuse(startup, error!, error!.Message);
        var identity = new ClientIdentity(
            startup.User, startup.Database, startup.Find("application_name") ?? "", settings, startup.ProtocolVersion)
        {
            IsConsole = ConsoleDatabase.Is(startup.Database),
            AskedPoolMode = poolMode,
            OwnSettings = own,
            Replication = replication,
        };
        if (!identity.IsConsole && Gates.Find(identity.Database).IsDisabled)
            return Refuse(startup, ClientSession.Disabled(identity.Database), "DISABLE");
        if (!await AuthenticateAsync(startup, identity))
            return null;
        if (identity.IsConsole && _services.Commands.CheckConsoleLogin(identity.User) is { } denied)
            return Refuse(startup, ErrorMessage.Fatal(denied.SqlState, denied.Message, hint: denied.Hint), denied.Message);
        if (!identity.IsConsole && Admit(identity) is { } refused)
            return Refuse(startup, refused, refused.Message);
        // 4 bytes of secret for 3.0; 3.2 has room for 32.
        var secret = RandomNumberGenerator.GetBytes(startup.ProtocolVersion >= ProtocolConstants.Version32 ? 32 : 4);
        if (replication != ReplicationKind.None && !identity.IsConsole)
            return await ReplicateAsync(startup, identity, secret);
        var session = new ClientSession(_host, _client, _signal, identity);
        if (await session.GreetAsync(secret, _deadline) is { } refusal)
        {
            session.Abandon();
            return Refuse(startup, refusal, refusal.Message);
        }
        _deadline.Stop();
        NoteAuthorized(identity, session.Pid);
        return session;
    }

    /// <summary>log_connections.</summary>
    private void NoteAuthorized(ClientIdentity identity, int pid)
    {
        if (_config.LogConnections)
        {
            AuditLog.Authorized(
                _services.Audit, identity.User, identity.Database, HostName(), identity.ApplicationName, pid, _method, _client.Tls?.Description ?? "off", _rule);
        }
    }

    private async Task<IClient?> ReplicateAsync(StartupPacket startup, ClientIdentity identity, byte[] secret)
    {
        if (!await PassGateAsync(identity))
            return Refuse(startup, ClientSession.PausedTooLong(identity.Database), "paused");
        var (session, error) = await ReplicationSession.OpenAsync(_host, _client, _signal, identity, startup, _connector);
        if (session is null)
            return Refuse(startup, error!, error!.Message);
        _deadline.Stop();
        session.Greet(secret);
        NoteAuthorized(identity, session.Pid);
        return session;
    }

    /// <summary>The limits and the mode of the client's database and user; null when it may come in.</summary>
    private ErrorMessage? Admit(ClientIdentity identity)
    {
        var limits = _services.Limits.For(identity.Database, identity.User).Current;
        if (StartupPoolMode.Refuse(identity.AskedPoolMode, limits.PoolMode) is { } denied)
            return denied;
        var error = ClientAdmission.TryEnter(_services.Pools.Context.Clients, identity, limits);
        _admitted = error is null ? identity : null;
        return error;
    }

    /// <summary>Protocol options and start-up settings.</summary>
    private bool Negotiate(StartupPacket startup, out SettingsSet settings, out OwnSettings own, out PoolMode? poolMode, out ErrorMessage? error)
    {
        var unknown = startup.Parameters.Where(p => p.Name.StartsWith("_pq_.", StringComparison.Ordinal)).Select(p => p.Name).ToList();
        if (ProtocolConstants.Minor(startup.ProtocolVersion) > ProtocolConstants.Minor(ProtocolConstants.Version32) || unknown.Count > 0)
        {
            var newest = Math.Min(startup.ProtocolVersion, ProtocolConstants.Version32);
            BackendStartupMessages.WriteNegotiateProtocolVersion(_writer, newest, unknown);
        }
        return StartupSettings.TryRead(startup, out settings, out own, out poolMode, out error);
    }

    /// <summary>Waits for more bytes; false when the client has gone or the time is over.</summary>
    private async Task<bool> ReadAsync()
    {
        while (true)
        {
            var count = _input.Receive(_client, 1024);
            if (count > 0)
                return true;
            if (count != LoopSocket.WouldBlock || !_output.Flush(_client))
                return false;
            if (_deadline.HasPassed)
            {
                SendTimeout();
                return false;
            }
            await _signal;
        }
    }

    private void SendTimeout() => Send(ErrorMessage.Fatal(
        SqlStates.QueryCanceled, "canceling authentication due to timeout",
        $"authentication_timeout of the router is {_config.AuthenticationTimeout.TotalSeconds} s."));

    private void Flush()
    {
        if (_writer.Length > 0)
            _output.Send(_client, _writer.WrittenSpan);
        _writer.Clear();
    }

    private void Send(ErrorMessage error)
    {
        error.WriteErrorResponse(_writer);
        Flush();
    }

    private ClientSession? Refuse(StartupPacket startup, ErrorMessage error, string reason)
    {
        AuditLog.Refused(_services.Audit, HostName(), startup.User, startup.Database, reason);
        Send(error with { Severity = ErrorMessage.SeverityFatal, LocalizedSeverity = null });
        return null;
    }

    private string HostName() => _client.RemoteEndPoint?.ToString() ?? "[local]";

    private static ErrorMessage NoNode() => ErrorMessage.Fatal(
        SqlStates.CannotConnectNow, "no node of the cluster can be reached", hint: "See SHOW POOL_NODES and the log of the router.");

    /// <summary>What the client sent behind its login.</summary>
    private byte[] TakeInput()
    {
        var bytes = _input.Span.ToArray();
        _input.Release();
        return bytes;
    }

    private void Dispose()
    {
        if (_admitted is { } client)
            _services.Pools.Context.Clients.Leave(client.Database, client.User);
        if (_address is not null)
            _services.Addresses.Leave(_address);
        _deadline.Dispose();
        _input.Release();
        _output.Release();
        _client.Close();
    }
}
