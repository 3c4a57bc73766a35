using System.Globalization;
using PgRouter.IntegrationTests.Consoles;
using PgRouter.Testing;
using PgRouter.Testing.Protocol;

namespace PgRouter.IntegrationTests.Pools;

/// <summary>Full pools and spent limits: what those who wait are told, and who gets a server after all.</summary>
[TestFixture]
public sealed class PoolLimitTests
{
    private PoolsBed _bed = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _bed = await PoolsBed.StartAsync(
        ["pools_full", "pools_limited", "pools_reserve", "pools_refused", "pools_stats"],
        ("database.pools_full.query_wait_notify", "200ms"),
        ("database.pools_full.query_wait_timeout", "1s"),
        ("database.pools_limited.pool_size", "5"),
        ("database.pools_limited.max_db_connections", "1"),
        ("database.pools_limited.query_wait_timeout", "300ms"),
        ("user.pools_user.pool_size", "5"),
        ("user.pools_user.max_user_connections", "1"),
        ("user.pools_user.query_wait_timeout", "300ms"),
        ("database.pools_reserve.reserve_pool_size", "1"),
        ("database.pools_reserve.reserve_pool_timeout", "200ms"),
        ("database.pools_refused.pool_size", "2"),
        ("database.pools_refused.query_wait_timeout", "500ms"));

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (_bed is not null)
            await _bed.DisposeAsync();
    }

    [Test]
    public async Task Who_waits_for_a_full_pool_is_told_so_and_gets_an_error_in_the_end_and_lives()
    {
        await using var holder = await _bed.HoldAsync("pools_full");
        await using var client = await _bed.LoginAsync("pools_full");

        var answer = await client.QueryAsync("SELECT 1");

        Assert.That(string.Concat(answer.Select(m => m.Type)), Is.EqualTo("NEZ"));
        Assert.That(answer[0].Field('S'), Is.EqualTo("NOTICE"));
        Assert.That(answer[0].Field('M'), Does.StartWith("waiting for a server on node 0 for 0."));
        Assert.That(answer[0].Field('D'), Is.EqualTo("All 1 servers of the pool are in use, 1 clients wait."));
        Assert.That(answer.Code(), Is.EqualTo("53300"));
        Assert.That(answer[1].Field('S'), Is.EqualTo("ERROR"));
        Assert.That(answer.ErrorText(), Does.EndWith(" s on node 0 for pools_full/postgres"));
        Assert.That(answer[1].Field('H'), Does.Contain("pool_size"));
        await holder.QueryAsync("COMMIT");
        Assert.That(await client.ScalarAsync("SELECT 2"), Is.EqualTo("2"));
    }

    [Test]
    public async Task A_notice_that_somebody_waits_does_not_disturb_the_answer()
    {
        await using var holder = await _bed.HoldAsync("pools_full");
        await using var client = await _bed.LoginAsync("pools_full");
        await client.SendAsync(Frontend.Parse("", "SELECT 7"), Frontend.Bind("", ""), Frontend.Execute(""), Frontend.Sync());
        Assert.That((await client.ReadAsync()).Type, Is.EqualTo('N'));

        await holder.QueryAsync("COMMIT");

        Assert.That(string.Concat((await client.ReadUntilAsync()).Select(m => m.Type)), Is.EqualTo("12DCZ"));
    }

    [Test]
    public async Task The_servers_of_a_database_are_limited_over_its_users()
    {
        await using var holder = await _bed.HoldAsync("pools_limited");
        await MakeRoleAsync("pools_other");
        await using var client = await _bed.LoginAsync("postgres", "pools_other");

        var refusal = await _bed.RefusalAsync("pools_limited", "pools_other");

        Assert.That((refusal?.Severity, refusal?.SqlState, refusal?.Detail), Is.EqualTo(
            ("FATAL", "53300", "All 1 servers of database \"pools_limited\" are in use (max_db_connections).")));
        await holder.QueryAsync("COMMIT");
        await using var other = await _bed.LoginAsync("pools_limited", "pools_other");
        Assert.That(await other.ScalarAsync("SELECT current_user"), Is.EqualTo("pools_other"));
        Assert.That(await _bed.ServersAsync("pools_limited"), Is.EqualTo(1), "the idle server of the one user made room for the other's");
    }

    [Test]
    public async Task The_servers_of_a_user_are_limited_over_its_databases()
    {
        await MakeRoleAsync("pools_user");
        await using var holder = await _bed.HoldAsync("postgres", "pools_user");

        var refusal = await _bed.RefusalAsync("pools_stats", "pools_user");

        Assert.That((refusal?.SqlState, refusal?.Detail), Is.EqualTo(
            ("53300", "All 1 servers of user \"pools_user\" are in use (max_user_connections).")));
    }

    [Test]
    public async Task Who_has_waited_long_gets_a_server_of_the_reserve()
    {
        await using var holder = await _bed.HoldAsync("pools_reserve");
        await using var client = await _bed.LoginAsync("pools_reserve");

        Assert.That(await client.ScalarAsync("SELECT 1"), Is.EqualTo("1"));

        await Eventually.TrueAsync(async () => await _bed.ServersAsync("pools_reserve") == 1, "the reserve to be closed");
    }

    [Test]
    public async Task A_login_that_is_refused_is_told_as_PostgreSQL_said_it_and_tried_again()
    {
        await MakeRoleAsync("pools_barred");
        await using var client = await _bed.LoginAsync("pools_refused", "pools_barred");
        await _bed.Cluster.ExecuteAsync(0, "ALTER ROLE pools_barred NOLOGIN");
        await _bed.Cluster.ExecuteAsync(0, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'pools_barred'");
        await Eventually.TrueAsync(async () => await _bed.ServersAsync("pools_refused") == 0, "the server to end");

        var answer = await Eventually.ValueAsync(
            () => client.QueryAsync("SELECT 1"), a => a.Code() is not null, "the login to be refused");
        Assert.That((answer.Code(), answer.ErrorText()), Is.EqualTo(("28000", "role \"pools_barred\" is not permitted to log in")));
        Assert.That((await client.QueryAsync("SELECT 1")).Code(), Is.EqualTo("28000"), "the reason is remembered");

        await _bed.Cluster.ExecuteAsync(0, "ALTER ROLE pools_barred LOGIN");
        await Eventually.TrueAsync(async () => (await client.QueryAsync("SELECT 1")).Code() is null, "the login to be tried again");
    }

    [Test]
    public async Task A_role_at_its_own_limit_waits_for_the_servers_it_has_and_learns_why_there_are_no_more()
    {
        await MakeRoleAsync("pools_single", "NOSUPERUSER");
        await using var holder = await _bed.HoldAsync("pools_refused", "pools_single");
        await _bed.Cluster.ExecuteAsync(0, "ALTER ROLE pools_single CONNECTION LIMIT 1");
        await using var client = await _bed.LoginAsync("pools_refused", "pools_single");

        var answer = await client.QueryAsync("SELECT 1");

        Assert.That((answer.Code(), answer.ErrorText()), Is.EqualTo(("53300", "too many connections for role \"pools_single\"")));
        await client.SendAsync(Frontend.Query("SELECT 3"));
        await holder.QueryAsync("COMMIT");
        Assert.That((await client.ReadUntilAsync()).Scalar(), Is.EqualTo("3"));
    }

    [Test]
    public async Task What_a_client_has_waited_is_what_the_statistics_say()
    {
        await using var console = await Operator.LoginAsync(_bed.Router.Endpoint);
        await using var holder = await _bed.HoldAsync("pools_stats");
        await using var client = await _bed.LoginAsync("pools_stats");
        var before = await WaitTimeAsync(console);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        await client.SendAsync(Frontend.Query("SELECT 1"));
        await Eventually.TrueAsync(async () => await PoolAsync(console, "cl_waiting") == "1", "the client to wait");
        var seen = await Eventually.ValueAsync(
            async () => long.Parse((await PoolAsync(console, "maxwait_us"))!, CultureInfo.InvariantCulture), us => us > 100_000, "a wait of 100 ms");
        await holder.QueryAsync("COMMIT");
        await client.ReadUntilAsync();
        var total = clock.Elapsed;

        var counted = await WaitTimeAsync(console) - before;

        const long ClockStep = 50_000; // Waits are counted by the loop's clock.
        Assert.That(counted, Is.InRange(seen - ClockStep, (long)total.TotalMicroseconds + ClockStep));
        Assert.That(await PoolAsync(console, "cl_waiting"), Is.EqualTo("0"));
        Assert.That(await PoolAsync(console, "maxwait_us"), Is.EqualTo("0"));
    }

    private static async Task<string?> PoolAsync(Operator console, string column) =>
        (await console.TableAsync("SHOW POOLS")).SingleOrDefault(p => (p["database"], p["user"]) == ("pools_stats", "postgres"))?[column];

    private static async Task<long> WaitTimeAsync(Operator console) =>
        long.Parse((await console.RowAsync("SHOW STATS", "database", "pools_stats"))!["total_wait_time"]!, CultureInfo.InvariantCulture);

    private async Task MakeRoleAsync(string name, string options = "SUPERUSER")
    {
        await _bed.Cluster.ExecuteAsync(0, $"CREATE ROLE {name} LOGIN {options} PASSWORD 'postgres'");
        await File.AppendAllTextAsync(Path.Combine(_bed.Router.DirectoryPath, "pool_passwd"), $"{name}:TEXTpostgres\n");
        await _bed.Router.ReloadAsync(new Dictionary<string, string>());
        await Eventually.TrueAsync(
            async () => await _bed.RefusalAsync("postgres", name) is null or { SqlState: "53300" },
            $"the password of {name} to be known");
    }
}
