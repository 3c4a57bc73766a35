using System.Globalization;
using System.Text.RegularExpressions;
using PgRouter.Testing;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Processes;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Scenario13;

/// <summary>
/// The steps 4 to 10 of scenario 13, with its pgpool.conf and its own psql and pgbench commands. "docker exec" on a node is
/// a direct connection here, "docker stop" a fast shutdown.
/// </summary>
[TestFixture]
public sealed class Scenario13Tests
{
    private const string Database = "pgpool_test";
    private static readonly TimeSpan BenchDeadline = TimeSpan.FromSeconds(120);

    private PgCluster _cluster = null!;
    private RouterProcessFixture _router = null!;
    private ClientPrograms _programs = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _cluster = await PgCluster.StartAsync(new PgClusterOptions { Standbys = 1 });
        _router = await RouterProcessFixture.StartWithConfigurationAsync(
            (port, directory) => ScenarioConfiguration.For(_cluster.Nodes[0], _cluster.Nodes[1], port, directory));
        _programs = new ClientPrograms(_cluster, _router.Endpoint);
        var made = await MakeUsersAsync(Database);
        Assert.That(made.Error, Is.Empty);
        await _cluster.WaitForReplayAsync();
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (_router is not null)
            await _router.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    [Test]
    public async Task Step_4_1_The_version_comes_through_the_router() =>
        Assert.That(await _programs.PsqlAsync("SELECT version();"), Does.StartWith("PostgreSQL "));

    [Test]
    public async Task Step_4_2_A_database_a_table_and_a_thousand_rows_are_made_in_one_psql_session()
    {
        const string Create = "CREATE DATABASE IF NOT EXISTS pgpool_test;";
        var direct = new ClientPrograms(_cluster, new Endpoint(_cluster.Nodes[0].Host, _cluster.Nodes[0].Port));
        var routed = await _programs.TryScriptAsync(Create);
        Assert.That(routed.Error, Is.EqualTo((await direct.TryScriptAsync(Create)).Error), "the same syntax error as from PostgreSQL itself");
        Assert.That(routed.Error, Does.Contain("syntax error"));

        var result = await MakeUsersAsync("pgpool_made");

        Assert.That(result.Error, Is.Empty);
        Assert.That(result.Output, Does.Contain("INSERT 0 1000"));
        Assert.That(result.Output.TrimEnd(), Does.EndWith("1000"), "the session reads what it has just written");
    }

