using System.Net.Sockets;
using System.Text;
using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;
using PgRouter.Core.Pooling;
using PgRouter.Core.Servers;
using PgRouter.Core.Transport;
using PgRouter.Protocol;

namespace PgRouter.Core.Authentication;

/// <summary>Connects to PostgreSQL and logs in, on the caller's loop; server_connect_timeout is over all of it.</summary>
internal sealed class ServerConnector(LoginBook logins, Func<RouterConfig> config) : IServerConnector
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
        var login = new Login(node, database, user, new ServerAuthExchange(user, secret), parameters ?? [("user", user), ("database", database)]);
        using var deadline = new Deadline(login.SignalOn(loop));
        var timeout = config().ServerConnectTimeout;
        deadline.Start(timeout);
        try
        {
            var error = await ConnectAnyAsync(loop, node, login, deadline, timeout) ?? await login.RunAsync(deadline, timeout);
            if (error is null)
                return new ServerLoginAttempt(login.Server, null, login.AskedForPassword);
            login.Server?.Close();
            return new ServerLoginAttempt(null, error, login.AskedForPassword);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            login.Server?.Close();
            return new ServerLoginAttempt(null, Unreachable(node, e.Message), login.AskedForPassword);
        }
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
            {
                login.Begin(socket);
                return null;
            }
            socket.Close();
            error = Unreachable(node, errno != 0 ? Native.Describe(errno) : $"no answer within {timeout.TotalSeconds} s");
        }
        return error ?? Unreachable(node, "the host name has no address");
    }

    private static PoolError Unreachable(NodeConfig node, string reason) =>
        new(ErrorMessage.Error(SqlStates.ConnectionFailure, $"could not connect to {node}: {reason}"), IsUnreachable: true);

    /// <summary>One login after the connection stands.</summary>
    private sealed class Login(
        NodeConfig node, string database, string user, ServerAuthExchange exchange, IReadOnlyList<(string Name, string Value)> parameters)
    {
        private readonly MessageWriter _writer = new();

        public Signal Signal { get; private set; } = null!;

        public ServerConnection? Server { get; private set; }

        public bool AskedForPassword { get; private set; }

        public Signal SignalOn(EventLoop loop) => Signal = new Signal(loop);

        public void Begin(LoopSocket socket)
        {
            Server = new ServerConnection(socket, node, database, user);
            StartupPacket.WriteStartup(_writer, ProtocolConstants.Version30, parameters);
            Flush();
        }

        public async Task<PoolError?> RunAsync(Deadline deadline, TimeSpan timeout)
        {
            var server = Server!;
            while (true)
            {
                while (server.TakeMessage(out var type, out var body))
                {
                    var (done, error) = Take(type, body);
                    if (done || error is not null)
                        return error;
                }
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

        private (bool Done, PoolError? Error) Take(byte type, byte[] body)
        {
            switch (type)
            {
                case BackendMessage.Authentication:
                    return (false, Authenticate(body));
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

        private PoolError? Authenticate(byte[] body)
        {
            var step = exchange.Feed(body, _writer);
            AskedForPassword |= step != ServerAuthStep.Done;
            Flush();
            return step == ServerAuthStep.Failure
                ? new PoolError(
                    ErrorMessage.Fatal(
                        SqlStates.InvalidAuthorizationSpecification, $"could not log in to {node} as \"{user}\": {exchange.Reason}"),
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
internal readonly record struct ServerLoginAttempt(ServerConnection? Server, PoolError? Error, bool AskedForPassword);
