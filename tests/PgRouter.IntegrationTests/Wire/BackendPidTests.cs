using System.Globalization;
using System.Text;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Wire;

/// <summary>pg_backend_pid() through a router gives the client's own pid, wherever it stands; all else is as it is directly.</summary>
[TestFixture]
public sealed class BackendPidTests
{
    private RouterProcessFixture _router = null!;
    private Endpoint _primary = null!;

    [OneTimeSetUp]
    public async Task StartRouter()
    {
        _primary = await WireBed.PrimaryAsync();
        _router = await WireBed.RouterAsync(WireBed.SmallPool.With(("backend_weight1", "0"), ("backend_weight2", "0")));
    }

    [OneTimeTearDown]
    public async Task StopRouter() => await _router.DisposeAsync();

    [TestCase("SELECT pg_backend_pid()")]
    [TestCase("SELECT pg_backend_pid() = {pid}, PG_CATALOG.pg_backend_pid /* c */ ( ) AS named, \"pg_backend_pid\"()")]
    [TestCase("SELECT pg_backend_pid()::text, -pg_backend_pid(), pg_backend_pid()+1 AS next, coalesce(pg_backend_pid(), 1), ARRAY[pg_backend_pid()]")]
    [TestCase("SELECT CASE WHEN true THEN 1 ELSE pg_backend_pid() END, (SELECT pg_backend_pid()), (pg_backend_pid())")]
    [TestCase("SELECT pg_typeof(pg_backend_pid()), pg_backend_pid()FROM wire_rows LIMIT 1")]
    [TestCase("SELECT DISTINCT pg_backend_pid() ORDER BY pg_backend_pid()")]
    [TestCase("SELECT pg_backend_pid(), count(*) FROM wire_rows GROUP BY pg_backend_pid() ORDER BY pg_backend_pid()")]
    [TestCase("SELECT DISTINCT ON (pg_backend_pid()) pg_backend_pid(), 1 AS a FROM wire_rows ORDER BY pg_backend_pid()")]
    [TestCase("SELECT id FROM wire_rows WHERE id < pg_backend_pid() ORDER BY pg_backend_pid(), id LIMIT 2")]
    [TestCase("SELECT pg_backend_pid() UNION SELECT 1 ORDER BY 1")]
    [TestCase("VALUES (pg_backend_pid())")]
    [TestCase("SELECT * FROM pg_backend_pid()")]
    [TestCase("SELECT p.* FROM pg_backend_pid() p")]
    [TestCase("SELECT * FROM pg_backend_pid() AS p(q), pg_backend_pid()WHERE q = {pid}")]
    [TestCase("SELECT * FROM pg_backend_pid() WITH ORDINALITY")]
    [TestCase("SELECT * FROM pg_backend_pid() WITH ORDINALITY AS p(q, n)")]
    [TestCase("SELECT * FROM wire_rows, LATERAL pg_backend_pid() WHERE id = 1")]
    [TestCase("SELECT a, b IS NULL FROM ROWS FROM (pg_backend_pid(), now()) AS r(a, b)")]
    [TestCase("SELECT 1; SELECT pg_backend_pid(); SELECT 2")]
    [TestCase("CREATE TEMP TABLE pid_made AS SELECT pg_backend_pid() AS a; SELECT a = {pid} FROM pid_made; DROP TABLE pid_made")]
    [TestCase("BEGIN; CREATE TEMP TABLE pid_rows (a int) ON COMMIT DROP; INSERT INTO pid_rows VALUES (pg_backend_pid()) RETURNING pg_backend_pid();"
        + "UPDATE pid_rows SET a = a - pg_backend_pid(); SELECT a + 0 AS a FROM pid_rows; COMMIT")]
    [TestCase("COPY (SELECT pg_backend_pid() - {pid}) TO STDOUT")]
    [TestCase("BEGIN; DECLARE c CURSOR FOR SELECT pg_backend_pid(); FETCH c; COMMIT")]
    [TestCase("SELECT 1/0; SELECT pg_backend_pid()")]
    [TestCase("SELECT pid = {pid} FROM pg_stat_activity WHERE pid = pg_backend_pid() AND false")]
    public async Task A_simple_query_sees_the_pid_of_its_client(string sql) =>
        Assert.That(await SimpleAsync(_router.Endpoint, sql), Is.EqualTo(await SimpleAsync(_primary, sql)));

    [TestCase("SELECT pg_backend_pid(), nosuch FROM wire_rows")]
    [TestCase("SELECT 'ä', pg_backend_pid() AS pid, pg_backend_pid(), nosuch(1), pg_backend_pid()")]
    [TestCase("SELECT nosuch, pg_backend_pid()")]
    [TestCase("SELECT pg_backend_pid() FROM pg_backend_pid(), nosuch")]
    [TestCase("SELECT pg_backend_pid() AS a, pg_backend_pid(")]
    public async Task An_error_stands_at_its_place_in_the_clients_text(string sql)
    {
        Assert.That(await SimpleAsync(_router.Endpoint, sql), Is.EqualTo(await SimpleAsync(_primary, sql)));
        Assert.That(await ExtendedAsync(_router.Endpoint, sql), Is.EqualTo(await ExtendedAsync(_primary, sql)));
    }