    [Test]
    public async Task Step_5_2_Ten_parallel_reads_all_run_on_the_standby()
    {
        var before = await NodeTable.ReadAsync(_programs);
        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => _programs.RowsAsync(
            "SELECT inet_server_addr() AS server_ip, inet_server_port() AS server_port, count(*) AS user_count FROM users;", Database)));

        var standby = _cluster.Nodes[1].Port.ToString(CultureInfo.InvariantCulture);
        Assert.That(answers.Select(rows => rows.Single()[1]), Is.All.EqualTo(standby));
        Assert.That(answers.Select(rows => rows.Single()[2]), Is.All.Length.EqualTo(4));
        var after = await NodeTable.ReadAsync(_programs);
        Assert.That(after[1].Selects - before[1].Selects, Is.EqualTo(10), "select_cnt of the standby");
        Assert.That(after[0].Selects, Is.EqualTo(before[0].Selects), "select_cnt of the primary");
    }

    [Test]
    public async Task Step_5_3_An_insert_runs_on_the_primary_and_is_replicated()
    {
        var answer = await _programs.RowsAsync(
            "INSERT INTO users (username, email) VALUES ('new_user', 'new@example.com') RETURNING id, username, inet_server_port();", Database);

        Assert.That(answer[0][1], Is.EqualTo("new_user"));
        Assert.That(answer[0][2], Is.EqualTo(_cluster.Nodes[0].Port.ToString(CultureInfo.InvariantCulture)));
        await Eventually.ValueAsync(
            () => _cluster.ScalarAsync<long>(1, "SELECT count(*) FROM users WHERE username = 'new_user'", Database),
            count => count == 1,
            "the row on the standby");
    }

    [Test]
    public async Task Step_6_1_The_pool_status_shows_the_settings_of_the_file()
    {
        var status = (await _programs.RowsAsync("SHOW POOL_STATUS")).ToDictionary(row => row[0], row => row[1]);

        Assert.That(status["num_init_children"], Is.EqualTo("32"));
        Assert.That(status["max_pool"], Is.EqualTo("4"));
        Assert.That(status["load_balance_mode"], Is.EqualTo("on").Or.EqualTo("1"));
        Assert.That(status["backend_hostname0"], Is.EqualTo(_cluster.Nodes[0].Host));
        Assert.That(status["backend_hostname1"], Is.EqualTo(_cluster.Nodes[1].Host));
        Assert.That(status["sr_check_password"], Is.EqualTo("*****"));
        Assert.That(status["health_check_password"], Is.EqualTo("*****"));
    }

    [Test]
    public async Task Step_6_2_A_hundred_clients_share_at_most_thirty_two_servers()
    {
        var clients = Enumerable.Range(1, 100)
            .Select(n => _programs.TryPsqlAsync(string.Create(CultureInfo.InvariantCulture, $"SELECT pg_sleep(2), {n};"), Database)).ToArray();
        var all = Task.WhenAll(clients);
        var most = 0L;
        while (!all.IsCompleted)
        {
            most = Math.Max(most, Math.Max(await ServersOnAsync(0), await ServersOnAsync(1)));
            await Task.WhenAny(all, Task.Delay(TimeSpan.FromMilliseconds(100))); // The pace of the samples; the end is all.
        }

        var results = await all;
        Assert.That(results.Select(result => result.ExitCode), Is.All.Zero, string.Concat(results.Select(result => result.Error).Distinct()));
        Assert.That(
            results.Select(result => result.Output.Trim()),
            Is.EqualTo(Enumerable.Range(1, 100).Select(n => string.Create(CultureInfo.InvariantCulture, $"|{n}"))));
        Assert.That(most, Is.InRange(1, 32));
    }

    [Test]
    public async Task Step_7_1_The_routing_script_writes_on_the_primary_reads_on_the_standby_and_keeps_a_transaction_together()
    {
        var script = Path.Combine(_router.DirectoryPath, "test_routing.sh");
        await File.WriteAllTextAsync(script, RoutingScript);

        var output = "";
        string[] ports = [];
        var primary = _cluster.Nodes[0].Port.ToString(CultureInfo.InvariantCulture);
        var standby = _cluster.Nodes[1].Port.ToString(CultureInfo.InvariantCulture);
        // Until the standby has what was inserted, also the read behind it runs on the primary: on a busy machine it may not have it yet.
        await Eventually.TrueAsync(
            async () =>
            {
                output = await Command.RequireAsync("bash", [script], _programs.Environment);
                ports = [.. Regex.Matches(output, @"port=(\d+)").Select(match => match.Groups[1].Value)];
                return ports.Length == 4 && ports[1] == standby;
            },
            "the read to run on the standby");
        Assert.That(ports, Is.EqualTo(new[] { primary, standby, primary, primary }), output);
        var pids = Regex.Matches(output, @"pid=(\d+)").Select(match => match.Groups[1].Value).ToArray();
        Assert.That(pids, Has.Length.EqualTo(3), output);
        Assert.That(output, Does.Contain("BEGIN").And.Contain("In transaction").And.Contain("COMMIT"));
    }

    [Test]
    public async Task Step_8_1_The_nodes_are_shown_with_roles_weights_and_counts()
    {
        var nodes = await NodeTable.ReadAsync(_programs);

        Assert.That(nodes.Select(node => (node.Id, node.Status, node.Weight, node.Role, node.PgRole)), Is.EqualTo(new[]
        {
            (0, "up", 0.0, "primary", "primary"),
            (1, "up", 1.0, "standby", "standby"),
        }));
        Assert.That(nodes[1].ReplicationState, Is.EqualTo("streaming"));
        Assert.That(nodes[1].Selects, Is.GreaterThanOrEqualTo(11));
    }

    [Test]
    public async Task Step_8_2_The_processes_are_the_clients()
    {
        await using var idle = await RawClient.LoginAsync(_router.Endpoint, database: Database);

        var rows = await _programs.RowsAsync("SHOW POOL_PROCESSES");

        var mine = rows.Single(row => row[3] == Database);
        Assert.That(mine[0], Is.EqualTo(idle.ProcessId.ToString(CultureInfo.InvariantCulture)));
        Assert.That(mine[4], Is.EqualTo("postgres"));
        Assert.That(mine[7], Is.EqualTo("Idle"));
    }

    [Test]
    public async Task Step_9_Without_the_primary_reads_go_on_writes_get_an_error_and_all_comes_back_with_it()
    {
        const string Insert = "INSERT INTO users (username, email) VALUES ('fail_test', 'fail@test.com');";
        await _cluster.StopNodeAsync(0);
        await NodeTable.WaitForStatusAsync(_programs, 0, "down", TimeSpan.FromSeconds(15));
        Assert.That((await NodeTable.ReadAsync(_programs))[1].Status, Is.EqualTo("up"));

        Assert.That(await _programs.PsqlAsync("SELECT count(*) FROM users;", Database), Is.GreaterThanOrEqualTo("1001"));
        var write = await _programs.TryPsqlAsync(Insert, Database);
        Assert.That(write.ExitCode, Is.Not.Zero);
        Assert.That(write.Error, Does.Contain("no primary is available"));

        await _cluster.StartNodeAsync(0);
        await NodeTable.WaitForStatusAsync(_programs, 0, "up", TimeSpan.FromSeconds(60));
        await NodeTable.WaitForStatusAsync(_programs, 1, "up", TimeSpan.FromSeconds(60));
        Assert.That(await _programs.PsqlAsync(Insert, Database), Is.EqualTo("INSERT 0 1"));
    }

    [Test]
    public async Task Step_10_2_Ten_pgbench_clients_read_ten_thousand_times_without_an_error()
    {
        await _programs.PgbenchAsync(BenchDeadline, "-i", "-q", Database);
        await _cluster.WaitForReplayAsync();

        var report = await _programs.PgbenchAsync(BenchDeadline, "-d", Database, "-n", "-c", "10", "-j", "2", "-t", "1000", "-S");

        Assert.That(report, Does.Contain("number of transactions actually processed: 10000/10000"));
        Assert.That(report, Does.Contain("number of failed transactions: 0 "));
    }

    private Task<CommandResult> MakeUsersAsync(string database) => _programs.TryScriptAsync(
        $"""
        CREATE DATABASE {database};
        \c {database}
        CREATE TABLE IF NOT EXISTS users (
            id SERIAL PRIMARY KEY,
            username VARCHAR(50),
            email VARCHAR(100),
            created_at TIMESTAMP DEFAULT now()
        );
        INSERT INTO users (username, email)
        SELECT
            'user' || i,
            'user' || i || '@example.com'
        FROM generate_series(1, 1000) AS i;
        SELECT count(*) FROM users;
        """);

    private Task<long> ServersOnAsync(int node) => _cluster.ScalarAsync<long>(
        node,
        $"SELECT count(*) FROM pg_stat_activity WHERE datname = '{Database}' AND backend_type = 'client backend' AND pid <> pg_backend_pid()");

    /// <summary>test_routing.sh of the scenario; each statement also says on which port it ran.</summary>
    private const string RoutingScript =
        """
        #!/bin/bash
        set -e
        echo "=== Testing Query Routing ==="

        # Write query
        echo "1. INSERT (should go to PRIMARY):"
        psql -d pgpool_test -c "
        INSERT INTO users (username, email)
        VALUES ('route_test', 'route@test.com')
        RETURNING id, 'pid=' || pg_backend_pid() AS backend_pid, 'port=' || inet_server_port();
        "

        # Read query
        echo ""
        echo "2. SELECT (should go to STANDBY):"
        psql -d pgpool_test -c "
        SELECT count(*), 'pid=' || pg_backend_pid() AS backend_pid, 'port=' || inet_server_port() FROM users;
        "

        # Transaction (all queries to PRIMARY)
        echo ""
        echo "3. BEGIN TRANSACTION (all to PRIMARY):"
        psql -d pgpool_test << 'SQL'
        BEGIN;
        SELECT 'In transaction', 'pid=' || pg_backend_pid(), 'port=' || inet_server_port();
        SELECT count(*), 'port=' || inet_server_port() FROM users;
        COMMIT;
        SQL

        """;
}
