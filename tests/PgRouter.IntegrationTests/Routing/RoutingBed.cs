using Npgsql;
using PgRouter.Testing;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Routing;

/// <summary>A database on the shared cluster and a router in front of it, whose reads run on the standbys unless something says otherwise.</summary>
internal sealed class RoutingBed : IAsyncDisposable
{
    private readonly string _database;
    private int _prepared;

    private RoutingBed(PgCluster cluster, RouterProcessFixture router, string database) => (Cluster, Router, _database) = (cluster, router, database);

    public PgCluster Cluster { get; }

    public RouterProcessFixture Router { get; }

    /// <param name="database">Made anew.</param>
    /// <param name="sql">What is in it.</param>
    /// <param name="settings">Lines of pgpool.conf.</param>
    public static async Task<RoutingBed> StartAsync(string database, string sql, params (string Name, string Value)[] settings) =>
        await StartAsync(await SharedCluster.GetAsync(), database, sql, settings);

    /// <summary>The same in front of a cluster of the caller's.</summary>
    public static async Task<RoutingBed> StartAsync(PgCluster cluster, string database, string sql, params (string Name, string Value)[] settings)
    {
        await cluster.ExecuteAsync(0, $"DROP DATABASE IF EXISTS {database} WITH (FORCE)");
        await cluster.ExecuteAsync(0, $"CREATE DATABASE {database}");
        if (sql.Length > 0)
            await cluster.ExecuteAsync(0, sql, database);
        await cluster.WaitForReplayAsync();
        var lines = new Dictionary<string, string> { ["backend_weight0"] = "0", ["log_min_messages"] = "debug1" };
        foreach (var (name, value) in settings)
            lines[name] = value;
        var bed = new RoutingBed(cluster, await RouterProcessFixture.StartAsync(cluster, lines), database);
        await bed.WaitForNodesAsync();
        await bed.WaitForCleanStandbysAsync();
        return bed;
    }

    /// <summary>A session of psql's kind; options are those of the start-up packet.</summary>
    public Task<RawClient> LoginAsync(params (string Name, string Value)[] parameters) => RawClient.LoginAsync(
        Router.Endpoint, PgCluster.Superuser, _database, PgCluster.Superuser, parameters);

    public async Task<NpgsqlConnection> OpenAsync(string more = "")
    {
        var connection = new NpgsqlConnection(Router.ConnectionString(_database) + ";" + more);
        await connection.OpenAsync();
        return connection;
    }

    /// <summary>The node on which a query ran that gives the port of its server.</summary>
    public async Task<int> NodeOfAsync(RawClient client, string sql = "SELECT inet_server_port()") => NodeAt(await client.ScalarAsync(sql));

    public int NodeAt(object? port) => Cluster.Nodes.Single(node => node.Port.ToString() == port?.ToString()).Index;

    /// <summary>The nodes on which many such queries ran.</summary>
    public async Task<int[]> NodesOfAsync(RawClient client, int count, string sql = "SELECT inet_server_port()")
    {
        var nodes = new SortedSet<int>();
        for (var i = 0; i < count; i++)
            nodes.Add(await NodeOfAsync(client, sql));
        return [.. nodes];
    }

    /// <summary>The same by the extended protocol: prepared under a name, and run.</summary>
    public async Task<int> PreparedNodeOfAsync(RawClient client, string sql)
    {
        var name = $"s{_prepared++}";
        await client.SendAsync(Frontend.Parse(name, sql), Frontend.Sync());
        await client.ReadUntilAsync();
        await client.SendAsync(Frontend.Bind("", name), Frontend.Execute(""), Frontend.Sync());
        return NodeAt((await client.ReadUntilAsync()).Single(message => message.Type == 'D').TextColumns()[0]);
    }

    /// <summary>Returns when a server runs this text.</summary>
    public Task RunsOnAsync(int node, string sql) => Eventually.TrueAsync(
        async () => await Cluster.ScalarAsync<long>(node, $"SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%{sql}%' AND pid <> pg_backend_pid()") > 0,
        $"node {node} to run {sql}");

    public Task WaitForCleanStandbysAsync() => Router.WaitForCleanStandbysAsync(Cluster, _database);

    /// <summary>Both standbys are known to stream, and their delay is known.</summary>
    public async Task WaitForNodesAsync()
    {
        await using var client = await LoginAsync();
        await Eventually.TrueAsync(
            async () => (await client.QueryAsync("SHOW POOL_NODES")).Count(m => m.Type == 'D' && m.TextColumns().Contains("streaming")) == Cluster.Nodes.Count - 1,
            "the standbys to stream");
    }

    /// <summary>A new value of settings, when it has come into force.</summary>
    public async Task ReloadAsync(params (string Name, string Value)[] changes)
    {
        await Router.ReloadAsync(changes.ToDictionary(c => c.Name, c => c.Value));
        await using var client = await LoginAsync();
        foreach (var (name, value) in changes)
            await Eventually.TrueAsync(async () => await client.ScalarAsync($"PGPOOL SHOW {name}") == value, $"{name} to be {value}");
    }

    public async ValueTask DisposeAsync()
    {
        await Router.DisposeAsync();
        await Cluster.ExecuteAsync(0, $"DROP DATABASE IF EXISTS {_database} WITH (FORCE)");
    }
}