    [TestCase("SELECT pg_backend_pid(), $1::int + 1", "1")]
    [TestCase("SELECT pg_backend_pid() = $1", "{pid}")]
    [TestCase("SELECT * FROM pg_backend_pid() WHERE pg_backend_pid = $1", "{pid}")]
    public async Task A_prepared_statement_sees_it_too(string sql, string value)
    {
        var direct = await ExtendedAsync(_primary, sql, value);
        Assert.That(await ExtendedAsync(_router.Endpoint, sql, value), Is.EqualTo(direct));
        Assert.That(await ExtendedAsync(_router.Endpoint, sql, value), Is.EqualTo(direct), "by another client, on servers that know the first one's");
    }

    [Test]
    public async Task Many_in_one_pipeline_and_one_after_a_transaction_that_failed()
    {
        static RawMessage[] Messages() =>
        [
            Frontend.Parse("", "SELECT pg_backend_pid()"), Frontend.Bind("", ""), Frontend.Execute(""),
            Frontend.Parse("", "SELECT pg_backend_pid() AS second"), Frontend.Bind("", ""), Frontend.Execute(""), Frontend.Sync(),
            Frontend.Query("BEGIN"), Frontend.Query("SELECT 1/0"), Frontend.Query("SELECT pg_backend_pid()"), Frontend.Query("ROLLBACK"),
            Frontend.Query("SELECT pg_backend_pid()"),
        ];
        var direct = await AnswersAsync(_primary, _ => Messages(), pipelined: true);
        Assert.That(await AnswersAsync(_router.Endpoint, _ => Messages(), pipelined: true), Is.EqualTo(direct));
    }

    [TestCase("PREPARE pid_one AS SELECT pg_backend_pid(), $1::int", "EXECUTE pid_one(pg_backend_pid())", "DEALLOCATE pid_one")]
    [TestCase("PREPARE pid_bad AS SELECT pg_backend_pid(), pg_backend_pid() AS b, nosuch", "EXECUTE pid_bad")]
    public async Task Statements_prepared_by_SQL_see_it(params string[] texts)
    {
        RawMessage[] Messages() => [.. texts.Select(Frontend.Query)];
        Assert.That(await AnswersAsync(_router.Endpoint, _ => Messages()), Is.EqualTo(await AnswersAsync(_primary, _ => Messages())));
        Assert.That(await AnswersAsync(_router.Endpoint, _ => Messages()), Is.EqualTo(await AnswersAsync(_primary, _ => Messages())), "again");
    }

    [Test]
    public async Task What_cannot_be_kept_is_refused_and_fails_its_transaction()
    {
        await using var client = await RawClient.LoginAsync(_router.Endpoint);
        await client.QueryAsync("BEGIN");
        await client.QueryAsync("SELECT 1");
        var answer = await client.QueryAsync("SELECT * FROM ROWS FROM (pg_backend_pid(), now())");
        Assert.That((answer[0].Field('C'), client.TransactionStatus), Is.EqualTo(("0A000", 'E')));
        await client.QueryAsync("ROLLBACK");
        Assert.That(await client.ScalarAsync("SELECT 7"), Is.EqualTo("7"));
    }

    [Test]
    public async Task Beside_the_views_of_servers_it_is_the_servers()
    {
        await using var client = await RawClient.LoginAsync(_router.Endpoint);
        Assert.That(client.ProcessId, Is.GreaterThan(4194304));
        Assert.That(await client.ScalarAsync("SELECT pid < 4194305 FROM pg_stat_activity WHERE pid = pg_backend_pid()"), Is.EqualTo("t"));
    }

    private static Task<string> SimpleAsync(Endpoint endpoint, string sql) => AnswersAsync(
        endpoint, pid => [Frontend.Query(sql.Replace("{pid}", pid, StringComparison.Ordinal))]);

    private static Task<string> ExtendedAsync(Endpoint endpoint, string sql, params string[] values) => AnswersAsync(
        endpoint,
        pid =>
        [
            Frontend.Parse("s", sql), Frontend.Describe('S', "s"), Frontend.Sync(),
            Frontend.Bind("", "s", [.. values.Select(value => value.Replace("{pid}", pid, StringComparison.Ordinal))]),
            Frontend.Describe('P', ""), Frontend.Execute(""), Frontend.Sync(),
            Frontend.Parse("", sql), Frontend.Bind("", "", [.. values.Select(value => value.Replace("{pid}", pid, StringComparison.Ordinal))]),
            Frontend.Execute(""), Frontend.Sync(),
        ]);

    /// <summary>All that is answered, with the pid of the client by name, and numbers next to it.</summary>
    private static async Task<string> AnswersAsync(Endpoint endpoint, Func<string, RawMessage[]> messages, bool pipelined = false)
    {
        await using var client = await RawClient.LoginAsync(endpoint);
        var text = new StringBuilder();
        var toSend = new List<RawMessage>();
        foreach (var message in messages(client.ProcessId.ToString(CultureInfo.InvariantCulture)))
        {
            toSend.Add(message);
            if (pipelined || message.Type is not ('S' or 'Q'))
                continue;
            await client.SendAsync([.. toSend]);
            toSend.Clear();
            await ReadAsync();
        }

        await client.SendAsync([.. toSend]);
        for (var left = toSend.Count(message => message.Type is 'S' or 'Q'); left > 0; left--)
            await ReadAsync();
        async Task ReadAsync() => text.AppendJoin('\n', await client.ReadUntilAsync());

        foreach (var (number, name) in new[] { (client.ProcessId, "<pid>"), (client.ProcessId + 1, "<pid + 1>") })
            text.Replace(number.ToString(CultureInfo.InvariantCulture), name);
        return text.ToString();
    }
}
