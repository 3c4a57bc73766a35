using System.Net.Sockets;
using System.Text;
using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;
using PgRouter.Core.Encryption;
using PgRouter.Core.Pooling;
using PgRouter.Core.Servers;
using PgRouter.Core.Transport;
using PgRouter.Protocol;

namespace PgRouter.Core.Authentication;

/// <summary>
/// Connects to PostgreSQL, encrypts as server_tls_sslmode demands, and logs in, on the caller's loop; server_connect_timeout is over all of it.
/// </summary>
internal sealed class ServerConnector(LoginBook logins, ServerTlsStore encryption, WorkThreads work, Func<RouterConfig> config) : IServerConnector
{
    public async Task<ServerOpened> ConnectAsync(EventLoop loop, NodeConfig node, string database, string user)
    {
        var attempt = await LogInAsync(loop, node, database, user, logins.SecretFor(user));
        return new ServerOpened(attempt.Server, attempt.Error);
    }

    /// <summary>Logs in with a secret of the caller's. Never throws; says also whether the server asked for a password at all.</summary>
    /// <param name="loop">The caller's loop.</param>
    /// <param name="node">Where to.</param>
    /// <param name="database">For an ordinary session, and for what is said of the server.</param>
    /// <param name="user">Who logs in.</param>
    /// <param name="secret">The user's, null when none is known.</param>
    /// <param name="parameters">The whole start-up packet, when it is not that of an ordinary session.</param>
    public async Task<ServerLoginAttempt> LogInAsync(
        EventLoop loop, NodeConfig node, string database, string user, PasswordSecret? secret, IReadOnlyList<(string Name, string Value)>? parameters = null)
    {
        var (tls, problem) = node.IsLocal ? (null, "") : encryption.For(node);
        if (problem.Length > 0)
            return new ServerLoginAttempt(null, NotEncrypted(node, problem), false);
        var mode = tls?.Mode ?? TlsMode.Disable;
        var encrypting = tls is null ? null : new ServerEncryption(tls, node.Host, work);
        var signal = new Signal(loop);
        using var deadline = new Deadline(signal);
        var timeout = config().ServerConnectTimeout;
        deadline.Start(timeout);
        // As libpq does it: allow and prefer have a second way, the others have none.
        var first = await TryAsync(mode is TlsMode.Disable or TlsMode.Allow ? null : encrypting, mustEncrypt: mode >= TlsMode.Require);
        if (mode == TlsMode.Allow && first.IsRefusedAsClear)
            return await TryAsync(encrypting, mustEncrypt: true) is { Server: not null } encrypted ? encrypted : first;
        if (mode == TlsMode.Prefer && (first.IsHandshakeFailure || first.IsRefusedAsEncrypted))
            return await TryAsync(null, mustEncrypt: false) is { Server: not null } clear ? clear : first;
        return first;

        async Task<ServerLoginAttempt> TryAsync(ServerEncryption? way, bool mustEncrypt)
        {
            var startup = parameters ?? [("user", user), ("database", database)];
            var login = new Login(node, database, user, secret, startup, work) { Signal = signal, Encryption = way, MustEncrypt = mustEncrypt };
            return await TryOnceAsync(loop, node, login, deadline, timeout);
        }
    }

    private static async Task<ServerLoginAttempt> TryOnceAsync(EventLoop loop, NodeConfig node, Login login, Deadline deadline, TimeSpan timeout)
    {
        PoolError? error;
        try
        {
            error = await ConnectAnyAsync(loop, node, login, deadline, timeout) ?? await login.RunAsync(deadline, timeout);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            error = Unreachable(node, e.Message);
        }
        if (error is not null)
            login.Server?.Close();
        return new ServerLoginAttempt(error is null ? login.Server : null, error, login.AskedForPassword)
        {
            IsHandshakeFailure = login.IsHandshakeFailure,
            IsEncrypted = login.Server?.Encryption is not null,
        };
    }

    private static async Task<PoolError?> ConnectAnyAsync(EventLoop loop, NodeConfig node, Login login, Deadline deadline, TimeSpan timeout)
    {
        PoolError? error = null;
        foreach (var address in await ServerAddress.ResolveAsync(node.Host, node.Port))
        {
            LoopSocket socket;
            try
            {
                socket = LoopSocket.BeginConnect(loop, address);
            }
            catch (IOException e)
            {
                error = Unreachable(node, e.Message);
                continue;
            }
            socket.Owner = login.Signal;
            while (!socket.IsWritable && !deadline.HasPassed)
                await login.Signal;
            var errno = deadline.HasPassed ? 0 : socket.FinishConnect();
            if (!deadline.HasPassed && errno == 0)
                return await login.BeginAsync(socket, deadline);
            socket.Close();
            error = Unreachable(node, errno != 0 ? Native.Describe(errno) : $"no answer within {timeout.TotalSeconds} s");
        }
        return error ?? Unreachable(node, "the host name has no address");
    }

    /// <summary>The node is there, and nothing may be said to it: no other node is at fault, and no trial in clear text follows.</summary>
    private static PoolError NotEncrypted(NodeConfig node, string reason) =>
        new(ErrorMessage.Error(SqlStates.ConnectionFailure, $"could not connect to {node}: {reason}"), IsUnreachable: false);

    private static PoolError Unreachable(NodeConfig node, string reason) =>
        new(ErrorMessage.Error(SqlStates.ConnectionFailure, $"could not connect to {node}: {reason}"), IsUnreachable: true);

