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
    private const string Password = "right secret";
    private static readonly string[] ClientMethods = ["trust", "password", "md5", "scram"];
    private static readonly string[] Secrets = ["text", "plain", "md5", "scram", "none"];
    private static readonly string[] ServerMethods = ["trust", "password", "md5", "scram"];

    private PgCluster _cluster = null!;
    private RouterProcessFixture _withHba = null!;
    private RouterProcessFixture _withoutHba = null!;
    private RouterProcessFixture _withoutHbaOrClearText = null!;

    private static IEnumerable<TestCaseData> Cells =>
        from client in ClientMethods from secret in Secrets from server in ServerMethods select new TestCaseData(client, secret, server);

    private static IEnumerable<TestCaseData> CellsWithoutHba =>
        from secret in Secrets from server in ServerMethods select new TestCaseData(secret, server);

    [OneTimeSetUp]
    public async Task StartClusterAndRouters()
    {
        _cluster = await PgCluster.StartAsync(new PgClusterOptions { Standbys = 0 });
        await MakeRolesAsync();
        var files = new Dictionary<string, string> { ["pool_passwd"] = await PasswordFileAsync(), ["pool_hba.conf"] = HbaFile() };
        _withHba = await RouterProcessFixture.StartAsync(_cluster, Settings("on", "off"), files);
        _withoutHba = await RouterProcessFixture.StartAsync(_cluster, Settings("off", "on"), files);
        _withoutHbaOrClearText = await RouterProcessFixture.StartAsync(_cluster, Settings("off", "off"), files);
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
        var user = User(client, secret, server);
        if (client != "trust")
            Assert.That(await LoginAsync(_withHba, user, "wrong"), Is.EqualTo("28P01"));

        var outcome = await LoginAsync(_withHba, user, Password);

        Assert.That(outcome, Succeeds(client, secret, server) ? Is.Null : Does.StartWith("28"));
    }

    [TestCaseSource(nameof(CellsWithoutHba))]
    public async Task Without_hba(string secret, string server)
    {
        var user = User("trust", secret, server);
        if (server != "trust")
            Assert.That(await LoginAsync(_withoutHba, user, "wrong"), Is.EqualTo("28P01"));

        var outcome = await LoginAsync(_withoutHba, user, Password);

        Assert.That(outcome, server == "trust" || secret == "none" || Succeeds("scram", secret, server) || (secret, server) == ("md5", "md5") ? Is.Null : Does.StartWith("28"));
    }

    [TestCaseSource(nameof(CellsWithoutHba))]
    public async Task Without_hba_and_without_clear_text(string secret, string server)
    {
        var user = User("trust", secret, server);
        if (server != "trust")
            Assert.That(await LoginAsync(_withoutHbaOrClearText, user, "wrong"), Is.EqualTo("28P01"));

        var outcome = await LoginAsync(_withoutHbaOrClearText, user, Password);

        Assert.That(
            outcome, server == "trust" || (secret != "none" && Succeeds("scram", secret, server)) || (secret, server) == ("md5", "md5") ? Is.Null : Does.StartWith("28"));
    }

    [TestCase("password", "text")]
    [TestCase("md5", "md5")]
    [TestCase("scram", "scram")]
    [TestCase("scram", "plain")]
    public async Task Npgsql_logs_in(string client, string secret)
    {
        var server = secret == "md5" ? "md5" : "scram";
        await using var connection = new NpgsqlConnection(_withHba.ConnectionString(user: User(client, secret, server), password: Password));

        await connection.OpenAsync();

        await using var command = new NpgsqlCommand("SELECT current_user::text", connection);
        Assert.That(await command.ExecuteScalarAsync(), Is.EqualTo(User(client, secret, server)));
    }

    [Test]
    public async Task Unknown_users_and_rejected_ones_are_refused()
    {
        Assert.That(await LoginAsync(_withHba, "rejected", Password), Is.EqualTo("28000"));
        Assert.That(await LoginAsync(_withHba, "unknown", Password), Is.EqualTo("28P01"));
        Assert.That(await LoginAsync(_withHba, "no_rule", Password), Is.EqualTo("28000"));
        Assert.That(await LoginAsync(_withoutHba, "unknown", Password), Does.StartWith("28"));
        Assert.That(await LoginAsync(_withoutHbaOrClearText, "unknown", Password), Does.StartWith("28"));
    }

    [TestCase("X")]
    [TestCase("half")]
    [TestCase("huge")]
    [TestCase("another message")]
    public async Task A_password_message_that_is_none_ends_the_login(string kind)
    {
        await using var client = await RawClient.ConnectAsync(_withHba.Endpoint);
        await client.SendAsync(Frontend.Startup([KeyValuePair.Create("user", User("scram", "text", "scram")), KeyValuePair.Create("database", "postgres")]));
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
        Assert.That(await LoginAsync(_withHba, User("scram", "text", "trust"), Password), Is.Null);
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
        await using var router = await RouterProcessFixture.StartAsync(_cluster, Settings("on", "off"), files);

        Assert.That(await LoginAsync(router, "postgres", "postgres"), Is.Null);
        Assert.That(await LoginAsync(router, "postgres", "wrong"), Is.EqualTo("28P01"));
    }

    /// <summary>The table of docs/authentication.md.</summary>
    private static bool Succeeds(string client, string secret, string server)
    {
        var admitted = client switch
        {
            "trust" => true,
            "scram" => secret is not ("none" or "md5"),
            _ => secret != "none",
        };
        if (!admitted || server == "trust")
            return admitted;
        return secret switch
        {
            "text" or "plain" => true,
            "md5" => client == "password" || server == "md5",
            "scram" => client == "password" || (client is "md5" or "scram" && server == "scram"),
            _ => false,
        };
    }

    private static string User(string client, string secret, string server) => $"{client}_{secret}_{server}";

    private static IEnumerable<(string User, string Client, string Secret, string Server)> Users =>
        from client in ClientMethods from secret in Secrets from server in ServerMethods select (User(client, secret, server), client, secret, server);

    private static Dictionary<string, string> Settings(string hba, string clearText) => new()
    {
        ["enable_pool_hba"] = hba,
        ["allow_clear_text_frontend_auth"] = clearText,
        ["pool_passwd"] = "pool_passwd",
    };

    private async Task MakeRolesAsync()
    {
        foreach (var group in Users.GroupBy(one => one.Server == "md5"))
        {
            var roles = string.Concat(group.Select(one => $"CREATE ROLE {one.User} LOGIN PASSWORD '{Password}';"));
            await _cluster.ExecuteAsync(0, $"SET password_encryption = '{(group.Key ? "md5" : "scram-sha-256")}'; {roles}");
        }

        var lines = ServerMethods.Select(method =>
            $"host all {string.Join(',', Users.Where(one => one.Server == method).Select(one => one.User))} 127.0.0.1/32 {Method(method)}\n");
        await File.WriteAllTextAsync(
            Path.Combine(_cluster.Nodes[0].DataDirectory, "pg_hba.conf"),
            $"local all all trust\n{string.Concat(lines)}host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n");
        var loaded = await _cluster.ScalarAsync<DateTime>(0, "SELECT pg_conf_load_time()");
        await _cluster.ExecuteAsync(0, "SELECT pg_reload_conf()");
        await Eventually.TrueAsync(async () => await _cluster.ScalarAsync<DateTime>(0, "SELECT pg_conf_load_time()") != loaded, "the reload of pg_hba.conf");
    }

    private async Task<string> PasswordFileAsync()
    {
        var lines = new List<string>();
        var foreign = await _cluster.ScalarAsync<string>(0, "SELECT rolpassword FROM pg_authid WHERE rolname = 'trust_text_scram'");
        foreach (var (user, _, secret, server) in Users)
        {
            var verifier = server == "md5" ? foreign : await _cluster.ScalarAsync<string>(0, $"SELECT rolpassword FROM pg_authid WHERE rolname = '{user}'");
            var md5 = await _cluster.ScalarAsync<string>(0, $"SELECT 'md5' || md5('{Password}{user}')");
            var line = secret switch
            {
                "text" => $"{user}:TEXT{Password}",
                "plain" => $"\"{user}\" \"{Password}\"",
                "md5" => $"{user}:{md5}",
                "scram" => $"{user}:{verifier}",
                _ => "",
            };
            lines.Add(line);
        }

        return string.Join('\n', lines.Where(line => line.Length > 0)) + "\n";
    }

    private static string HbaFile() =>
        "host all rejected 127.0.0.1/32 reject\n"
        + string.Concat(ClientMethods.Select(method =>
            $"host all {string.Join(',', Users.Where(one => one.Client == method).Select(one => one.User))} 127.0.0.1/32 {Method(method)}\n"))
        + "host all unknown,postgres 127.0.0.1/32 scram-sha-256\n";

    private static string Method(string name) => name == "scram" ? "scram-sha-256" : name;

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
