using PgRouter.IntegrationTests.Wire;
using PgRouter.Testing;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Processes;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Replication;

/// <summary>Replication connections through a router: PostgreSQL's own programs get what they get directly.</summary>
[TestFixture]
public sealed class ReplicationTests
{
    private PgCluster _cluster = null!;
    private RouterProcessFixture _router = null!;
    private Endpoint _primary = null!;

    [OneTimeSetUp]
    public async Task StartRouter()
    {
        _cluster = await WireBed.ClusterAsync();
        _primary = await WireBed.PrimaryAsync();
        _router = await WireBed.RouterAsync();
    }

    [OneTimeTearDown]
    public async Task StopRouter() => await _router.DisposeAsync();

    [TestCase("stream")]
    [TestCase("fetch")]
    public async Task A_base_backup_has_the_same_files_and_is_sound(string wal)
    {
        var direct = await BackUpAsync(_primary, $"direct_{wal}", wal);
        var routed = await BackUpAsync(_router.Endpoint, $"routed_{wal}", wal);

        Assert.That(FilesOf(routed), Is.EquivalentTo(FilesOf(direct)));
        await _cluster.Binaries.RunAsync("pg_verifybackup", routed);
    }

    [Test]
    public async Task Write_ahead_log_is_received_byte_by_byte()
    {
        var segments = new List<byte[]>();
        await _cluster.ExecuteAsync(0, "SELECT pg_switch_wal()");
        var name = (await _cluster.ScalarAsync<string>(0, "SELECT pg_walfile_name(pg_current_wal_lsn() + 1)"))!;
        await _cluster.ExecuteAsync(
            0,
            """
            SELECT pg_create_physical_replication_slot('direct_wal', true);
            SELECT pg_create_physical_replication_slot('routed_wal', true);
            CREATE TABLE received AS SELECT g FROM generate_series(1, 5000) g;
            """);
        await _cluster.ExecuteAsync(0, "DROP TABLE received; SELECT pg_switch_wal()");
        var end = (await _cluster.ScalarAsync<string>(0, "SELECT pg_current_wal_lsn()::text"))!;
        foreach (var (endpoint, side) in Sides())
        {
            var directory = await DirectoryAsync($"wal_{side}");
            await _cluster.Binaries.RunAsync(
                "pg_receivewal", [.. Connection(endpoint), "-D", directory, "--slot", $"{side}_wal", "--endpos", end, "--no-loop", "-s", "1"]);
            await _cluster.ExecuteAsync(0, $"SELECT pg_drop_replication_slot('{side}_wal')");
            segments.Add(await File.ReadAllBytesAsync(Path.Combine(directory, name)));
        }

        Assert.That(segments[1], Is.EqualTo(segments[0]));
    }

    [Test]
    public async Task Logical_changes_are_the_same()
    {
        foreach (var (endpoint, side) in Sides())
            await _cluster.Binaries.RunAsync(
                "pg_recvlogical", [.. Connection(endpoint), "-d", "postgres", "--slot", $"{side}_changes", "--create-slot", "-P", "test_decoding"]);
        await _cluster.ExecuteAsync(
            0, "CREATE TABLE changed (id int, name text); INSERT INTO changed SELECT g, repeat('x', 2000) FROM generate_series(1, 3000) g; DROP TABLE changed");
        var end = (await _cluster.ScalarAsync<string>(0, "SELECT pg_current_wal_lsn()::text"))!;
        var changes = new List<string>();
        foreach (var (endpoint, side) in Sides())
        {
            var file = Path.Combine(await DirectoryAsync($"changes_{side}"), "out");
            await _cluster.Binaries.RunAsync(
                "pg_recvlogical",
                [.. Connection(endpoint), "-d", "postgres", "--slot", $"{side}_changes", "--start", "-f", file, "--endpos", end, "--no-loop",
                    "-o", "include-xids=0"]);
            await _cluster.Binaries.RunAsync("pg_recvlogical", [.. Connection(endpoint), "-d", "postgres", "--slot", $"{side}_changes", "--drop-slot"]);
            changes.Add(await File.ReadAllTextAsync(file));
        }

        Assert.That(changes[0], Does.Contain("table public.changed: INSERT: id[integer]:3000"));
        Assert.That(changes[1], Is.EqualTo(changes[0]));
    }

    [TestCase("true")]
    [TestCase("database")]
    public async Task Commands_are_answered_as_directly(string kind)
    {
        var answers = new List<string>();
        foreach (var (endpoint, _) in Sides())
        {
            await using var client = await RawClient.LoginAsync(endpoint, parameters: [("replication", kind), ("application_name", "wire_replication")]);
            var text = string.Join('\n', await client.QueryAsync("SHOW application_name"))
                + string.Join('\n', await client.QueryAsync("TIMELINE_HISTORY 1")) + string.Join('\n', await client.QueryAsync("NONSENSE"))
                + string.Join('\n', await client.QueryAsync("SHOW server_version"));
            if (kind == "database")
                text += string.Join('\n', await client.QueryAsync("SELECT 7 AS seven"));
            answers.Add(text);
        }

        Assert.That(answers[1], Is.EqualTo(answers[0]));
    }

    [Test]
    public async Task A_wrong_kind_is_refused_as_directly()
    {
        var errors = new List<string?>();
        foreach (var (endpoint, _) in Sides())
        {
            await using var client = await RawClient.ConnectAsync(endpoint);
            await client.SendAsync(Frontend.Startup(
                [KeyValuePair.Create("user", "postgres"), KeyValuePair.Create("database", "postgres"), KeyValuePair.Create("replication", "maybe")]));
            var error = await client.ReadAsync();
            errors.Add($"{error.Field('S')} {error.Field('C')} {error.Field('M')} {error.Field('H')}");
        }

        Assert.That(errors[1], Is.EqualTo(errors[0]));
    }

