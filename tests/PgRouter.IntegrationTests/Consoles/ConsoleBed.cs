using System.Globalization;
using PgRouter.IntegrationTests.Wire;
using PgRouter.Testing;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Consoles;

/// <summary>
/// A router that sends everything to the primary of the shared cluster, with few servers, an operator, and two databases: one to be stopped,
/// and one whose clients must not notice.
/// </summary>
internal sealed class ConsoleBed(PgCluster cluster, RouterProcessFixture router, string shop) : IAsyncDisposable
{
    public const string Other = "postgres";

    public PgCluster Cluster => cluster;

    public RouterProcessFixture Router => router;

    /// <summary>The database that tests stop.</summary>
    public string Shop => shop;

    public static async Task<ConsoleBed> StartAsync(string database, params (string Name, string Value)[] settings)
    {
        var cluster = await WireBed.ClusterAsync();
        if (await cluster.ScalarAsync<long>(0, $"SELECT count(*) FROM pg_database WHERE datname = '{database}'") == 0)
            await cluster.ExecuteAsync(0, $"CREATE DATABASE {database}");
        await cluster.ExecuteAsync(0, "CREATE TABLE IF NOT EXISTS goods (id serial, name text)", database);
        var all = WireBed.SmallPool.With(("admin_users", "postgres"), ("backend_weight1", "0"), ("backend_weight2", "0")).With(settings);
        return new ConsoleBed(cluster, await RouterProcessFixture.StartAsync(cluster, all), database);
    }

    public Task<Operator> OperatorAsync() => Operator.LoginAsync(router.Endpoint);

    /// <summary>A client of the database that tests stop.</summary>
    public Task<RawClient> ClientAsync(string name = "client") =>
        RawClient.LoginAsync(router.Endpoint, database: shop, parameters: ("application_name", name));

    public Task<RawClient> OtherClientAsync() => RawClient.LoginAsync(router.Endpoint, database: Other);

    /// <summary>Pids of the router's servers in the database that tests stop, as PostgreSQL knows them.</summary>
    public async Task<string> ServerPidsAsync() => await cluster.ScalarAsync<string>(
        0,
        $"""
        SELECT coalesce(string_agg(pid::text, ' ' ORDER BY pid), '') FROM pg_stat_activity
        WHERE datname = '{shop}' AND backend_type = 'client backend' AND pid <> pg_backend_pid()
        """) ?? "";

    /// <summary>Returns when PostgreSQL has no connection to that database any more.</summary>
    public Task NoServersAsync() => Eventually.TrueAsync(async () => await ServerPidsAsync() == "", $"no server in {shop}");

    /// <summary>Returns when a statement with this text runs in that database.</summary>
    public Task RunsAsync(string text) => Eventually.TrueAsync(() => IsRunningAsync(text), $"{text} to run");

    public async Task<bool> IsRunningAsync(string text) => await cluster.ScalarAsync<long>(
        0,
        $"""
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = '{shop}' AND state = 'active' AND query LIKE '%{text}%' AND pid <> pg_backend_pid()
        """) > 0;

    public ValueTask DisposeAsync() => router.DisposeAsync();
}

/// <summary>One who types at the console.</summary>
internal sealed class Operator(RawClient client) : IAsyncDisposable
{
    public RawClient Client => client;

    public static async Task<Operator> LoginAsync(Endpoint endpoint) => new(await RawClient.LoginAsync(endpoint, database: "pgbouncer"));

    /// <summary>Types a command; the tag of the answer, or its SQLSTATE and message.</summary>
    public async Task<string> SayAsync(string command)
    {
        var answer = await client.QueryAsync(command);
        return answer.FirstOrDefault(m => m.Type == 'E') is { } error
            ? $"{error.Field('C')} {error.Field('M')}"
            : answer.First(m => m.Type == 'C').Text();
    }

    /// <summary>Types a command that must be carried out.</summary>
    public async Task DoAsync(string command) => Assert.That(await SayAsync(command), Is.EqualTo(command.Split(' ')[0]), command);

    /// <summary>A table as rows of values by column.</summary>
    public async Task<IReadOnlyList<IReadOnlyDictionary<string, string?>>> TableAsync(string command)
    {
        var answer = await client.QueryAsync(command);
        var names = answer.Single(m => m.Type == 'T').ColumnNames();
        return [.. answer.Where(m => m.Type == 'D').Select(m => names.Zip(m.TextColumns()).ToDictionary(pair => pair.First, pair => pair.Second))];
    }

    /// <summary>One row of a table, by the value of one column; null when there is none.</summary>
    public async Task<IReadOnlyDictionary<string, string?>?> RowAsync(string command, string column, string value) =>
        (await TableAsync(command)).SingleOrDefault(row => row[column] == value);

    /// <summary>Returns when a client is in a state.</summary>
    public Task SeesAsync(RawClient other, string state) => Eventually.TrueAsync(
        async () => (await RowAsync("SHOW CLIENTS", "id", other.ProcessId.ToString(CultureInfo.InvariantCulture)))?["state"] == state,
        $"a client that is {state}");

    /// <summary>Ends everything a test may have stopped.</summary>
    public async Task ResumeAllAsync(string database)
    {
        await SayAsync("RESUME");
        await SayAsync($"RESUME {database}");
        await SayAsync($"ENABLE {database}");
    }

    public ValueTask DisposeAsync() => client.DisposeAsync();
}

internal static class Answers
{
    /// <summary>The SQLSTATE of the error in an answer, null when there is none.</summary>
    public static string? Code(this IEnumerable<RawMessage> answer) => answer.FirstOrDefault(m => m.Type == 'E')?.Field('C');

    /// <summary>The message of the error in an answer, null when there is none.</summary>
    public static string? ErrorText(this IEnumerable<RawMessage> answer) => answer.FirstOrDefault(m => m.Type == 'E')?.Field('M');

    /// <summary>First column of the first row.</summary>
    public static string? Scalar(this IEnumerable<RawMessage> answer) => answer.FirstOrDefault(m => m.Type == 'D')?.TextColumns()[0];
}
