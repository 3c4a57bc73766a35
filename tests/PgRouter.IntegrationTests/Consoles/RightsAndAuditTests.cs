using PgRouter.IntegrationTests.Wire;
using PgRouter.Testing;
using PgRouter.Testing.Processes;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Consoles;

/// <summary>Who may see and do what on the console, and what the audit says of it and of logins.</summary>
[TestFixture]
public sealed class RightsAndAuditTests
{
    private const string Secret = "Hs6-not-for-logs";
    private const string StatementOfAnother = "SELECT 1 AS what_another_asked";

    private RouterProcessFixture _router = null!;

    [OneTimeSetUp]
    public async Task StartRouter()
    {
        var cluster = await WireBed.ClusterAsync();
        await cluster.ExecuteAsync(0, $"CREATE ROLE rights_user LOGIN PASSWORD '{Secret}'; CREATE ROLE boss LOGIN PASSWORD '{Secret}'");
        await cluster.WaitForReplayAsync();
        var settings = WireBed.SmallPool.With(
            ("enable_pool_hba", "on"), ("admin_users", "boss"), ("stats_users", "watcher"), ("log_connections", "on"), ("log_min_messages", "info"));
        var files = new Dictionary<string, string>
        {
            ["pool_hba.conf"] = "host all outcast 127.0.0.1/32 reject\nhost all all 127.0.0.1/32 scram-sha-256\n",
            ["pool_passwd"] = $"rights_user:TEXT{Secret}\nboss:TEXT{Secret}\nwatcher:TEXT{Secret}\n",
        };
        _router = await RouterProcessFixture.StartAsync(cluster, settings, files);
        await using var client = await LoginAsync("rights_user", "postgres");
        Assert.That((await client.QueryAsync(StatementOfAnother)).Code(), Is.Null);
    }

    [OneTimeTearDown]
    public async Task No_secret_is_in_the_log()
    {
        await _router.DisposeAsync();
        await (await WireBed.ClusterAsync()).ExecuteAsync(0, "DROP ROLE rights_user, boss");
        Assert.That(_router.Log, Has.None.Contains(Secret));
    }

    [Test]
    public async Task The_console_is_for_those_in_the_lists_whatever_else_they_may()
    {
        var refused = await Assert.ThrowsAsync<RefusedException>(() => LoginAsync("rights_user", "pgrouter"));
        Assert.That((refused!.Code, refused.Text), Is.EqualTo(("42501", "user \"rights_user\" may not see the router's state")));
        await using var client = await LoginAsync("rights_user", "postgres");
        Assert.That((await client.QueryAsync("SHOW POOL_NODES")).Code(), Is.EqualTo("42501"), "nor from a database");
        var wrong = await Assert.ThrowsAsync<RefusedException>(() => LoginAsync("boss", "pgrouter", "wrong"));
        Assert.That(wrong!.Code, Is.EqualTo("28P01"));
    }

    [Test]
    public async Task Who_may_see_may_not_operate()
    {
        await using var watcher = await LoginAsync("watcher", "pgrouter");
        Assert.That((await watcher.QueryAsync("SHOW CLIENTS")).Code(), Is.Null);
        foreach (var command in new[] { "RELOAD", "PAUSE", "KILL postgres", "SHUTDOWN" })
        {
            var answer = await watcher.QueryAsync(command);
            Assert.That((answer.Code(), answer.ErrorText()), Is.EqualTo(("42501", "user \"watcher\" may not operate the router")), command);
        }
        await _router.WaitForLogAsync("command of watcher");
        await _router.WaitForLogAsync("RELOAD: 42501 user \"watcher\" may not operate the router");
    }

    [Test]
    public async Task Statements_of_others_are_for_administrators()
    {
        Assert.That(await ShapesAsync("watcher"), Is.Not.Empty.And.All.EqualTo("<insufficient privilege>"));
        Assert.That(await ShapesAsync("boss"), Has.Some.Contains("what_another_asked"));
    }

    [Test]
    public async Task Logins_and_refusals_are_told_with_the_line_that_decided()
    {
        await _router.WaitForLogAsync("connection authorized: user=rights_user database=postgres host=127.0.0.1");
        await _router.WaitForLogAsync("method=scram-sha-256 tls=off rule=");
        await Assert.ThrowsAsync<RefusedException>(() => LoginAsync("outcast", "postgres"));
        await _router.WaitForLogAsync("login of outcast on postgres from 127.0.0.1");
        await Assert.ThrowsAsync<RefusedException>(() => LoginAsync("boss", "postgres", "wrong"));
        await _router.WaitForLogAsync("login of boss on postgres from 127.0.0.1");
    }

    [Test]
    public async Task Commands_and_changes_are_told_without_what_may_be_secret()
    {
        await using var boss = await LoginAsync("boss", "pgrouter");
        Assert.That((await boss.QueryAsync("RELOAD")).Code(), Is.Null);
        await _router.WaitForLogAsync("command of boss");
        await _router.WaitForLogAsync("RELOAD: done");

        await _router.ReloadAsync(new Dictionary<string, string> { ["query_wait_timeout"] = "77", ["auth_query"] = "SELECT 1, 2 WHERE $1 = ''", ["health_check_password"] = $"TEXT{Secret}" });
        await _router.WaitForLogAsync("configuration: query_wait_timeout changed from \"120\" to \"77\"");
        await _router.WaitForLogAsync("configuration: health_check_password changed from \"*****\" to \"*****\"");
        await _router.WaitForLogAsync("configuration: passwords, rules and certificates were read again");
    }

    private Task<RawClient> LoginAsync(string user, string database, string password = Secret) => RawClient.LoginAsync(_router.Endpoint, user, database, password);

    private async Task<IReadOnlyList<string?>> ShapesAsync(string user)
    {
        await using var console = await LoginAsync(user, "pgrouter");
        return [.. (await console.QueryAsync("SHOW ROUTES")).Where(m => m.Type == 'D').Select(m => m.TextColumns()).Where(row => row[0] == "shape").Select(row => row[^1])];
    }
}