    /// <summary>One login after the connection stands.</summary>
    private sealed class Login(
        NodeConfig node, string database, string user, PasswordSecret? secret, IReadOnlyList<(string Name, string Value)> parameters, WorkThreads work)
    {
        private readonly MessageWriter _writer = new();
        private ServerAuthExchange _exchange = new(user, secret);

        public required Signal Signal { get; init; }

        /// <summary>TLS is asked for; null = not.</summary>
        public ServerEncryption? Encryption { get; init; }

        /// <summary>Without TLS nothing is said.</summary>
        public bool MustEncrypt { get; init; }

        public ServerConnection? Server { get; private set; }

        public bool AskedForPassword { get; private set; }

        public bool IsHandshakeFailure { get; private set; }

        /// <summary>Encrypts, if it must or can be, and sends the start-up packet; the error when it must not be sent.</summary>
        public async Task<PoolError?> BeginAsync(LoopSocket socket, Deadline deadline)
        {
            var outcome = Encryption is null ? default : await Encryption.AskAsync(socket, Signal, deadline);
            if (Encryption is not null && outcome.Layer is null && (MustEncrypt || !outcome.IsRefused))
            {
                socket.Close();
                IsHandshakeFailure = !outcome.IsLost;
                return outcome.IsLost ? Unreachable(node, outcome.Failure) : NotEncrypted(node, outcome.Failure);
            }
            if (outcome.Layer is { } layer)
            {
                var binding = layer.PeerCertificate is { } certificate ? ChannelBinding.Of(certificate) : [];
                _exchange = new ServerAuthExchange(user, secret) { IsEncrypted = true, Binding = binding };
            }
            Server = new ServerConnection(socket, node, database, user) { Encryption = outcome.Layer is null ? null : Encryption };
            StartupPacket.WriteStartup(_writer, ProtocolConstants.Version30, parameters);
            Flush();
            return null;
        }

        public async Task<PoolError?> RunAsync(Deadline deadline, TimeSpan timeout)
        {
            var server = Server!;
            while (true)
            {
                while (server.TakeMessage(out var type, out var body))
                {
                    var (done, error) = await TakeAsync(type, body);
                    if (done || error is not null)
                        return error;
                }
                if (server.IsLost)
                    return Unreachable(node, "a message of impossible length during login: is this a PostgreSQL server?");
                var count = server.Partial.Receive(server.Socket);
                if (count is 0 or LoopSocket.Broken)
                    return Unreachable(node, "the server closed the connection during login");
                if (count > 0)
                    continue;
                if (deadline.HasPassed)
                    return Unreachable(node, $"login did not end within {timeout.TotalSeconds} s");
                await Signal;
            }
        }

        private async ValueTask<(bool Done, PoolError? Error)> TakeAsync(byte type, byte[] body)
        {
            switch (type)
            {
                case BackendMessage.Authentication:
                    return (false, await AuthenticateAsync(body));
                case BackendMessage.ParameterStatus:
                    Server!.NoteParameter(body);
                    return (false, null);
                case BackendMessage.BackendKeyData when body.Length >= 8:
                    Server!.Pid = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(body);
                    Server.CancelKey = body[4..];
                    return (false, null);
                case BackendMessage.ReadyForQuery:
                    return (true, null);
                case BackendMessage.ErrorResponse:
                    return (false, Refused(body));
                case BackendMessage.NoticeResponse or BackendMessage.NegotiateProtocolVersion:
                    return (false, null);
                default:
                    return (false, Unreachable(node, $"unexpected message '{(char)type}' during login: is this a PostgreSQL server?"));
            }
        }

        private async ValueTask<PoolError?> AuthenticateAsync(byte[] body)
        {
            var step = ServerAuthStep.Failure;
            if (_exchange.MayTakeLong)
                await work.RunAsync(() => step = _exchange.Feed(body, _writer), Signal);
            else
                step = _exchange.Feed(body, _writer);
            AskedForPassword |= step != ServerAuthStep.Done;
            Flush();
            return step == ServerAuthStep.Failure
                ? new PoolError(
                    ErrorMessage.Fatal(
                        SqlStates.InvalidAuthorizationSpecification, $"could not log in to {node} as \"{user}\": {_exchange.Reason}"),
                    IsUnreachable: false)
                : null;
        }

        private static PoolError Refused(byte[] body)
        {
            if (!ErrorMessage.TryParse(body, out var error))
                error = ErrorMessage.Fatal(SqlStates.ConnectionFailure, Encoding.UTF8.GetString(body));
            // Starting up, shutting down or crashed: the node is not there for anybody.
            return new PoolError(error, IsUnreachable: error.Code is SqlStates.AdminShutdown or SqlStates.CrashShutdown or SqlStates.CannotConnectNow);
        }

        private void Flush()
        {
            Server!.Output.Send(Server.Socket, _writer.WrittenSpan);
            _writer.Clear();
        }
    }
}

/// <summary>How a login to a server ended.</summary>
internal readonly record struct ServerLoginAttempt(ServerConnection? Server, PoolError? Error, bool AskedForPassword)
{
    /// <summary>TLS was not to be had, or its handshake failed.</summary>
    public bool IsHandshakeFailure { get; init; }

    /// <summary>It got as far as the start-up packet, and that was encrypted.</summary>
    public bool IsEncrypted { get; init; }

    /// <summary>The server has no line in its pg_hba.conf for this kind of connection, but may have one for the other kind.</summary>
    public bool IsRefusedAsClear => IsRefused && !IsEncrypted;

    public bool IsRefusedAsEncrypted => IsRefused && IsEncrypted;

    private bool IsRefused => Error?.Message.Code == SqlStates.InvalidAuthorizationSpecification && !AskedForPassword;
}
