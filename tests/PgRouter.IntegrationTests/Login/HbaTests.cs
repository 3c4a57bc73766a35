using System.Net;
using PgRouter.IntegrationTests.Consoles;
using PgRouter.IntegrationTests.Encryption;
using PgRouter.IntegrationTests.Wire;
using PgRouter.Testing;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Processes;
using PgRouter.Testing.Protocol;

namespace PgRouter.IntegrationTests.Login;

/// <summary>pool_hba.conf with what needs more than the file: roles, certificates and maps, host names; and what the log says of a refusal.</summary>
[TestFixture]
public sealed class HbaTests
{
    private const string Lines = """
        # who belongs to the staff, whoever they are today
        hostssl  all      /^cert_map_    127.0.0.1/32  cert map=staff
        hostssl  all      cert_dn        127.0.0.1/32  cert clientname=DN map=names
        hostssl  all      cert_plain     127.0.0.1/32  cert
        hostssl  all      scram_ca       127.0.0.1/32  scram-sha-256 clientcert=verify-ca
        hostssl  all      scram_full     127.0.0.1/32  scram-sha-256 clientcert=verify-full
        host     all      hba_by_name    HOST          trust
        host     samerole hba_same       127.0.0.1/32  trust
        host     all      +hba_staff     127.0.0.1/32  trust
        host     all      rejected       127.0.0.1/32  reject
        host     all      postgres       127.0.0.1/32  trust
        local    all      postgres                     trust

        """;

    private PgCluster _cluster = null!;
    private TlsBed _bed = null!;

    [OneTimeSetUp]
    public async Task StartRouter()
    {
        _cluster = await WireBed.ClusterAsync();
        await _cluster.ExecuteAsync(
            0,
            """
            CREATE ROLE hba_staff; CREATE ROLE hba_group IN ROLE hba_staff; CREATE ROLE postgres_role; CREATE ROLE hba_same LOGIN;
            CREATE ROLE hba_ann LOGIN IN ROLE hba_group; CREATE ROLE hba_bob LOGIN; CREATE ROLE hba_by_name LOGIN;
            CREATE ROLE cert_map_1 LOGIN; CREATE ROLE cert_dn LOGIN; CREATE ROLE cert_plain LOGIN;
            CREATE ROLE scram_ca LOGIN PASSWORD 'secret'; CREATE ROLE scram_full LOGIN PASSWORD 'secret'
            """);
        await _cluster.WaitForReplayAsync();
        var name = (await Dns.GetHostEntryAsync(IPAddress.Loopback)).HostName;
        var files = new Dictionary<string, string>
        {
            ["pool_hba.conf"] = Lines.Replace("HOST", name),
            ["pg_ident.conf"] = "staff  /^(.*)@example\\.org$  cert_map_\\1\nnames  \"CN=jane,OU=shop,O=Example\"  cert_dn\n",
            ["pool_passwd"] = "scram_ca:TEXTsecret\nscram_full:TEXTsecret\n",
        };
        _bed = await TlsBed.StartAsync(
            _cluster,
            (bed, settings) =>
            {
                settings["enable_pool_hba"] = "on";
                settings["ssl_ca_cert"] = bed.FileOf("ca.crt");
                settings["pgrouter.auth_cache_time"] = "1";
            },
            files);
    }

    [TearDown]
    public void ShowLogOfFailure()
    {
        if (TestContext.CurrentContext.Result.FailCount > 0)
            TestContext.Out.WriteLine(_bed.Router.LogTail());
    }

    [OneTimeTearDown]
    public async Task StopRouter()
    {
        await _bed.DisposeAsync();
        await _cluster.ExecuteAsync(
            0, "DROP ROLE hba_staff, hba_group, postgres_role, hba_same, hba_ann, hba_bob, hba_by_name, cert_map_1, cert_dn, cert_plain, scram_ca, scram_full");
    }

    [Test]
    public async Task A_member_of_a_role_is_let_in_also_through_others_and_is_not_when_it_is_no_member_any_more()
    {
        Assert.That(await RefusalAsync("hba_ann"), Is.Null);
        Assert.That(await RefusalAsync("hba_staff"), Does.StartWith("28000 role \"hba_staff\" is not permitted to log in").Or.Null);
        Assert.That(await RefusalAsync("hba_bob"), Is.EqualTo(
            "28000 no pool_hba.conf entry for host \"127.0.0.1\", user \"hba_bob\", database \"postgres\", no encryption"));

        await _cluster.ExecuteAsync(0, "GRANT hba_group TO hba_bob");
        await Eventually.TrueAsync(async () => await RefusalAsync("hba_bob") is null, "the new membership to count");
        await _cluster.ExecuteAsync(0, "REVOKE hba_group FROM hba_bob");
        await Eventually.TrueAsync(async () => await RefusalAsync("hba_bob") is not null, "the old membership to end");
    }

