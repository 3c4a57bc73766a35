using Npgsql;
using PgRouter.Testing;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Catalog;

/// <summary>Reads that the catalog sends to a standby, or keeps from one. The primary has no weight: a read on it was sent there on purpose.</summary>
[TestFixture]
public sealed class CatalogRoutingTests
{
    private const string Database = "catalog_routing";

    private PgCluster _cluster = null!;
    private RouterProcessFixture _router = null!;
    private NpgsqlConnection _client = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _cluster = await CatalogBed.DatabaseAsync(Database, """
            CREATE TABLE plain (a int); INSERT INTO plain VALUES (1);
            CREATE UNLOGGED TABLE fleeting (a int);
            CREATE SEQUENCE counter;
            CREATE FUNCTION here() RETURNS int LANGUAGE sql STABLE AS 'SELECT inet_server_port()';
            CREATE FUNCTION here_volatile() RETURNS int LANGUAGE sql AS 'SELECT inet_server_port()';
            CREATE FUNCTION lying() RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT nextval('counter') $$;
            CREATE VIEW drawing AS SELECT nextval('counter') AS n, inet_server_port() AS port;
            CREATE VIEW looking AS SELECT here() AS port FROM plain;
            CREATE EXTENSION file_fdw;
            CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
            CREATE FOREIGN TABLE of_a_file (line text) SERVER files OPTIONS (filename '/etc/hostname');
            CREATE EXTENSION postgres_fdw;
            """);
        await _cluster.ExecuteAsync(
            0,
            $"""
            CREATE SERVER itself FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '{_cluster.Nodes[0].Port}', dbname '{Database}');
            CREATE USER MAPPING FOR postgres SERVER itself OPTIONS (user 'postgres', password 'postgres');
            CREATE FOREIGN TABLE of_a_server (a int) SERVER itself OPTIONS (table_name 'plain');
            """,
            Database);
        await _cluster.WaitForReplayAsync();
        _router = await RouterProcessFixture.StartAsync(
            _cluster, new Dictionary<string, string> { ["log_min_messages"] = "debug1", ["backend_weight0"] = "0" });
        _client = new NpgsqlConnection(_router.ConnectionString(Database));
        await _client.OpenAsync();
        await _router.WaitForLogAsync($"The catalog of database {Database} is read");
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (_client is not null)
            await _client.DisposeAsync();
        if (_router is not null)
            await _router.DisposeAsync();
    }

    [TestCase("SELECT here()", false)]
    [TestCase("SELECT public.here() FROM plain", false)]
    [TestCase("SELECT port FROM looking", false)]
    [TestCase("SELECT inet_server_port() FROM plain", false)]
    [TestCase("SELECT here_volatile()", true)]
    [TestCase("SELECT inet_server_port() FROM (SELECT lying()) x", true)]
    [TestCase("SELECT port FROM drawing", true)]
    [TestCase("SELECT inet_server_port() FROM counter", true)]
    [TestCase("SELECT coalesce(max(a), inet_server_port()) FROM fleeting", true)]
    [TestCase("SELECT inet_server_port() FROM of_a_file LIMIT 1", true)]
    [TestCase("SELECT inet_server_port() FROM of_a_server LIMIT 1", false)]
    public async Task A_read_runs_where_its_functions_views_and_tables_allow(string sql, bool onPrimary)
    {
        await using var simple = new NpgsqlCommand(sql, _client);
        Assert.That(IsPrimary(await simple.ExecuteScalarAsync()), Is.EqualTo(onPrimary));
        await using var prepared = new NpgsqlCommand(sql, _client);
        await prepared.PrepareAsync();
        Assert.That(IsPrimary(await prepared.ExecuteScalarAsync()), Is.EqualTo(onPrimary), "prepared");
    }

    [Test]
    public async Task A_function_that_becomes_volatile_goes_to_the_primary_at_the_next_call_and_returns_when_it_is_stable_again()
    {
        const string Body = "FUNCTION changing() RETURNS int LANGUAGE sql {0} AS 'SELECT inet_server_port()'";
        await ExecuteAsync("CREATE OR REPLACE " + string.Format(null, Body, "STABLE"));
        await _cluster.WaitForReplayAsync();
        await BecomesAsync("SELECT changing()", onPrimary: false);
        await ExecuteAsync("CREATE OR REPLACE " + string.Format(null, Body, "VOLATILE"));
        for (var i = 0; i < 20; i++)
            Assert.That(IsPrimary(await ScalarAsync("SELECT changing()")));
        await ExecuteAsync("CREATE OR REPLACE " + string.Format(null, Body, "STABLE"));
        await BecomesAsync("SELECT changing()", onPrimary: false);
    }

    private async Task BecomesAsync(string sql, bool onPrimary) =>
        await Eventually.TrueAsync(async () => IsPrimary(await ScalarAsync(sql)) == onPrimary, $"{sql} on the primary: {onPrimary}");

    private bool IsPrimary(object? port) => Convert.ToInt32(port, null) == _cluster.Nodes[0].Port;

    private async Task<object?> ScalarAsync(string sql)
    {
        await using var command = new NpgsqlCommand(sql, _client);
        return await command.ExecuteScalarAsync();
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var command = new NpgsqlCommand(sql, _client);
        await command.ExecuteNonQueryAsync();
    }
}
