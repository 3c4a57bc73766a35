using Npgsql;
using PgRouter.Testing;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Login;

/// <summary>
/// Users that stand in no file: looked up by auth_query, logged in by SCRAM, and logged in to the servers with what their login showed.
/// </summary>
[TestFixture]
public sealed class AuthQueryTests
{
    private const string Function = """
        CREATE SCHEMA doors;
        CREATE SEQUENCE doors.asked;
        CREATE FUNCTION doors.get_auth(wanted text, OUT name text, OUT secret text, OUT valid_until timestamptz)
            LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS
        $$BEGIN
            SELECT rolname, rolpassword, rolvaliduntil INTO name, secret, valid_until FROM pg_authid WHERE rolname = wanted AND rolcanlogin;
        END$$;
        REVOKE ALL ON FUNCTION doors.get_auth(text) FROM public;
        CREATE ROLE door_keeper LOGIN PASSWORD 'keeper';
        GRANT USAGE ON SCHEMA doors TO door_keeper;
        GRANT EXECUTE ON FUNCTION doors.get_auth(text) TO door_keeper;
        CREATE ROLE q_scram LOGIN PASSWORD 'secret';
        CREATE ROLE q_ended LOGIN PASSWORD 'secret' VALID UNTIL '2020-01-01';
        CREATE ROLE q_forever LOGIN PASSWORD 'secret' VALID UNTIL 'infinity';
        CREATE ROLE q_none LOGIN;
        CREATE ROLE q_nologin PASSWORD 'secret';
        CREATE ROLE q_changes LOGIN PASSWORD 'first';
        SET password_encryption = 'md5';
        CREATE ROLE q_md5 LOGIN PASSWORD 'secret';
        """;

    private PgCluster _cluster = null!;
    private RouterProcessFixture _router = null!;
    private RouterProcessFixture _withoutHba = null!;

    [OneTimeSetUp]
    public async Task StartRouters()
    {
        _cluster = await PgCluster.StartAsync(new PgClusterOptions { Standbys = 0 });
        await _cluster.ExecuteAsync(0, Function);
        await _cluster.WriteHbaAsync(
            0,
            """
            local all all trust
            host  all postgres 127.0.0.1/32 trust
            host  all q_md5    127.0.0.1/32 md5
            host  all all      127.0.0.1/32 scram-sha-256

            """);
        var files = new Dictionary<string, string>
        {
            ["pool_passwd"] = "door_keeper:TEXTkeeper\n",
            ["pool_hba.conf"] = "host all q_md5 127.0.0.1/32 md5\nhost all all 127.0.0.1/32 scram-sha-256\n",
        };
        _router = await RouterProcessFixture.StartAsync(_cluster, Settings("on"), files);
        _withoutHba = await RouterProcessFixture.StartAsync(_cluster, Settings("off"), files);
    }

