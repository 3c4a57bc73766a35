using Microsoft.Extensions.Logging.Abstractions;
using PgRouter.Core.Configuration;
using PgRouter.Core.Hosting;
using PgRouter.Core.Transport;
using PgRouter.Testing.Fakes;
using PgRouter.Testing.Processes;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;
using PgRouter.Tests.Configuration;

namespace PgRouter.Tests.Sessions;

/// <summary>
/// A router in this process in front of two fake servers: node 0 is believed to be the primary, node 1 is there and nobody knows what it
/// is, so that reads go to it only when node 0 has failed.
/// </summary>
internal sealed class RouterBed : IAsyncDisposable
{
    private readonly ConfigFiles _files = new();
    private readonly RouterInstance _router;

    private RouterBed(int[] nodePorts, string[] settings)
    {
        var port = FreePorts.Take();
        Endpoint = new Endpoint("127.0.0.1", port);
        string[] lines =
        [
            .. nodePorts.SelectMany((nodePort, node) => NodeLines(node, nodePort)),
            "listen_addresses = '127.0.0.1'", $"port = {port}", "unix_socket_directories = ''",
            $"health_check_user = '{FakeNode.ProbeUser}'", $"sr_check_user = '{FakeNode.ProbeUser}'", "server_login_retry = 60",
            $"pgrouter.io = '{(TestIo.Choice.Length > 0 ? TestIo.Choice : "auto")}'",
            "pgrouter.read_consistency = eventual", // Nodes of a script have no positions.
            .. settings,
        ];
        var path = _files.Write("pgpool.conf", lines);
        var load = () => ConfigLoader.Load(path, ConfigFiles.NoEnvironment);
        _router = new RouterInstance(new ConfigStore(path, load(), load), NullLoggerFactory.Instance, TimeProvider.System);
    }

    private static string[] NodeLines(int node, int port) =>
    [
        $"backend_hostname{node} = '127.0.0.1'", $"backend_port{node} = {port}",
        $"backend_flag{node} = '{(node == 0 ? "ALWAYS_PRIMARY|" : "")}DISALLOW_TO_FAILOVER'",
    ];

    public IReadOnlyList<FakeNode> Nodes { get; private init; } = [];

    public Endpoint Endpoint { get; }

    public IReadOnlyList<EventLoop> Loops => _router.Loops;

    public static Task<RouterBed> StartAsync(params string[] settings)
    {
        FakeNode[] nodes = [new FakeNode("0"), new FakeNode("1")];
        return StartAsync(new RouterBed([.. nodes.Select(node => node.Server.Endpoint.Port)], settings) { Nodes = nodes });
    }

    /// <summary>In front of one server that is there already.</summary>
    public static Task<RouterBed> StartBeforeAsync(Endpoint server, params string[] settings) =>
        StartAsync(new RouterBed([server.Port], settings));

    private static async Task<RouterBed> StartAsync(RouterBed bed)
    {
        await bed._router.StartAsync(CancellationToken.None);
        return bed;
    }

    public Task<RawClient> LoginAsync() => RawClient.LoginAsync(Endpoint, "app", "db");

    public async ValueTask DisposeAsync()
    {
        await _router.StopAsync(StopMode.Immediate);
        foreach (var node in Nodes)
            await node.DisposeAsync();
        _files.Dispose();
    }
}

/// <summary>A fake server that refuses the health check's login and gives every message of the router's to a function.</summary>
internal sealed class FakeNode : IAsyncDisposable
{
    public const string ProbeUser = "probe";

    private int _disposed;

    public FakeNode(string name)
    {
        OnQuery = (connection, sql) => connection.SendAsync(Answer(connection, sql, name));
        Server = FakePostgres.Start().ByDefault(script => script.Then(ServeAsync));
    }

    public FakePostgres Server { get; }

    /// <summary>What it does with a simple query; by default it answers with its name.</summary>
    public Func<FakeConnection, string, Task> OnQuery { get; set; }

    /// <summary>What it waits for before it lets a user in; by default nothing.</summary>
    public Func<string, Task> OnLogin { get; set; } = _ => Task.CompletedTask;

    public static Func<FakeConnection, string, Task> Dropping(
        Func<string, bool> which, Func<FakeConnection, string, Task> others, params RawMessage[] before) => async (connection, sql) =>
    {
        if (!which(sql))
        {
            await others(connection, sql);
            return;
        }
        if (before.Length > 0)
            await connection.SendAsync(before);
        connection.Drop();
    };

    /// <summary>Stops listening and ends all connections; more than once is once.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
            await Server.DisposeAsync();
    }

    private static RawMessage[] Answer(FakeConnection connection, string sql, string name) => sql.ToUpperInvariant() switch
    {
        "BEGIN" => [Backend.CommandComplete("BEGIN"), Backend.ReadyForQuery('T')],
        "BEGIN; EXECUTE PGROUTER_0" => [Backend.ErrorResponse("26000", "no such statement"), Backend.ReadyForQuery('E')],
        "ROLLBACK" => [Backend.CommandComplete("ROLLBACK"), Backend.ReadyForQuery()],
        "COMMIT" => [Backend.CommandComplete("COMMIT"), Backend.ReadyForQuery()],
        var text when text.StartsWith("SELECT", StringComparison.Ordinal) =>
            [.. Backend.Rows("node", name, sql)[..^1], Backend.ReadyForQuery(InTransaction(connection) ? 'T' : 'I')],
        _ => [Backend.CommandComplete("INSERT 0 1"), Backend.ReadyForQuery(InTransaction(connection) ? 'T' : 'I')],
    };

    private static bool InTransaction(FakeConnection connection) => connection.Received
        .Where(message => message.Type is 'Q' or 'E').Select(message => message.Type == 'E' ? "BEGIN" : message.Text().ToUpperInvariant())
        .LastOrDefault(text => text is "BEGIN" or "COMMIT" or "ROLLBACK") == "BEGIN";

    private async Task ServeAsync(FakeConnection connection)
    {
        if (connection.StartupParameters["user"] == ProbeUser)
        {
            await connection.SendAsync(Backend.ErrorResponse("28P01", "not for probes", "FATAL"));
            return;
        }
        await OnLogin(connection.StartupParameters["user"]);
        await connection.SendAsync(
        [
            Backend.AuthenticationOk(),
            .. Server.Parameters.Select(pair => Backend.ParameterStatus(pair.Key, pair.Value)),
            Backend.BackendKeyData(connection.ProcessId, [1, 2, 3, 4]),
            Backend.ReadyForQuery(),
        ]);
        while (await connection.ReadAsync() is { Type: not 'X' } message)
        {
            // The only extended messages it gets are those by which the router begins a transaction.
            switch (message.Type)
            {
                case 'Q':
                    await OnQuery(connection, message.Text());
                    break;
                case 'P':
                    await connection.SendAsync(Backend.ParseComplete());
                    break;
                case 'B':
                    await connection.SendAsync(Backend.BindComplete());
                    break;
                case 'E':
                    await connection.SendAsync(Backend.CommandComplete("BEGIN"));
                    break;
                case 'C':
                    await connection.SendAsync(Backend.CloseComplete());
                    break;
                case 'S':
                    await connection.SendAsync(Backend.ReadyForQuery(InTransaction(connection) ? 'T' : 'I'));
                    break;
            }
        }
    }
}
