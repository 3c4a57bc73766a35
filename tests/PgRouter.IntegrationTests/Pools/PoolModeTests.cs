using PgRouter.IntegrationTests.Consoles;
using PgRouter.Testing;
using PgRouter.Testing.Protocol;

namespace PgRouter.IntegrationTests.Pools;

/// <summary>pool_mode by database, by user and as a client's choice.</summary>
[TestFixture]
public sealed class PoolModeTests
{
    private PoolsBed _bed = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _bed = await PoolsBed.StartAsync(
            ["pools_session", "pools_statement", "pools_choice", "pools_userwise"],
            ("database.pools_session.pool_mode", "session"),
            ("database.pools_session.query_wait_timeout", "200ms"),
            ("database.pools_choice.query_wait_timeout", "200ms"),
            ("database.pools_statement.pool_mode", "statement"),
            ("database.pools_userwise.query_wait_timeout", "200ms"),
            ("user.pools_sessional.pool_mode", "session"));
        await _bed.Cluster.ExecuteAsync(0, "CREATE ROLE pools_sessional LOGIN SUPERUSER PASSWORD 'postgres'");
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (_bed is not null)
            await _bed.DisposeAsync();
    }

    [Test]
    public async Task In_session_mode_a_client_keeps_its_server_until_it_leaves_and_leaves_nothing_behind()
    {
        await using var other = await _bed.LoginAsync("pools_session");
        await using (var client = await _bed.LoginAsync("pools_session"))
        {
            await client.QueryAsync("CREATE SEQUENCE s; CREATE TEMP TABLE t (n int)");
            await client.QueryAsync("SET work_mem = '3MB'");
            await client.QueryAsync("SELECT nextval('s')");
            Assert.That(await client.ScalarAsync("SELECT currval('s')"), Is.EqualTo("1"));
            Assert.That((await other.QueryAsync("SELECT 1")).Code(), Is.EqualTo("53300"), "the only server of the pool is the other client's");
            Assert.That(await client.ScalarAsync("SELECT count(*) FROM t"), Is.EqualTo("0"));
        }
        await Eventually.TrueAsync(async () => (await other.QueryAsync("SELECT 1")).Code() is null, "the server to be given back");
        Assert.That((await other.QueryAsync("SELECT * FROM t")).Code(), Is.EqualTo("42P01"));
        Assert.That((await other.QueryAsync("SELECT currval('s')")).Code(), Is.EqualTo("55000"));
        Assert.That(await other.ScalarAsync("SHOW work_mem"), Is.Not.EqualTo("3MB"));
        Assert.That(await _bed.ServersAsync("pools_session"), Is.EqualTo(1));
    }

    [Test]
    public async Task A_client_may_choose_session_mode_for_itself()
    {
        await using var other = await _bed.LoginAsync("pools_choice");
        await using (var client = await _bed.LoginAsync("pools_choice", options: "-c pgrouter.pool_mode=session"))
        {
            await client.QueryAsync("SELECT 1");
            Assert.That((await other.QueryAsync("SELECT 1")).Code(), Is.EqualTo("53300"));
            Assert.That(await client.ScalarAsync("SHOW pgrouter.pool_mode"), Is.EqualTo("session"));
        }
        await Eventually.TrueAsync(async () => (await other.QueryAsync("SELECT 1")).Code() is null, "the server to be given back");
    }

    [Test]
    public async Task A_client_may_choose_transaction_mode_where_session_is_configured()
    {
        await using var client = await _bed.LoginAsync("pools_session", options: "-c pgrouter.pool_mode=transaction");
        await using var other = await _bed.LoginAsync("pools_session", options: "-c pgrouter.pool_mode=transaction");
        Assert.That(await client.ScalarAsync("SELECT 1"), Is.EqualTo("1"));
        Assert.That(await other.ScalarAsync("SELECT 1"), Is.EqualTo("1"));
    }

    [Test]
    public async Task The_mode_of_a_user_is_stronger_than_that_of_all()
    {
        await using var client = await _bed.LoginAsync("pools_userwise", "pools_sessional");
        await using var other = await _bed.LoginAsync("pools_userwise", "pools_sessional");
        await client.QueryAsync("SELECT 1");
        Assert.That((await other.QueryAsync("SELECT 1")).Code(), Is.EqualTo("53300"));
        await using var console = await Operator.LoginAsync(_bed.Router.Endpoint);
        var pools = await console.TableAsync("SHOW POOLS");
        Assert.That(pools.Single(p => p["user"] == "pools_sessional" && p["database"] == "pools_userwise")["pool_mode"], Is.EqualTo("session"));
        Assert.That((await console.RowAsync("SHOW USERS", "name", "pools_sessional"))!["pool_mode"], Is.EqualTo("session"));
        Assert.That((await console.RowAsync("SHOW DATABASES", "name", "pools_statement"))!["pool_mode"], Is.EqualTo("statement"));
    }

    [Test]
    public async Task In_statement_mode_a_transaction_block_is_refused_and_the_session_lives()
    {
        await using var client = await _bed.LoginAsync("pools_statement");

        var answer = await client.QueryAsync("BEGIN");

        Assert.That(string.Concat(answer.Select(m => m.Type)), Is.EqualTo("EZ"));
        Assert.That((answer[0].Field('S'), answer.Code(), answer.ErrorText()), Is.EqualTo(
            ("ERROR", "0A000", "transaction blocks not allowed in statement pooling mode")));
        Assert.That(client.TransactionStatus, Is.EqualTo('I'));
        Assert.That((await client.QueryAsync("START TRANSACTION READ ONLY")).Code(), Is.EqualTo("0A000"));
        Assert.That((await client.QueryAsync("SELECT 1; BEGIN")).Code(), Is.EqualTo("0A000"));
        Assert.That(await client.ScalarAsync("SELECT 5"), Is.EqualTo("5"));
        Assert.That((await client.QueryAsync("BEGIN; SELECT 1; COMMIT")).Code(), Is.Null, "nothing is left open");
        Assert.That(string.Concat((await client.QueryAsync("COMMIT")).Select(m => m.Type)), Is.EqualTo("NCZ"), "PostgreSQL's own warning");
    }

    [Test]
    public async Task In_statement_mode_it_is_so_in_the_extended_protocol_and_in_a_pipeline()
    {
        await using var client = await _bed.LoginAsync("pools_statement");
        await client.SendAsync(
            Frontend.Parse("", "SELECT 1"), Frontend.Bind("", ""), Frontend.Execute(""), Frontend.Sync(),
            Frontend.Parse("b", "BEGIN"), Frontend.Bind("", "b"), Frontend.Execute(""), Frontend.Sync(),
            Frontend.Query("START TRANSACTION"),
            Frontend.Parse("", "SELECT 2"), Frontend.Bind("", ""), Frontend.Execute(""), Frontend.Sync());

        Assert.That(string.Concat((await client.ReadUntilAsync()).Select(m => m.Type)), Is.EqualTo("12DCZ"));
        foreach (var expected in new[] { "EZ", "EZ" })
        {
            var refusal = await client.ReadUntilAsync();
            Assert.That(string.Concat(refusal.Select(m => m.Type)), Is.EqualTo(expected));
            Assert.That(refusal.Code(), Is.EqualTo("0A000"));
        }
        Assert.That(string.Concat((await client.ReadUntilAsync()).Select(m => m.Type)), Is.EqualTo("12DCZ"));
    }

    [Test]
    public async Task In_statement_mode_a_block_that_an_error_left_open_ends_the_session()
    {
        await using var client = await _bed.LoginAsync("pools_statement");
        await client.SendAsync(Frontend.Query("BEGIN; SELECT 1 / 0; COMMIT"));
        var answer = await client.ReadToEndAsync();
        Assert.That((answer[^1].Field('S'), answer[^1].Field('C')), Is.EqualTo(("FATAL", "0A000")));
        await using var other = await _bed.LoginAsync("pools_statement");
        Assert.That(await other.ScalarAsync("SELECT 1"), Is.EqualTo("1"));
    }

    [TestCase("pools_statement", "session", "42501")]
    [TestCase("pools_statement", "transaction", "42501")]
    [TestCase("pools_choice", "auto", "22023")]
    public async Task A_choice_that_is_not_the_clients_is_refused_at_login(string database, string mode, string code)
    {
        var refusal = await _bed.RefusalAsync(database, options: $"-c pgrouter.pool_mode={mode}");
        Assert.That((refusal?.Severity, refusal?.SqlState), Is.EqualTo(("FATAL", code)));
    }
}
