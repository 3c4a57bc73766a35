using System.Globalization;
using Npgsql;
using PgRouter.IntegrationTests.Catalog;
using PgRouter.Testing;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Routing;

/// <summary>EXPLAIN ROUTE says what the statement then does. Reads go to the standbys only; there is one server per node.</summary>
[TestFixture]
public sealed class ExplainRouteTests
{
    private const string Database = "explaining";

    private PgCluster _cluster = null!;
    private RouterProcessFixture _router = null!;
    private RawClient _client = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _cluster = await CatalogBed.DatabaseAsync(Database, """
            CREATE TABLE plain (a int); INSERT INTO plain VALUES (1);
            CREATE UNLOGGED TABLE fleeting (a int);
            CREATE FUNCTION calm(int) RETURNS int LANGUAGE sql STABLE AS 'SELECT $1';
            CREATE FUNCTION wild() RETURNS int LANGUAGE sql VOLATILE AS 'INSERT INTO plain VALUES (2); SELECT 1';
            CREATE FUNCTION sneaky() RETURNS bigint LANGUAGE internal STABLE STRICT AS 'lastval';
            """);
        await _cluster.WaitForReplayAsync();
        _router = await RouterProcessFixture.StartAsync(_cluster, new Dictionary<string, string>
        {
            ["log_min_messages"] = "debug1",
            ["backend_weight0"] = "0",
            ["default_pool_size"] = "1",
            ["pgrouter.loops"] = "1",
        });
        await using var first = await RawClient.LoginAsync(_router.Endpoint, "postgres", Database);
        await _router.WaitForLogAsync($"The catalog of database {Database} is read");
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (_router is not null)
            await _router.DisposeAsync();
    }

    [SetUp]
    public async Task LoginAsync() => _client = await RawClient.LoginAsync(_router.Endpoint, "postgres", Database);

    [TearDown]
    public ValueTask LogoutAsync() => _client.DisposeAsync();

    [TestCase("SELECT a FROM plain", "Read", "balanced")]
    [TestCase("SELECT calm(1)", "Read", "balanced")]
    [TestCase("SELECT wild()", "NeedsCatalog", "volatile function")]
    [TestCase("SELECT unheard_of()", "NeedsCatalog", "volatile function")]
    [TestCase("SELECT a FROM fleeting", "PrimaryRead", "catalog")]
    [TestCase("SELECT pg_is_in_recovery()", "PrimaryRead", "catalog")]
    [TestCase("INSERT INTO plain VALUES (3)", "Write", "write")]
    [TestCase("SELEC 1", "Unknown", "write")]
    [TestCase("/* pgrouter: primary */ SELECT 1", "Read", "hint")]
    [TestCase("/* pgrouter: node=2 */ SELECT 1", "Read", "hint")]
    [TestCase("SET work_mem = '1MB'", "State", "balanced")]
    [TestCase("SHOW POOL_NODES", "Local", "local")]
    public async Task The_decision_is_that_of_the_statement(string sql, string statementClass, string reason)
    {
        var rows = await ExplainAsync(sql);
        Assert.That((Answer(rows, "decision", "class"), Answer(rows, "decision", "reason")), Is.EqualTo((statementClass, reason)));
        var before = await CountsAsync();
        await _client.QueryAsync(sql);
        var after = await CountsAsync();
        var gone = after.Where(count => count.Value != before.GetValueOrDefault(count.Key) && count.Key.Reason != "local" || (reason == "local" && count.Key.Reason == "local"))
            .Select(count => count.Key).ToList();
        Assert.That(gone.Select(key => key.Reason), Is.EqualTo(new[] { reason }));
        if (reason != "balanced") // There chance has a say.
            Assert.That(gone.Single().Node, Is.EqualTo(Answer(rows, "decision", "node")));
    }

    [Test]
    public async Task It_shows_the_rules_the_functions_the_tables_and_the_nodes_and_runs_nothing()
    {
        var rows = await ExplainAsync("SELECT wild(), calm(a), lower('X') FROM fleeting");
        Assert.That(Answer(rows, "rule", "write"), Is.EqualTo("does not apply"));
        Assert.That(Answer(rows, "rule", "volatile function"), Is.EqualTo("node 0"));
        Assert.That(Answer(rows, "rule", "balanced"), Is.EqualTo("not asked"));
        Assert.That(Answer(rows, "function", "public.wild()"), Is.EqualTo("volatile"));
        Assert.That(Answer(rows, "function", "public.calm(integer)"), Is.EqualTo("stable"));
        Assert.That(Answer(rows, "function", "lower"), Is.EqualTo("built-in"));
        Assert.That(Detail(rows, "table", "public.fleeting"), Does.StartWith("unlogged table; may bring about: "));
        Assert.That(Detail(rows, "node", "0"), Does.StartWith("its weight is 0").And.Contain($":{_cluster.Nodes[0].Port}, primary"));
        Assert.That(Answer(rows, "node", "1"), Is.EqualTo("may serve reads"));
        Assert.That(Answer(rows, "session", "catalog"), Is.EqualTo("known"));
        Assert.That(Answer(rows, "session", "search_path"), Does.Contain("public"));
        Assert.That(await _cluster.ScalarAsync<long>(0, "SELECT count(*) FROM plain WHERE a = 2", Database), Is.Zero);
    }

    [Test]
    public async Task The_status_of_the_transaction_is_the_true_one()
    {
        await ExplainAsync("SELECT 1");
        Assert.That(_client.TransactionStatus, Is.EqualTo('I'));
        await _client.QueryAsync("BEGIN");
        var begun = await ExplainAsync("SELECT 1");
        Assert.That(_client.TransactionStatus, Is.EqualTo('T'));
        Assert.That(Answer(begun, "decision", "node"), Is.EqualTo("0"), "the block has no server yet, and may write");
        await _client.QueryAsync("INSERT INTO plain VALUES (9)");
        var held = await ExplainAsync("SELECT 1");
        Assert.That((Answer(held, "decision", "reason"), Answer(held, "decision", "node")), Is.EqualTo(("held", "0")));
        await _client.QueryAsync("SELECT 1 / 0");
        await ExplainAsync("SELECT 1");
        Assert.That(_client.TransactionStatus, Is.EqualTo('E'));
        await _client.QueryAsync("ROLLBACK");
    }

    [Test]
    public async Task It_needs_no_server()
    {
        await using var other = await RawClient.LoginAsync(_router.Endpoint, "postgres", Database);
        await other.QueryAsync("BEGIN");
        await other.QueryAsync("INSERT INTO plain VALUES (9)");
        Assert.That(Answer(await ExplainAsync("DELETE FROM plain"), "decision", "node"), Is.EqualTo("0"));
        await other.QueryAsync("ROLLBACK");
    }

    [Test]
    public async Task It_is_prepared_described_and_bound_with_parameters()
    {
        await _client.SendAsync(
            Frontend.Parse("e", "EXPLAIN ROUTE SELECT a FROM plain WHERE a = $1 OR a = $2"), Frontend.Describe('S', "e"), Frontend.Sync());
        var described = await _client.ReadUntilAsync();
        Assert.That(string.Concat(described.Select(m => m.Type)), Is.EqualTo("1tTZ"));
        Assert.That(described[1].Body[1], Is.EqualTo(2), "parameters");
        Assert.That(described[2].ColumnNames(), Is.EqualTo(new[] { "section", "item", "answer", "detail" }));
        for (var i = 0; i < 2; i++)
        {
            await _client.SendAsync(Frontend.Bind("", "e", "1", null), Frontend.Describe('P', ""), Frontend.Execute(""), Frontend.Sync());
            var reply = await _client.ReadUntilAsync();
            Assert.That(reply.First(m => m.Type == 'D').TextColumns().Take(3), Is.EqualTo(new[] { "decision", "class", "Read" }));
        }
        await using var npgsql = new NpgsqlConnection(_router.ConnectionString(Database));
        await npgsql.OpenAsync();
        await using var command = new NpgsqlCommand("EXPLAIN ROUTE SELECT a FROM plain WHERE a = $1", npgsql) { Parameters = { new() { Value = "1" } } };
        await command.PrepareAsync();
        Assert.That(await command.ExecuteScalarAsync(), Is.EqualTo("decision"));
    }

    [Test]
    public async Task EXECUTE_is_explained_as_what_it_executes()
    {
        await _client.QueryAsync("PREPARE p AS SELECT a FROM plain");
        Assert.That(Answer(await ExplainAsync("EXECUTE p"), "decision", "reason"), Is.EqualTo("balanced"));
        await _client.QueryAsync("PREPARE q AS INSERT INTO plain VALUES (9)");
        Assert.That(Answer(await ExplainAsync("EXECUTE q"), "decision", "reason"), Is.EqualTo("write"));
    }

    [Test]
    public async Task What_a_standby_has_refused_is_said_with_its_words()
    {
        await _cluster.ExecuteAsync(0, "ALTER TABLE plain SET UNLOGGED", Database);
        await _cluster.WaitForReplayAsync();
        try
        {
            await _client.QueryAsync("SELECT a AS refused FROM plain");
            var rows = await ExplainAsync("SELECT a AS refused FROM plain");
            Assert.That(Answer(rows, "decision", "reason"), Is.EqualTo("write").Or.EqualTo("catalog"));
            Assert.That(Detail(rows, "decision", "class"), Does.Contain("during recovery").Or.Contain("by the catalog"));
        }
        finally
        {
            await _cluster.ExecuteAsync(0, "ALTER TABLE plain SET LOGGED", Database);
            await _cluster.WaitForReplayAsync();
        }
    }

    [Test]
    public async Task Without_a_statement_it_says_what_is_missing()
    {
        var error = (await _client.QueryAsync("EXPLAIN ROUTE")).Single(m => m.Type == 'E');
        Assert.That((error.Field('C'), error.Field('M')), Is.EqualTo(("42601", "EXPLAIN ROUTE needs a statement")));
    }

    private async Task<List<string?[]>> ExplainAsync(string sql)
    {
        var reply = await _client.QueryAsync($"EXPLAIN ROUTE {sql}");
        Assert.That(reply.Where(m => m.Type == 'E').Select(m => m.Field('M')), Is.Empty);
        return [.. reply.Where(m => m.Type == 'D').Select(m => m.TextColumns().ToArray())];
    }

    /// <summary>By SHOW ROUTES: how often each rule has sent something to each node.</summary>
    private async Task<Dictionary<(string? Node, string Reason), long>> CountsAsync() => (await _client.QueryAsync("SHOW ROUTES"))
        .Where(m => m.Type == 'D').Select(m => m.TextColumns()).Where(row => row[0] == "node")
        .ToDictionary(row => (row[1], row[2]!), row => long.Parse(row[3]!, CultureInfo.InvariantCulture));

    private static string? Answer(List<string?[]> rows, string section, string item) => Row(rows, section, item)[2];

    private static string? Detail(List<string?[]> rows, string section, string item) => Row(rows, section, item)[3];

    private static string?[] Row(List<string?[]> rows, string section, string item) =>
        rows.Single(row => row[0] == section && row[1] == item);
}