    [Test]
    public async Task The_node_can_be_named()
    {
        await using var standby = await LoginAsync(("options", "-c pgrouter.node=1"));
        await using var primary = await LoginAsync();

        Assert.That(await RecoveryAsync(standby), Is.EqualTo("t"));
        Assert.That(await RecoveryAsync(primary), Is.EqualTo("f"));
        await Assert.ThrowsAsync<RefusedException>(() => LoginAsync(("options", "-c pgrouter.node=7")));
    }

    [Test]
    public async Task It_is_shown_and_can_be_terminated()
    {
        await using var replication = await LoginAsync();
        await using var console = await RawClient.LoginAsync(_router.Endpoint, database: "pgbouncer");
        var pid = replication.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture);

        var client = RowWith(await console.QueryAsync("SHOW CLIENTS"), pid);
        Assert.That(client, Does.Contain("Replication").And.Contain("physical").And.Contain("active"));
        var server = await _cluster.ScalarAsync<string>(0, "SELECT pid::text FROM pg_stat_activity WHERE application_name = 'wire_walsender'");
        Assert.That(RowWith(await console.QueryAsync("SHOW SERVERS"), server!), Does.Contain("active").And.Contain("physical"));
        await using var session = await RawClient.LoginAsync(_router.Endpoint);
        Assert.That(await session.ScalarAsync($"SELECT pg_terminate_backend({pid})"), Is.EqualTo("t"));
        var end = await replication.ReadToEndAsync();
        Assert.That((end[^1].Field('S'), end[^1].Field('C')), Is.EqualTo(("FATAL", "57P01")));
        await Eventually.TrueAsync(
            async () => await _cluster.ScalarAsync<long>(0, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'wire_walsender'") == 0,
            "its server to be gone");
        Assert.That(RowWith(await console.QueryAsync("SHOW CLIENTS"), pid), Is.Null);
    }

    [Test]
    public async Task A_statement_of_it_is_cancelled()
    {
        await using var client = await LoginAsync(kind: "database");
        await client.SendAsync(Frontend.Query("SELECT pg_sleep(600)"));
        var answer = client.ReadUntilAsync();
        await Eventually.TrueAsync(
            async () =>
            {
                await client.CancelAsync();
                return answer.IsCompleted;
            },
            "the end of the statement");
        Assert.That((await answer)[^2].Field('C'), Is.EqualTo("57014"));
    }

    [Test]
    public async Task It_counts_in_the_limit_of_its_node_and_ends_with_the_router()
    {
        await using var router = await WireBed.RouterAsync(WireBed.SmallPool.With(("num_init_children", "1"), ("max_pool", "1"), ("max_client_conn", "9")));
        await using var first = await RawClient.LoginAsync(router.Endpoint, parameters: [("replication", "true")]);
        var refusal = await Assert.ThrowsAsync<RefusedException>(
            () => RawClient.LoginAsync(router.Endpoint, parameters: [("replication", "true")]));
        Assert.That(refusal!.Message, Does.Contain("53300"));
        router.Send(Signal.Interrupt);
        var end = await first.ReadToEndAsync();
        Assert.That(end[^1].Field('C'), Is.EqualTo("57P01"));
    }

    private (Endpoint Endpoint, string Side)[] Sides() => [(_primary, "direct"), (_router.Endpoint, "routed")];

    private Task<RawClient> LoginAsync((string Name, string Value)? more = null, string kind = "true") => RawClient.LoginAsync(
        _router.Endpoint,
        parameters: more is { } one
            ? [("replication", kind), ("application_name", "wire_walsender"), one]
            : [("replication", kind), ("application_name", "wire_walsender")]);

    private static async Task<string?> RecoveryAsync(RawClient client) =>
        (await client.QueryAsync("SHOW in_hot_standby")).First(m => m.Type == 'D').TextColumns()[0] == "on" ? "t" : "f";

    private static IReadOnlyList<string?>? RowWith(IEnumerable<RawMessage> table, string value) =>
        table.Where(m => m.Type == 'D').Select(m => m.TextColumns()).FirstOrDefault(row => row.Contains(value));

    private static string[] Connection(Endpoint endpoint) =>
        ["-h", endpoint.Host, "-p", endpoint.Port.ToString(System.Globalization.CultureInfo.InvariantCulture), "-U", "postgres", "-w"];

    private async Task<string> DirectoryAsync(string name)
    {
        var path = Path.Combine(_cluster.DirectoryPath, name);
        Directory.CreateDirectory(path);
        await PostgresBinaries.GiveAsync(path);
        return path;
    }

    private async Task<string> BackUpAsync(Endpoint endpoint, string name, string wal)
    {
        var path = await DirectoryAsync(name);
        await _cluster.Binaries.RunAsync(
            "pg_basebackup", [.. Connection(endpoint), "-D", path, "-X", wal, "-c", "fast", "--no-sync"]);
        return path;
    }

    /// <summary>All but the segments of the log and the caches, which depend on the moment.</summary>
    private static IEnumerable<string> FilesOf(string directory) => Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories)
        .Select(file => Path.GetRelativePath(directory, file))
        .Where(file => !file.StartsWith("pg_wal", StringComparison.Ordinal) && !file.EndsWith("pg_internal.init", StringComparison.Ordinal));
}
