using System.Data;
using System.Globalization;
using Npgsql;
using PgRouter.IntegrationTests.Scenario13;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Consoles;

/// <summary>Both consoles as real clients see them: psql by simple queries, Npgsql by the extended protocol with typed columns.</summary>
[TestFixture]
public sealed class ConsoleTests
{
    private PgCluster _cluster = null!;
    private RouterProcessFixture _router = null!;
    private ClientPrograms _programs = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _cluster = await SharedCluster.GetAsync();
        _router = await RouterProcessFixture.StartAsync(_cluster);
        _programs = new ClientPrograms(_cluster, _router.Endpoint);
        await _programs.PsqlAsync("SELECT 1");
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (_router is not null)
            await _router.DisposeAsync();
    }

    [Test]
    public async Task Show_pool_nodes_has_pgpools_fourteen_columns_with_their_types()
    {
        var table = await TableAsync("SHOW POOL_NODES");

        Assert.That(Columns(table), Is.EqualTo(new[]
        {
            "node_id Int32", "hostname String", "port Int32", "status String", "pg_status String", "lb_weight Double", "role String",
            "pg_role String", "select_cnt Int64", "load_balance_node String", "replication_delay Int64", "replication_state String",
            "replication_sync_state String", "last_status_change DateTime",
        }));
        Assert.That(Values(table, "port"), Is.EqualTo(_cluster.Nodes.Select(node => (object)node.Port)));
        Assert.That(Values(table, "role"), Is.EqualTo(new[] { "primary", "standby", "standby" }));
        Assert.That(Values(table, "status"), Is.All.EqualTo("up"));
        Assert.That(Values(table, "replication_state"), Is.EqualTo(new[] { "", "streaming", "streaming" }));
    }

    [TestCase("SHOW POOL_STATUS", "item", 20)]
    [TestCase("SHOW POOL_PROCESSES", "pool_pid", 1)]
    [TestCase("SHOW POOL_POOLS", "pool_id", 1)]
    [TestCase("SHOW POOL_VERSION", "pool_version", 1)]
    [TestCase("SHOW POOL_BACKEND_STATS", "select_cnt", 3)]
    [TestCase("SHOW POOL_HEALTH_CHECK_STATS", "total_count", 3)]
    [TestCase("PGPOOL SHOW ALL", "item", 20)]
    [TestCase("PGPOOL SHOW port", "port", 1)]
    public async Task Pgpools_commands_answer_psql_and_npgsql_alike(string command, string column, int leastRows)
    {
        var table = await TableAsync(command);
        var rows = await _programs.RowsAsync(command);

        Assert.That(table.Columns.Cast<DataColumn>().Select(c => c.ColumnName), Has.Member(column));
        Assert.That(table.Rows, Has.Count.GreaterThanOrEqualTo(leastRows));
        Assert.That(rows, Has.Count.GreaterThanOrEqualTo(leastRows));
        Assert.That(rows.Select(row => row.Length), Is.All.GreaterThanOrEqualTo(table.Columns.Count));
    }

    [TestCase("SHOW POOLS", "cl_active Int32")]
    [TestCase("SHOW STATS", "total_query_count Decimal")]
    [TestCase("SHOW CLIENTS", "prepared_statements Int32")]
    [TestCase("SHOW SERVERS", "remote_pid Int32")]
    [TestCase("SHOW DATABASES", "pool_size Int32")]
    [TestCase("SHOW LISTS", "items Int32")]
    [TestCase("SHOW VERSION", "version String")]
    public async Task Pgbouncers_commands_answer_psql_and_npgsql_on_its_database(string command, string column)
    {
        var table = await TableAsync(command, "pgbouncer");
        var rows = await _programs.RowsAsync(command, "pgbouncer");

        Assert.That(Columns(table), Has.Member(column));
        Assert.That(table.Rows, Has.Count.GreaterThanOrEqualTo(1));
        Assert.That(rows, Has.Count.GreaterThanOrEqualTo(1));
    }

    [Test]
    public async Task Inside_a_transaction_a_command_leaves_the_transaction_as_it_is()
    {
        await using var client = await RawClient.LoginAsync(_router.Endpoint);
        await client.QueryAsync("BEGIN");
        await client.QueryAsync("SET LOCAL work_mem = '7MB'");

        var nodes = await client.QueryAsync("SHOW POOL_NODES");

        Assert.That(nodes.Count(message => message.Type == 'D'), Is.EqualTo(3));
        Assert.That(client.TransactionStatus, Is.EqualTo('T'));
        Assert.That(await client.ScalarAsync("SHOW work_mem"), Is.EqualTo("7MB"));
        await client.QueryAsync("COMMIT");
        Assert.That(client.TransactionStatus, Is.EqualTo('I'));
    }

    [Test]
    public async Task Secrets_are_masked_wherever_settings_are_shown()
    {
        foreach (var (command, database) in new[] { ("SHOW POOL_STATUS", "postgres"), ("PGPOOL SHOW ALL", "postgres"), ("SHOW CONFIG", "pgbouncer") })
        {
            var passwords = (await _programs.RowsAsync(command, database))
                .Where(row => row[0].EndsWith("_password", StringComparison.Ordinal) && row[1].Length > 0).ToDictionary(row => row[0], row => row[1]);

            Assert.That(passwords, Does.ContainKey("sr_check_password").And.ContainKey("health_check_password"), command);
            Assert.That(passwords.Values, Is.All.EqualTo("*****"), command);
        }

        Assert.That(await _programs.PsqlAsync("PGPOOL SHOW sr_check_password"), Is.EqualTo("*****"));
    }

    [Test]
    public async Task Counters_count_what_was_done()
    {
        const int Statements = 25;
        await _cluster.ExecuteAsync(0, "CREATE TABLE IF NOT EXISTS counted (n int)");
        await _cluster.WaitForReplayAsync();
        await using var client = await RawClient.LoginAsync(_router.Endpoint);
        var before = await CountersAsync();

        for (var n = 0; n < Statements; n++)
        {
            await client.QueryAsync("SELECT 1");
            await client.QueryAsync("INSERT INTO counted VALUES (1)");
            await client.QueryAsync("UPDATE counted SET n = 2 WHERE n = 3");
            await client.QueryAsync("DELETE FROM counted WHERE n = 3");
            await client.QueryAsync("SELECT 1/0");
        }

        var after = await CountersAsync();
        Assert.That(after.Zip(before).Select(pair => pair.First - pair.Second), Is.EqualTo(new long[]
        {
            2 * Statements, Statements, Statements, Statements, Statements, 5 * Statements, 5 * Statements,
        }));
        await _cluster.ExecuteAsync(0, "DROP TABLE counted");
    }

    [Test]
    public async Task Lists_and_clients_show_who_is_there()
    {
        await using var one = await RawClient.LoginAsync(_router.Endpoint, parameters: ("application_name", "the one"));
        await one.ScalarAsync("SELECT 1");

        var clients = await TableAsync("SHOW CLIENTS", "pgbouncer");

        var row = clients.Rows.Cast<DataRow>().Single(r => (string)r["application_name"] == "the one");
        Assert.That(row["id"], Is.EqualTo(one.ProcessId));
        Assert.That(row["query_count"], Is.EqualTo(1));
        Assert.That(row["state"], Is.EqualTo("idle"));
    }

    /// <summary>Selects, inserts, updates, deletes and errors of all nodes; queries and transactions of the database.</summary>
    private async Task<long[]> CountersAsync()
    {
        var nodes = await TableAsync("SHOW POOL_BACKEND_STATS", "pgbouncer");
        var databases = await TableAsync("SHOW STATS", "pgbouncer");
        var mine = databases.Rows.Cast<DataRow>().Single(row => (string)row["database"] == "postgres");
        return
        [
            .. new[] { "select_cnt", "insert_cnt", "update_cnt", "delete_cnt", "error_cnt" }.Select(name => Values(nodes, name).Sum(value => (long)value)),
            (long)(decimal)mine["total_query_count"],
            (long)(decimal)mine["total_xact_count"],
        ];
    }

    private async Task<DataTable> TableAsync(string command, string database = "postgres")
    {
        await using var connection = new NpgsqlConnection(_router.ConnectionString(database) + ";Server Compatibility Mode=NoTypeLoading");
        await connection.OpenAsync();
        await using var query = new NpgsqlCommand(command, connection);
        await using var reader = await query.ExecuteReaderAsync();
        var table = new DataTable { Locale = CultureInfo.InvariantCulture };
        for (var i = 0; i < reader.FieldCount; i++)
            table.Columns.Add(reader.GetName(i), reader.GetFieldType(i));
        while (await reader.ReadAsync())
        {
            var values = new object[reader.FieldCount];
            reader.GetValues(values);
            table.Rows.Add(values);
        }

        return table;
    }

    private static IEnumerable<string> Columns(DataTable table) =>
        table.Columns.Cast<DataColumn>().Select(column => $"{column.ColumnName} {column.DataType.Name}");

    private static IEnumerable<object> Values(DataTable table, string column) => table.Rows.Cast<DataRow>().Select(row => row[column]);
}
