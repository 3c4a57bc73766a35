using System.Globalization;
using Npgsql;
using PgRouter.Testing;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Processes;
using PgRouter.Testing.Protocol;

namespace PgRouter.IntegrationTests.Routing;

/// <summary>SET pgrouter.*: kept by the router with the transactions and savepoints of other settings, and by no server.</summary>
[TestFixture]
public sealed class SessionSettingTests
{
    private RoutingBed _bed = null!;
    private RawClient _client = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _bed = await RoutingBed.StartAsync(
        "routing_settings", "CREATE TABLE t (a int)", ("backend_weight0", "1"), ("default_pool_size", "1"));

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (_bed is not null)
            await _bed.DisposeAsync();
    }

    [SetUp]
    public async Task LoginAsync()
    {
        await _bed.WaitForCleanStandbysAsync();
        _client = await _bed.LoginAsync();
    }

    [TearDown]
    public async Task LeaveAsync() => await _client.DisposeAsync();

    [Test]
    public async Task A_session_says_where_its_reads_run()
    {
        Assert.That(await _client.ScalarAsync("SHOW pgrouter.route"), Is.EqualTo("auto"));
        Assert.That(await TagAsync("SET pgrouter.route = primary"), Is.EqualTo("SET"));
        Assert.That(await _bed.NodesOfAsync(_client, 10), Is.EqualTo(new[] { 0 }));
        await TagAsync("SET pgrouter.route = 'node=2'");
        Assert.That(await _client.ScalarAsync("SHOW pgrouter.route"), Is.EqualTo("node=2"));
        Assert.That(await _bed.NodesOfAsync(_client, 10), Is.EqualTo(new[] { 2 }));
        Assert.That(await _bed.PreparedNodeOfAsync(_client, "SELECT inet_server_port()"), Is.EqualTo(2));
        await TagAsync("SET pgrouter.route TO standby");
        Assert.That(await _bed.NodesOfAsync(_client, 30), Is.EqualTo(new[] { 1, 2 }));
        Assert.That(await _client.ScalarAsync("SELECT pg_is_in_recovery()"), Is.EqualTo("t"), "it asked for a standby");
        Assert.That(await TagAsync("INSERT INTO t VALUES (1)"), Is.EqualTo("INSERT 0 1"), "a write runs on the primary");
        Assert.That(await _bed.NodeOfAsync(_client, "/* pgrouter: primary */ SELECT inet_server_port()"), Is.Zero, "a comment counts before it");
        Assert.That(await TagAsync("RESET pgrouter.route"), Is.EqualTo("RESET"));
        Assert.That(await _bed.NodesOfAsync(_client, 60), Is.EqualTo(new[] { 0, 1, 2 }));
    }

    [TestCase("SET pgrouter.route = elsewhere", "22023")]
    [TestCase("SET pgrouter.rout = primary", "42602")]
    [TestCase("SET pgrouter.loops = 2", "55P02")]
    [TestCase("SET pgrouter.pool_mode = session", "55P02")]
    [TestCase("SHOW pgrouter.rout", "42704")]
    [TestCase("SELECT set_config('pgrouter.route', 'elsewhere', false)", "22023")]
    [TestCase("SELECT 1; SET pgrouter.route = elsewhere", "22023")]
    [TestCase("SELECT 1; RESET pgrouter.route", "0A000")]
    public async Task An_error_fails_the_transaction_as_any_other(string sql, string code)
    {
        Assert.That(await CodeAsync(sql), Is.EqualTo(code));
        Assert.That(await _client.ScalarAsync("SELECT 1"), Is.EqualTo("1"));
        foreach (var first in new[] { "SELECT 1", "INSERT INTO t VALUES (2)", null })
        {
            await TagAsync("BEGIN");
            if (first is not null)
                await _client.QueryAsync(first);
            Assert.That(await CodeAsync(sql), Is.EqualTo(code));
            Assert.That(await CodeAsync("SELECT 1"), Is.EqualTo("25P02"));
            Assert.That(await CodeAsync("SHOW pgrouter.route"), Is.EqualTo("25P02"));
            Assert.That(await CodeAsync("SET pgrouter.route = standby"), Is.EqualTo("25P02"));
            Assert.That(await TagAsync("COMMIT"), Is.EqualTo("ROLLBACK"));
        }
        Assert.That(await _client.ScalarAsync("SELECT count(*) FROM t WHERE a = 2"), Is.EqualTo("0"));
        Assert.That(await _client.ScalarAsync("SHOW pgrouter.route"), Is.EqualTo("auto"));
    }

    [Test]
    public async Task Transactions_and_savepoints_take_it_back()
    {
        await RunAsync("BEGIN", "SET pgrouter.route = primary", "COMMIT");
        Assert.That(await ShownAsync(), Is.EqualTo("primary"));
        await RunAsync("BEGIN", "SET pgrouter.route = standby", "ROLLBACK");
        Assert.That(await ShownAsync(), Is.EqualTo("primary"));
        await RunAsync("BEGIN", "SELECT 1", "SET pgrouter.route = standby", "SAVEPOINT a", "SET pgrouter.route = 'node=1'", "ROLLBACK TO a");
        Assert.That(await ShownAsync(), Is.EqualTo("standby"));
        await RunAsync("SAVEPOINT b", "SET pgrouter.route = 'node=2'", "RELEASE b", "COMMIT");
        Assert.That(await ShownAsync(), Is.EqualTo("node=2"));
        await RunAsync("BEGIN", "INSERT INTO t VALUES (3)", "SET LOCAL pgrouter.route = primary");
        Assert.That(await ShownAsync(), Is.EqualTo("primary"));
        await RunAsync("COMMIT");
        Assert.That(await ShownAsync(), Is.EqualTo("node=2"));
        await RunAsync("DISCARD ALL");
        Assert.That(await ShownAsync(), Is.EqualTo("auto"));
        await RunAsync("SET pgrouter.route = primary", "SET work_mem = '1MB'", "RESET ALL");
        Assert.That(await ShownAsync(), Is.EqualTo("auto"));
    }

    [Test]
    public async Task SET_LOCAL_in_a_block_that_reads_chooses_its_node_and_without_one_it_warns()
    {
        for (var node = 0; node < 3; node++)
        {
            await RunAsync("BEGIN READ ONLY", $"SET LOCAL pgrouter.route = 'node={node}'");
            Assert.That(await _bed.NodesOfAsync(_client, 2), Is.EqualTo(new[] { node }));
            await RunAsync("COMMIT");
        }
        var answer = await _client.QueryAsync("SET LOCAL pgrouter.route = primary");
        Assert.That(answer.Select(m => m.Type), Is.EqualTo("NCZ"));
        Assert.That((answer[0].Field('S'), answer[0].Field('C')), Is.EqualTo(("WARNING", "25P01")));
        Assert.That(await ShownAsync(), Is.EqualTo("auto"));
    }

    [Test]
    public async Task With_other_statements_in_one_query_it_counts_for_them_and_leaves_nothing_on_the_server()
    {
        Assert.That(await _bed.NodeOfAsync(_client, "SET pgrouter.route = 'node=1'; SELECT inet_server_port()"), Is.EqualTo(1));
        Assert.That(await ShownAsync(), Is.EqualTo("node=1"));
        Assert.That(await _client.ScalarAsync("SELECT set_config('pgrouter.route', 'node=2', false)"), Is.EqualTo("node=2"));
        Assert.That(await _bed.NodesOfAsync(_client, 5), Is.EqualTo(new[] { 2 }));
        Assert.That(await CodeAsync("SET pgrouter.route = standby; SELECT 1/0"), Is.EqualTo("22012"));
        Assert.That(await ShownAsync(), Is.EqualTo("node=2"), "one transaction, rolled back");

        // One server on each node: the next client gets the ones that were told.
        await using var other = await _bed.LoginAsync();
        for (var node = 0; node < 3; node++)
        {
            var value = await other.ScalarAsync($"/* pgrouter: node={node} */ SELECT coalesce(current_setting('pgrouter.route', true), '')");
            Assert.That(value, Is.Empty);
        }
        Assert.That(await _bed.NodesOfAsync(other, 60), Is.EqualTo(new[] { 0, 1, 2 }));
        Assert.That(await other.ScalarAsync("SHOW pgrouter.route"), Is.EqualTo("auto"));
    }

    [Test]
    public async Task The_start_up_packet_may_say_it_and_RESET_goes_back_there()
    {
        await using var client = await _bed.LoginAsync(("options", "-c pgrouter.route=node=1 -c work_mem=1MB"), ("pgrouter.max_lag", "5min"));
        Assert.That(await client.ScalarAsync("SHOW pgrouter.route"), Is.EqualTo("node=1"));
        Assert.That(await client.ScalarAsync("SHOW pgrouter.max_lag"), Is.EqualTo("300s"));
        Assert.That(await client.ScalarAsync("SHOW pgrouter.pool_mode"), Is.EqualTo("transaction"));
        Assert.That(await client.ScalarAsync("SHOW work_mem"), Is.EqualTo("1MB"));
        Assert.That(await _bed.NodesOfAsync(client, 5), Is.EqualTo(new[] { 1 }));
        await client.QueryAsync("SET pgrouter.route = auto");
        await client.QueryAsync("RESET pgrouter.route");
        Assert.That(await _bed.NodesOfAsync(client, 5), Is.EqualTo(new[] { 1 }));

        var refused = await Assert.ThrowsAsync<RefusedException>(() => _bed.LoginAsync(("options", "-c pgrouter.route=nowhere")));
        Assert.That(refused!.Message, Does.Contain("22023").And.Contain("nowhere"));
        refused = await Assert.ThrowsAsync<RefusedException>(() => _bed.LoginAsync(("pgrouter.rout", "primary")));
        Assert.That(refused!.Message, Does.Contain("42602"));
    }

    [Test]
    public async Task ALTER_ROLE_and_ALTER_DATABASE_say_what_sessions_begin_with()
    {
        const string Role = "routing_settings_reader";
        await RunAsync($"DROP ROLE IF EXISTS {Role}", $"CREATE ROLE {Role} LOGIN PASSWORD 'postgres'");
        await _bed.Cluster.WaitForReplayAsync();
        await using var reader = await LoginAsRoleAsync();
        try
        {
            await RunAsync("ALTER DATABASE routing_settings SET pgrouter.route = 'node=1'");
            await BecomesAsync(reader, "node=1");
            Assert.That(await _bed.NodesOfAsync(reader, 5), Is.EqualTo(new[] { 1 }));
            await RunAsync($"ALTER ROLE {Role} SET pgrouter.route TO 'node=2'");
            await BecomesAsync(reader, "node=2");
            Assert.That(await _bed.NodesOfAsync(reader, 5), Is.EqualTo(new[] { 2 }), "the role counts before the database");
            await reader.QueryAsync("SET pgrouter.route = primary");
            Assert.That(await _bed.NodesOfAsync(reader, 5), Is.EqualTo(new[] { 0 }));
            await reader.QueryAsync("RESET pgrouter.route");
            Assert.That(await reader.ScalarAsync("SHOW pgrouter.route"), Is.EqualTo("node=2"));

            await using var asked = await LoginAsRoleAsync(("options", "-c pgrouter.route=primary"));
            Assert.That(await _bed.NodesOfAsync(asked, 5), Is.EqualTo(new[] { 0 }), "the start-up packet counts before both");
            await RunAsync($"ALTER ROLE {Role} IN DATABASE routing_settings SET pgrouter.route TO 'nowhere'");
            await BecomesAsync(reader, "auto");
            await _bed.Router.WaitForLogAsync("gives \"pgrouter.route\" the value \"nowhere\"");
        }
        finally
        {
            await RunAsync("ALTER DATABASE routing_settings RESET pgrouter.route", $"DROP ROLE {Role}");
        }
        await BecomesAsync(_client, "auto");

        Task<RawClient> LoginAsRoleAsync(params (string Name, string Value)[] parameters) =>
            RawClient.LoginAsync(_bed.Router.Endpoint, Role, "routing_settings", "postgres", parameters);

        static Task BecomesAsync(RawClient client, string value) =>
            Eventually.TrueAsync(async () => await client.ScalarAsync("SHOW pgrouter.route") == value, $"the route of the session to be {value}");
    }

    [Test]
    public async Task Psql_sets_it_by_its_options()
    {
        var result = await Command.RequireAsync(
            "psql",
            ["-XAtq", "-h", _bed.Router.Endpoint.Host, "-p", _bed.Router.Endpoint.Port.ToString(CultureInfo.InvariantCulture), "-U", "postgres", "-d", "routing_settings",
                "-c", "SHOW pgrouter.route", "-c", "SELECT inet_server_port()", "-c", "SET pgrouter.route = 'node=1'; SELECT inet_server_port()", "-c", "SHOW pgrouter.route"],
            environment: new Dictionary<string, string> { ["PGOPTIONS"] = "-c pgrouter.route=node=2" });
        var ports = _bed.Cluster.Nodes.Select(node => node.Port.ToString(CultureInfo.InvariantCulture)).ToArray();
        Assert.That(result.Trim().Split('\n'), Is.EqualTo(new[] { "node=2", ports[2], ports[1], "node=1" }));
    }

    [Test]
    public async Task Npgsql_sets_it_alone_in_batches_and_in_transactions()
    {
        await using var connection = await _bed.OpenAsync("Options=-c pgrouter.route=primary");
        Assert.That(_bed.NodeAt(await ScalarAsync(connection, "SELECT inet_server_port()")), Is.Zero);
        await using (var command = new NpgsqlCommand("SET pgrouter.route = 'node=2'", connection))
            await command.ExecuteNonQueryAsync();
        Assert.That(await ScalarAsync(connection, "SHOW pgrouter.route"), Is.EqualTo("node=2"));
        await using (var batch = new NpgsqlBatch(connection))
        {
            foreach (var sql in new[] { "SELECT 1", "SET pgrouter.route = 'node=1'", "SHOW pgrouter.route", "SELECT 2" })
                batch.BatchCommands.Add(new NpgsqlBatchCommand(sql));
            await using var reader = await batch.ExecuteReaderAsync();
            var values = new List<object>();
            do
            {
                while (await reader.ReadAsync())
                    values.Add(reader.GetValue(0));
            }
            while (await reader.NextResultAsync());
            Assert.That(values, Is.EqualTo(new object[] { 1, "node=1", 2 }));
        }
        Assert.That(_bed.NodeAt(await ScalarAsync(connection, "SELECT inet_server_port()")), Is.EqualTo(1));

        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await using var set = new NpgsqlCommand("SET LOCAL pgrouter.route = primary", connection, transaction);
            await set.ExecuteNonQueryAsync();
            Assert.That(await ScalarAsync(connection, "SHOW pgrouter.route"), Is.EqualTo("primary"));
            await transaction.CommitAsync();
        }
        await using var prepared = new NpgsqlCommand("SHOW pgrouter.route", connection);
        await prepared.PrepareAsync();
        Assert.That(await prepared.ExecuteScalarAsync(), Is.EqualTo("node=1"));
        var wrong = await Assert.ThrowsAsync<PostgresException>(() => ScalarAsync(connection, "SET pgrouter.route = 'x'"));
        Assert.That(wrong!.SqlState, Is.EqualTo("22023"));
    }

    [Test]
    public async Task In_a_batch_with_BEGIN_it_is_answered_at_its_place_and_an_error_fails_all_of_it()
    {
        // As JDBC sends it with autocommit off.
        await _client.SendAsync(
            Frontend.Parse("", "BEGIN"), Frontend.Bind("", ""), Frontend.Execute(""),
            Frontend.Parse("", "SET pgrouter.route = 'node=2'"), Frontend.Bind("", ""), Frontend.Describe('P', ""), Frontend.Execute(""),
            Frontend.Parse("s", "SHOW pgrouter.route"), Frontend.Bind("", "s"), Frontend.Describe('P', ""), Frontend.Execute(""), Frontend.Sync());
        var answer = await _client.ReadUntilAsync();
        Assert.That(string.Concat(answer.Select(m => m.Type)), Is.EqualTo("12C12nC12TDCZ"));
        Assert.That(answer.Single(m => m.Type == 'D').TextColumns()[0], Is.EqualTo("node=2"));
        await RunAsync("ROLLBACK");
        Assert.That(await ShownAsync(), Is.EqualTo("auto"));

        await _client.SendAsync(
            Frontend.Parse("", "INSERT INTO t VALUES (4)"), Frontend.Bind("", ""), Frontend.Execute(""),
            Frontend.Parse("", "SET pgrouter.route = primary"), Frontend.Bind("", ""), Frontend.Execute(""),
            Frontend.Parse("", "SET pgrouter.route = 'x'"), Frontend.Bind("", ""), Frontend.Execute(""),
            Frontend.Parse("", "SELECT 1"), Frontend.Bind("", ""), Frontend.Execute(""), Frontend.Sync());
        answer = await _client.ReadUntilAsync();
        Assert.That(string.Concat(answer.Select(m => m.Type)), Is.EqualTo("12C12C12EZ"));
        Assert.That(answer[^2].Field('C'), Is.EqualTo("22023"));
        Assert.That(await ShownAsync(), Is.EqualTo("auto"));
        Assert.That(await _client.ScalarAsync("/* pgrouter: primary */ SELECT count(*) FROM t WHERE a = 4"), Is.EqualTo("0"));

        await RunAsync("BEGIN", "INSERT INTO t VALUES (5)");
        await _client.SendAsync(Frontend.Parse("", "SET pgrouter.route = 'x'"), Frontend.Bind("", ""), Frontend.Execute(""), Frontend.Sync());
        answer = await _client.ReadUntilAsync();
        Assert.That((answer[^2].Field('C'), answer[^1].Body[0]), Is.EqualTo(("22023", (byte)'E')));
        await _client.SendAsync(Frontend.Parse("", "SET pgrouter.route = standby"), Frontend.Bind("", ""), Frontend.Execute(""), Frontend.Sync());
        Assert.That((await _client.ReadUntilAsync())[^2].Field('C'), Is.EqualTo("25P02"));
        await RunAsync("ROLLBACK");
    }

    [Test]
    public async Task Asked_for_with_Flush_it_is_answered_too()
    {
        await _client.SendAsync(Frontend.Parse("p", "SET pgrouter.route = 'node=1'"), Frontend.Describe('S', "p"), Frontend.Flush());
        Assert.That(string.Concat((await _client.ReadUntilAsync('n')).Select(m => m.Type)), Is.EqualTo("1tn"));
        await _client.SendAsync(Frontend.Bind("", "p"), Frontend.Execute(""), Frontend.Sync());
        Assert.That(string.Concat((await _client.ReadUntilAsync()).Select(m => m.Type)), Is.EqualTo("2CZ"));
        Assert.That(await ShownAsync(), Is.EqualTo("node=1"));
        await _client.SendAsync(Frontend.Bind("", "p", "1"), Frontend.Execute(""), Frontend.Sync());
        var answer = await _client.ReadUntilAsync();
        Assert.That((string.Concat(answer.Select(m => m.Type)), answer[0].Field('C')), Is.EqualTo(("EZ", "08P01")));
        await _client.SendAsync(Frontend.Parse("p", "SET pgrouter.route = primary"), Frontend.Sync());
        Assert.That((await _client.ReadUntilAsync())[0].Field('C'), Is.EqualTo("42P05"));
        Assert.That(await TagAsync("DEALLOCATE p"), Is.EqualTo("DEALLOCATE"));
    }

    [Test]
    public async Task It_costs_no_server()
    {
        await using var holder = await _bed.LoginAsync();
        await holder.QueryAsync("SET pgrouter.route = primary");
        await holder.QueryAsync("BEGIN");
        await holder.QueryAsync("SELECT 1");
        await RunAsync("SET pgrouter.route = primary");
        Assert.That(await ShownAsync(), Is.EqualTo("primary"), "the only server of the primary is held by another client");
        await holder.QueryAsync("ROLLBACK");
    }

    private Task<string?> ShownAsync() => _client.ScalarAsync("SHOW pgrouter.route");

    private async Task RunAsync(params string[] texts)
    {
        foreach (var sql in texts)
            await TagAsync(sql);
    }

    private async Task<string> TagAsync(string sql)
    {
        var answer = await _client.QueryAsync(sql);
        Assert.That(answer.Where(m => m.Type == 'E').Select(m => m.Field('M')), Is.Empty, sql);
        return answer.Single(m => m.Type == 'C').Text();
    }

    private async Task<string?> CodeAsync(string sql) => (await _client.QueryAsync(sql)).SingleOrDefault(m => m.Type == 'E')?.Field('C');

    private static async Task<object?> ScalarAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }
}
