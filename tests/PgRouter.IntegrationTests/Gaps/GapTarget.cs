using System.Globalization;
using Npgsql;
using PgRouter.Testing;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Gaps;

/// <summary>
/// What the tests of W1 to W32 are run against: the router, or, when PGROUTER_GAPS_TARGET=pgpool is set, Debian's pgpool-II with the same nodes and
/// weights (make compare-pgpool). The primary has no weight, so that every balanced read runs on a standby.
/// </summary>
internal sealed class GapTarget : IAsyncDisposable
{
    private readonly IAsyncDisposable _process;
    private readonly string _database;

    private GapTarget(PgCluster cluster, Endpoint endpoint, IAsyncDisposable process, string database) =>
        (Cluster, Endpoint, _process, _database) = (cluster, endpoint, process, database);

    public static bool IsPgpool { get; } = Environment.GetEnvironmentVariable("PGROUTER_GAPS_TARGET") == "pgpool";

    public PgCluster Cluster { get; }

    public Endpoint Endpoint { get; }

    /// <param name="cluster">What stands behind it.</param>
    /// <param name="database">Made anew.</param>
    /// <param name="sql">What is in it.</param>
    /// <param name="backends">Where the nodes are met, if not at their own addresses.</param>
    /// <param name="settings">Lines of pgpool.conf, which both understand.</param>
    public static async Task<GapTarget> StartAsync(
        PgCluster cluster, string database, string sql, IReadOnlyList<Endpoint>? backends = null, params (string Name, string Value)[] settings)
    {
        await cluster.ExecuteAsync(0, $"DROP DATABASE IF EXISTS {database} WITH (FORCE)");
        await cluster.ExecuteAsync(0, $"CREATE DATABASE {database}");
        await cluster.ExecuteAsync(0, sql, database);
        await cluster.WaitForReplayAsync();
        backends ??= [.. cluster.Nodes.Select(node => new Endpoint(node.Host, node.Port))];
        var lines = new Dictionary<string, string> { ["backend_weight0"] = "0" };
        for (var node = 1; node < backends.Count; node++)
            lines[$"backend_application_name{node}"] = cluster.Nodes[node].ApplicationName;
        foreach (var (name, value) in settings)
            lines[name] = value;
        if (IsPgpool)
        {
            var pgpool = await PgpoolProcess.StartAsync(backends, lines);
            return new GapTarget(cluster, pgpool.Endpoint, pgpool, database);
        }
        lines["log_min_messages"] = "debug1";
        var router = await RouterProcessFixture.StartAsync(backends, lines);
        var target = new GapTarget(cluster, router.Endpoint, router, database);
        await using var first = await target.LoginAsync();
        await router.WaitForLogAsync($"The catalog of database {database} is read");
        await Eventually.TrueAsync(
            async () => (await first.QueryAsync("SHOW POOL_NODES")).Count(m => m.Type == 'D' && m.TextColumns().Contains("streaming")) == cluster.Nodes.Count - 1,
            "the standbys to stream");
        return target;
    }

    public Task<RawClient> LoginAsync(bool tls = false) =>
        RawClient.LoginAsync(Endpoint with { Tls = tls }, PgCluster.Superuser, _database, PgCluster.Superuser);

    /// <summary>Runs a test in several sessions, one after the other: pgpool gives each session one node by chance.</summary>
    public async Task InSessionsAsync(Func<RawClient, Task> test, int count = 4, bool tls = false)
    {
        for (var i = 0; i < count; i++)
        {
            await using var client = await LoginAsync(tls);
            await test(client);
        }
    }

    public async Task<NpgsqlConnection> OpenAsync()
    {
        var connection = new NpgsqlConnection(
            $"Host={Endpoint.Host};Port={Endpoint.Port};Database={_database};Username=postgres;Password=postgres;Pooling=false;Timeout=15;Command Timeout=20");
        await connection.OpenAsync();
        return connection;
    }

    /// <summary>The node on which a query ran that gives the port of its server.</summary>
    public async Task<int> NodeOfAsync(RawClient client, string sql = "SELECT inet_server_port()") => NodeAt(await client.ScalarAsync(sql));

    public int NodeAt(string? port) => Cluster.Nodes.Single(node => node.Port.ToString(CultureInfo.InvariantCulture) == port).Index;

    /// <summary>Each statement must succeed.</summary>
    public static async Task RunAsync(RawClient client, params string[] texts)
    {
        foreach (var sql in texts)
            Assert.That(await ErrorAsync(client, sql), Is.Null, sql);
    }

    /// <summary>SQLSTATE and message of what a statement ends with; null when it succeeds.</summary>
    public static async Task<string?> ErrorAsync(RawClient client, string sql) =>
        (await client.QueryAsync(sql)).FirstOrDefault(m => m.Type == 'E') is { } error ? $"{error.Field('C')} {error.Field('M')}" : null;

    public Task OnPrimaryAsync(string sql) => Cluster.ExecuteAsync(0, sql, _database);

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        await Cluster.ExecuteAsync(0, $"DROP DATABASE IF EXISTS {_database} WITH (FORCE)");
    }
}
