using PgRouter.IntegrationTests.Catalog;
using PgRouter.Testing;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Routing;

/// <summary>What is told of each statement, to the log and to the client. Reads go to the standbys only.</summary>
[TestFixture]
public sealed class TellingTests
{
    private const string Database = "telling";

    private PgCluster _cluster = null!;
    private RouterProcessFixture _router = null!;
    private RawClient _client = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _cluster = await CatalogBed.DatabaseAsync(Database, """
            CREATE TABLE plain (a int); INSERT INTO plain VALUES (1); CREATE TABLE written (a int);
            CREATE SEQUENCE counter;
            CREATE FUNCTION sneaky(regclass) RETURNS bigint LANGUAGE internal STABLE STRICT AS 'nextval_oid';
            """);
        await _cluster.WaitForReplayAsync();
        _router = await RouterProcessFixture.StartAsync(_cluster, new Dictionary<string, string>
        {
            ["log_min_messages"] = "debug1",
            ["backend_weight0"] = "0",
            ["backend_weight2"] = "0",
            ["log_statement"] = "on",
            ["log_per_node_statement"] = "on",
            ["notice_per_node_statement"] = "on",
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

    /// <summary>Returns when reads are balanced: the node is up, and the catalog has been read again behind a refusal.</summary>
    [SetUp]
    public async Task LoginAsync()
    {
        _client = await RawClient.LoginAsync(_router.Endpoint, "postgres", Database);
        await Eventually.TrueAsync(
            async () => NoticeOf(await _client.QueryAsync("SELECT a FROM plain")).Contains("DB node id: 1"), "reads to run on node 1");
    }

    [TearDown]
    public ValueTask LogoutAsync() => _client.DisposeAsync();

    [TestCase("SELECT a FROM plain", "TDC", 1)]
    [TestCase("INSERT INTO written VALUES (1)", "C", 0)]
    [TestCase("SELECT 1 / 0", "TE", 1)]
    public async Task A_notice_names_the_node_in_front_of_ReadyForQuery(string sql, string types, int node)
    {
        var reply = await _client.QueryAsync(sql);
        Assert.That(Types(reply), Is.EqualTo(types + "NZ").Or.EqualTo(types.Replace("T", "") + "NZ"));
        Assert.That(NoticeOf(reply), Is.EqualTo($"NOTICE 00000 DB node id: {node} statement: {sql}"));
    }

    [Test]
    public async Task One_for_each_of_a_pipeline()
    {
        string[] texts = ["SELECT a FROM plain", "SELECT a + 1 FROM plain", "INSERT INTO written VALUES (1)"];
        await _client.SendAsync([.. texts.Select(Frontend.Query)]);
        for (var i = 0; i < texts.Length; i++)
            Assert.That(NoticeOf(await _client.ReadUntilAsync()), Does.EndWith($"DB node id: {(i < 2 ? 1 : 0)} statement: {texts[i]}"));
    }

    [Test]
    public async Task Of_a_batch_with_the_text_of_the_prepared_statement()
    {
        await _client.SendAsync(Frontend.Parse("p", "SELECT a AS prepared FROM plain"), Frontend.Sync());
        await _client.ReadUntilAsync();
        await _client.SendAsync(Frontend.Bind("", "p"), Frontend.Execute(""), Frontend.Sync());
        var reply = await _client.ReadUntilAsync();
        Assert.That(Types(reply), Is.EqualTo("2DCNZ"));
        Assert.That(NoticeOf(reply), Does.EndWith("DB node id: 1 statement: SELECT a AS prepared FROM plain"));
    }

    [Test]
    public async Task In_a_transaction_and_for_what_was_refused_the_node_that_has_run_it()
    {
        await _client.QueryAsync("BEGIN");
        Assert.That(NoticeOf(await _client.QueryAsync("SELECT a FROM plain")), Does.Contain("DB node id: 0"));
        await _client.QueryAsync("COMMIT");
        Assert.That(NoticeOf(await _client.QueryAsync("SELECT sneaky('counter')")), Does.Contain("DB node id: 0 statement: SELECT sneaky"));
    }

    [Test]
    public async Task The_log_has_pgpools_words_and_the_reason()
    {
        await _client.QueryAsync("SELECT a AS logged FROM plain");
        await _router.WaitForLogAsync("statement: SELECT a AS logged FROM plain");
        Assert.That(_router.Log, Has.Some.Match("LOG:  statement: SELECT a AS logged FROM plain$"));
        await Eventually.TrueAsync(
            () => _router.Log.Any(line => System.Text.RegularExpressions.Regex.IsMatch(
                line, @"LOG:  DB node id: 1 backend pid: \d+ statement: SELECT a AS logged FROM plain$")),
            "the line with the node");
        Assert.That(_router.Log, Has.Some.EqualTo("DETAIL:  reason: balanced"));
    }

    [TestCase("SHOW POOL_VERSION")]
    [TestCase("START TRANSACTION READ ONLY")]
    public async Task What_the_router_answers_itself_is_logged_too(string sql)
    {
        var reply = await _client.QueryAsync(sql);
        Assert.That(reply.Any(m => m.Type == 'N'), Is.False, "no node has run it");
        await _router.WaitForLogAsync($"LOG:  statement: {sql}");
    }

    private static string Types(IEnumerable<RawMessage> reply) => string.Concat(reply.Select(message => message.Type));

    private static string NoticeOf(IEnumerable<RawMessage> reply)
    {
        var notice = reply.Single(message => message.Type == 'N');
        return $"{notice.Field('S')} {notice.Field('C')} {notice.Field('M')}";
    }
}