    [Test]
    public async Task Samerole_wants_a_role_named_like_the_database()
    {
        Assert.That(await RefusalAsync("hba_same"), Does.StartWith("28000 no pool_hba.conf entry"));
        await _cluster.ExecuteAsync(0, "GRANT postgres TO hba_same");
        await Eventually.TrueAsync(async () => await RefusalAsync("hba_same") is null, "the new membership to count");
        await _cluster.ExecuteAsync(0, "REVOKE postgres FROM hba_same");
    }

    [Test]
    public async Task A_host_name_is_looked_up() => Assert.That(await RefusalAsync("hba_by_name"), Is.Null);

    [TestCase("cert_map_1", "1@example.org", null)]
    [TestCase("cert_map_1", "2@example.org", "28000 certificate authentication failed for user \"cert_map_1\"")]
    [TestCase("cert_map_1", "1", "28000 certificate authentication failed for user \"cert_map_1\"")]
    [TestCase("cert_map_1", null, "28000 connection requires a valid client certificate")]
    [TestCase("cert_plain", "cert_plain", null)]
    [TestCase("cert_plain", "Cert_plain", "28000 certificate authentication failed for user \"cert_plain\"")]
    [TestCase("scram_ca", "anybody", null)]
    [TestCase("scram_ca", null, "28000 connection requires a valid client certificate")]
    [TestCase("scram_full", "scram_full", null)]
    [TestCase("scram_full", "anybody", "28000 password authentication failed for user \"scram_full\"")]
    public async Task A_certificate_says_who_somebody_is(string user, string? name, string? refusal)
    {
        using var certificate = name is null ? null : _bed.Authority.Client(name);
        Assert.That(await RefusalAsync(user, certificate, isTls: true), Is.EqualTo(refusal));
        if (name is null || refusal is null)
            return;
        await _bed.Router.WaitForLogAsync($"\"{name}\"");
    }

    [Test]
    public async Task The_distinguished_name_counts_where_the_line_says_so()
    {
        using var jane = _bed.Authority.Client("jane", "shop", "Example");
        using var other = _bed.Authority.Client("jane", "Example", "shop");
        Assert.That(await RefusalAsync("cert_dn", jane, isTls: true), Is.Null);
        Assert.That(await RefusalAsync("cert_dn", other, isTls: true), Does.StartWith("28000"));
    }

    [Test]
    public async Task The_log_names_the_line_that_decided()
    {
        Assert.That(await RefusalAsync("rejected"), Is.EqualTo(
            "28000 pool_hba.conf rejects connection for host \"127.0.0.1\", user \"rejected\", database \"postgres\", no encryption"));
        await _bed.Router.WaitForLogAsync("login of rejected on postgres from 127.0.0.1");
        await _bed.Router.WaitForLogAsync("pool_hba.conf:10 \"host     all      rejected       127.0.0.1/32  reject\"");

        using var certificate = _bed.Authority.Client("scram_full");
        Assert.That(await RefusalAsync("scram_full", certificate, isTls: true, password: "wrong"), Does.StartWith("28P01"));
        await _bed.Router.WaitForLogAsync("password does not match; matched");
    }

    [Test]
    public async Task A_reload_with_a_mistake_keeps_the_lines_and_a_good_one_takes_effect_at_once()
    {
        var file = Path.Combine(_bed.Router.DirectoryPath, "pool_hba.conf");
        var good = await File.ReadAllTextAsync(file);
        await File.WriteAllTextAsync(file, "host all all all md5 clientcert=verify-ca\n" + good);
        _bed.Router.Send(Signal.Hangup);
        await _bed.Router.WaitForLogAsync("pool_hba.conf:1: clientcert is for lines of type hostssl only");
        Assert.That(await RefusalAsync("postgres"), Is.Null);

        await File.WriteAllTextAsync(file, "host all postgres 127.0.0.1/32 reject\n" + good);
        _bed.Router.Send(Signal.Hangup);
        await Eventually.TrueAsync(async () => await RefusalAsync("postgres") is not null, "the new line");
        await File.WriteAllTextAsync(file, good);
        _bed.Router.Send(Signal.Hangup);
        await Eventually.TrueAsync(async () => await RefusalAsync("postgres") is null, "the old lines");
    }

    /// <summary>Null when the login and a statement succeeded.</summary>
    private async Task<string?> RefusalAsync(
        string user, System.Security.Cryptography.X509Certificates.X509Certificate2? certificate = null, bool isTls = false, string password = "secret")
    {
        await using var client = await RawClient.ConnectAsync(_bed.Router.Endpoint);
        if (isTls)
            await client.RequestTlsAsync(certificate);
        await client.SendAsync(Frontend.Startup([new("user", user), new("database", "postgres")]));
        try
        {
            await client.AuthenticateAsync(user, password);
            Assert.That(await client.ScalarAsync("SELECT current_user::text"), Is.EqualTo(user));
            return null;
        }
        catch (RefusedException refused)
        {
            return $"{refused.Code} {refused.Text}";
        }
    }
}