    [OneTimeTearDown]
    public async Task StopRouters()
    {
        await _router.DisposeAsync();
        await _withoutHba.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    [TestCase("q_scram", "secret", null)]
    [TestCase("q_scram", "wrong", "28P01")]
    [TestCase("q_md5", "secret", null)]
    [TestCase("q_md5", "wrong", "28P01")]
    [TestCase("q_forever", "secret", null)]
    [TestCase("q_ended", "secret", "28P01")]
    [TestCase("q_none", "secret", "28P01")]
    [TestCase("q_nologin", "secret", "28P01")]
    [TestCase("q_nobody", "secret", "28P01")]
    [TestCase("q_scram'; DROP ROLE q_none; --", "secret", "28P01")]
    public async Task A_user_in_no_file_is_looked_up(string user, string password, string? refusal)
    {
        Assert.That(await LoginAsync(_router, user, password), Is.EqualTo(refusal));
        Assert.That(await LoginAsync(_withoutHba, user, password), Is.EqualTo(refusal));
        Assert.That(await _cluster.ScalarAsync<long>(0, "SELECT count(*) FROM pg_roles WHERE rolname = 'q_none'"), Is.EqualTo(1));
    }

    [Test]
    public async Task Npgsql_and_its_pool_are_served()
    {
        await using var source = NpgsqlDataSource.Create(_router.ConnectionString(user: "q_scram", password: "secret").Replace("Pooling=false", "Maximum Pool Size=5"));
        var answers = await Task.WhenAll(Enumerable.Range(0, 30).Select(async _ =>
        {
            await using var command = source.CreateCommand("SELECT current_user::text");
            return (string?)await command.ExecuteScalarAsync();
        }));
        Assert.That(answers, Is.All.EqualTo("q_scram"));
    }

    [Test]
    public async Task A_new_password_counts_after_one_try_with_it()
    {
        Assert.That(await LoginAsync(_router, "q_changes", "first"), Is.Null);
        await _cluster.ExecuteAsync(0, "ALTER ROLE q_changes PASSWORD 'second'");
        await Eventually.TrueAsync(async () => await LoginAsync(_router, "q_changes", "second") is null, "the new password");
        Assert.That(await LoginAsync(_router, "q_changes", "first"), Is.EqualTo("28P01"));
        // A new server is needed for it: the keys of the new password were learned.
        await using var console = await RawClient.LoginAsync(_router.Endpoint, database: "pgbouncer");
        await console.QueryAsync("RECONNECT");
        Assert.That(await LoginAsync(_router, "q_changes", "second"), Is.Null);
    }

    [Test]
    public async Task What_a_client_sets_for_itself_does_not_reach_the_query()
    {
        await _cluster.ExecuteAsync(0, "CREATE SCHEMA evil; CREATE FUNCTION evil.count_me() RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER ROLE door_keeper SET search_path = evil, pg_catalog");
        await using var client = await RawClient.ConnectAsync(_router.Endpoint);
        await client.StartupAsync("q_forever", "postgres", "secret", ("options", "-c search_path=evil"), ("application_name", "mine"));
        Assert.That(await client.ScalarAsync("SHOW search_path"), Is.EqualTo("evil"));
        Assert.That(await _cluster.ScalarAsync<long>(0, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgrouter users'"), Is.LessThanOrEqualTo(1));
    }

    [Test]
    public async Task When_nobody_can_be_asked_the_client_is_told_and_the_log_knows_why()
    {
        var settings = new Dictionary<string, string>(Settings("on")) { ["auth_query"] = "SELECT no_such_function($1)" };
        var files = new Dictionary<string, string> { ["pool_passwd"] = "door_keeper:TEXTkeeper\n", ["pool_hba.conf"] = "host all all 127.0.0.1/32 scram-sha-256\n" };
        await using var router = await RouterProcessFixture.StartAsync(_cluster, settings, files);
        Assert.That(await LoginAsync(router, "q_scram", "secret"), Is.EqualTo("57P03"));
        await router.WaitForLogAsync("function no_such_function(text) does not exist (42883)");
    }

    [Test]
    public async Task No_secret_is_in_the_log()
    {
        await LoginAsync(_router, "q_scram", "wrong");
        await LoginAsync(_router, "q_scram", "secret");
        Assert.That(_router.Log.Where(line => line.Contains("secret") || line.Contains("keeper'") || line.Contains("SCRAM-SHA-256$") || line.Contains("TEXT")), Is.Empty);
    }

    private static Dictionary<string, string> Settings(string hba) => new()
    {
        ["enable_pool_hba"] = hba,
        ["auth_user"] = "door_keeper",
        ["auth_query"] = "SELECT name, secret, valid_until FROM doors.get_auth($1)",
        ["admin_users"] = "postgres",
        ["log_min_messages"] = "debug1",
        ["log_connections"] = "on",
        ["log_statement"] = "on",
    };

    private static async Task<string?> LoginAsync(RouterProcessFixture router, string user, string password)
    {
        await using var client = await RawClient.ConnectAsync(router.Endpoint);
        try
        {
            await client.StartupAsync(user, "postgres", password);
            Assert.That(await client.ScalarAsync("SELECT current_user::text"), Is.EqualTo(user));
            return null;
        }
        catch (RefusedException refused)
        {
            return refused.Code;
        }
    }
}
