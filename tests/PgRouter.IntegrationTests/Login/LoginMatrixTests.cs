using Npgsql;
using PgRouter.IntegrationTests.Wire;
using PgRouter.Testing;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Login;

/// <summary>Client method x stored secret x server method: each cell is a user of its own, so that what one login teaches the router helps no other.</summary>
[TestFixture]
public sealed class LoginMatrixTests
{
    private PgCluster _cluster = null!;
    private RouterProcessFixture _withHba = null!;
    private RouterProcessFixture _withoutHba = null!;
    private RouterProcessFixture _withoutHbaOrClearText = null!;

    private static IEnumerable<TestCaseData> Cells =>
        from client in LoginMatrix.ClientMethods
        from secret in LoginMatrix.Secrets
        from server in LoginMatrix.ServerMethods
        select new TestCaseData(client, secret, server);

    private static IEnumerable<TestCaseData> CellsWithoutHba =>
        from secret in LoginMatrix.Secrets from server in LoginMatrix.ServerMethods select new TestCaseData(secret, server);

    [OneTimeSetUp]
    public async Task StartClusterAndRouters()
    {
        _cluster = await PgCluster.StartAsync(new PgClusterOptions { Standbys = 0 });
        await LoginMatrix.MakeRolesAsync(_cluster);
        var files = await LoginMatrix.FilesAsync(_cluster);
        _withHba = await RouterProcessFixture.StartAsync(_cluster, LoginMatrix.Settings("on", "off"), files);
        _withoutHba = await RouterProcessFixture.StartAsync(_cluster, LoginMatrix.Settings("off", "on"), files);
        _withoutHbaOrClearText = await RouterProcessFixture.StartAsync(_cluster, LoginMatrix.Settings("off", "off"), files);
    }

    [OneTimeTearDown]
    public async Task StopAll()
    {
        await _withHba.DisposeAsync();
        await _withoutHba.DisposeAsync();
        await _withoutHbaOrClearText.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    [TestCaseSource(nameof(Cells))]
    public async Task With_hba(string client, string secret, string server)
    {
        var user = LoginMatrix.User(client, secret, server);
        if (client != "trust")
            Assert.That(await LoginAsync(_withHba, user, "wrong"), Is.EqualTo("28P01"));

        var outcome = await LoginAsync(_withHba, user, LoginMatrix.Password);

        Assert.That(outcome, LoginMatrix.Succeeds(client, secret, server) ? Is.Null : Does.StartWith("28"));
    }

    [TestCaseSource(nameof(CellsWithoutHba))]
    public async Task Without_hba(string secret, string server)
    {
        var user = LoginMatrix.User("trust", secret, server);
        if (server != "trust")
            Assert.That(await LoginAsync(_withoutHba, user, "wrong"), Is.EqualTo("28P01"));

        var outcome = await LoginAsync(_withoutHba, user, LoginMatrix.Password);

        Assert.That(outcome, server == "trust" || secret == "none" || LoginMatrix.Succeeds("scram", secret, server) || (secret, server) == ("md5", "md5") ? Is.Null : Does.StartWith("28"));
    }

    [TestCaseSource(nameof(CellsWithoutHba))]
    public async Task Without_hba_and_without_clear_text(string secret, string server)
    {
        var user = LoginMatrix.User("trust", secret, server);
        if (server != "trust")
            Assert.That(await LoginAsync(_withoutHbaOrClearText, user, "wrong"), Is.EqualTo("28P01"));

        var outcome = await LoginAsync(_withoutHbaOrClearText, user, LoginMatrix.Password);

        Assert.That(
            outcome, server == "trust" || (secret != "none" && LoginMatrix.Succeeds("scram", secret, server)) || (secret, server) == ("md5", "md5") ? Is.Null : Does.StartWith("28"));
    }

    [TestCase("password", "text")]
    [TestCase("md5", "md5")]
    [TestCase("scram", "scram")]
    [TestCase("scram", "plain")]
    public async Task Npgsql_logs_in(string client, string secret)
    {
        var server = secret == "md5" ? "md5" : "scram";
        await using var connection = new NpgsqlConnection(_withHba.ConnectionString(user: LoginMatrix.User(client, secret, server), password: LoginMatrix.Password));

        await connection.OpenAsync();

        await using var command = new NpgsqlCommand("SELECT current_user::text", connection);
        Assert.That(await command.ExecuteScalarAsync(), Is.EqualTo(LoginMatrix.User(client, secret, server)));
    }

    [Test]
    public async Task Unknown_users_and_rejected_ones_are_refused()
    {
        Assert.That(await LoginAsync(_withHba, "rejected", LoginMatrix.Password), Is.EqualTo("28000"));
        Assert.That(await LoginAsync(_withHba, "unknown", LoginMatrix.Password), Is.EqualTo("28P01"));
        Assert.That(await LoginAsync(_withHba, "no_rule", LoginMatrix.Password), Is.EqualTo("28000"));
        Assert.That(await LoginAsync(_withoutHba, "unknown", LoginMatrix.Password), Does.StartWith("28"));
        Assert.That(await LoginAsync(_withoutHbaOrClearText, "unknown", LoginMatrix.Password), Does.StartWith("28"));
    }

    [TestCase("X")]
    [TestCase("half")]
    [TestCase("huge")]
    [TestCase("another message")]
    public async Task A_password_message_that_is_none_ends_the_login(string kind)
    {
        await using var client = await RawClient.ConnectAsync(_withHba.Endpoint);
        await client.SendAsync(Frontend.Startup([KeyValuePair.Create("user", LoginMatrix.User("scram", "text", "scram")), KeyValuePair.Create("database", "postgres")]));
        await client.ReadAsync();
        await client.SendBytesAsync(kind switch
        {
            "X" => Frontend.Terminate().ToBytes(),
            "half" => [(byte)'p', 0, 0],
            "huge" => [(byte)'p', 0x7f, 0xff, 0xff, 0xff, 1],
            _ => Frontend.Query("SELECT 1").ToBytes(),
        });
        client.FinishSending();

        Assert.That((await client.ReadToEndAsync()).Select(message => message.Type), Has.None.EqualTo('R'));
        Assert.That(await LoginAsync(_withHba, LoginMatrix.User("scram", "text", "trust"), LoginMatrix.Password), Is.Null);
    }

    [Test]
    public async Task The_hba_file_of_the_demo_asks_tcp_clients_for_md5()
    {
        var files = new Dictionary<string, string>
        {
            ["pool_passwd"] = "postgres:TEXTpostgres\n",
            ["pool_hba.conf"] = """
                # TYPE  DATABASE    USER        ADDRESS         METHOD
                local   all         all                         trust
                host    all         all         0.0.0.0/0       md5
                host    all         all         ::1/128         md5

                """,
        };
        await using var router = await RouterProcessFixture.StartAsync(_cluster, LoginMatrix.Settings("on", "off"), files);

        Assert.That(await LoginAsync(router, "postgres", "postgres"), Is.Null);
        Assert.That(await LoginAsync(router, "postgres", "wrong"), Is.EqualTo("28P01"));
    }

    /// <summary>Null when the login and a statement succeeded, else the SQLSTATE of the refusal.</summary>
    private static async Task<string?> LoginAsync(RouterProcessFixture router, string user, string password)
    {
        await using var client = await RawClient.ConnectAsync(router.Endpoint);
        try
        {
            await client.StartupAsync(user, "postgres", password);
        }
        catch (TestBedException refused)
        {
            var at = refused.Message.IndexOf("\\x00C", StringComparison.Ordinal);
            return at < 0 ? refused.Message : refused.Message.Substring(at + 5, 5);
        }

        Assert.That(await client.ScalarAsync("SELECT current_user::text"), Is.EqualTo(user));
        return null;
    }
}
