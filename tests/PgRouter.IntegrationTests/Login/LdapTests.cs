using System.Globalization;
using System.Net.Sockets;
using PgRouter.IntegrationTests.Wire;
using PgRouter.Testing;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Processes;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Login;

/// <summary>Method ldap against a real directory: slapd with two people in it.</summary>
[TestFixture]
public sealed class LdapTests
{
    private const string People = """
        dn: dc=example
        objectClass: dcObject
        objectClass: organization
        dc: example
        o: Example

        dn: ou=people,dc=example
        objectClass: organizationalUnit
        ou: people

        dn: uid=ldap_ann,ou=people,dc=example
        objectClass: inetOrgPerson
        uid: ldap_ann
        cn: Ann
        sn: A
        userPassword: ann's secret

        dn: uid=ldap_bob,ou=people,dc=example
        objectClass: inetOrgPerson
        uid: ldap_bob
        cn: Bob
        sn: B
        userPassword: bob's secret

        """;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("pgrouter-ldap-");
    private readonly int _port = FreePorts.Take();
    private System.Diagnostics.Process _slapd = null!;
    private PgCluster _cluster = null!;
    private RouterProcessFixture _router = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        await StartDirectoryAsync();
        _cluster = await WireBed.ClusterAsync();
        await _cluster.ExecuteAsync(0, "CREATE ROLE ldap_ann LOGIN; CREATE ROLE ldap_bob LOGIN");
        await _cluster.WaitForReplayAsync();
        var lines = $"""
            host simple all 127.0.0.1/32 ldap ldapserver=127.0.0.1 ldapport={_port} ldapprefix="uid=" ldapsuffix=",ou=people,dc=example"
            host postgres ldap_ann 127.0.0.1/32 ldap ldapserver=127.0.0.1 ldapport={_port} ldapbasedn="dc=example" ldapbinddn="cn=admin,dc=example" ldapbindpasswd="top secret"
            host postgres ldap_bob 127.0.0.1/32 ldap ldapurl="ldap://127.0.0.1:{_port}/dc=example?uid?sub" ldapbinddn="cn=admin,dc=example" ldapbindpasswd="top secret"
            host template1 all 127.0.0.1/32 ldap ldapserver=127.0.0.1 ldapport={_port} ldapbasedn="dc=example" ldapsearchfilter="(&(uid=$username)(sn=A))"
            host nowhere all 127.0.0.1/32 ldap ldapserver=127.0.0.1 ldapport={FreePorts.Take()} ldapbasedn="dc=example"

            """;
        _router = await RouterProcessFixture.StartAsync(
            _cluster, new Dictionary<string, string> { ["enable_pool_hba"] = "on" }, new Dictionary<string, string> { ["pool_hba.conf"] = lines });
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        await _router.DisposeAsync();
        await _cluster.ExecuteAsync(0, "DROP ROLE ldap_ann, ldap_bob");
        _slapd.Kill();
        await _slapd.WaitForExitAsync();
        _slapd.Dispose();
        _directory.Delete(recursive: true);
    }

    [TestCase("postgres", "ldap_ann", "ann's secret", null)]
    [TestCase("postgres", "ldap_ann", "bob's secret", "28000 LDAP authentication failed for user \"ldap_ann\"")]
    [TestCase("postgres", "ldap_ann", "", "28P01 empty password returned by client")]
    [TestCase("postgres", "ldap_bob", "bob's secret", null)]
    [TestCase("postgres", "ldap_bob", "wrong", "28000 LDAP authentication failed for user \"ldap_bob\"")]
    [TestCase("template1", "ldap_ann", "ann's secret", null)]
    [TestCase("template1", "ldap_bob", "bob's secret", "28000 LDAP authentication failed for user \"ldap_bob\"")]
    [TestCase("template1", "ldap_*", "ann's secret", "28000 LDAP authentication failed for user \"ldap_*\"")]
    [TestCase("simple", "ldap_ann", "wrong", "28000 LDAP authentication failed for user \"ldap_ann\"")]
    [TestCase("simple", "ldap_ann", "ann's secret", "3D000 database \"simple\" does not exist")]
    [TestCase("nowhere", "ldap_ann", "ann's secret", "28000 LDAP authentication failed for user \"ldap_ann\"")]
    public async Task The_directory_decides(string database, string user, string password, string? refusal)
    {
        await using var client = await RawClient.ConnectAsync(_router.Endpoint);
        await client.SendAsync(Frontend.Startup([new("user", user), new("database", database)]));
        string? outcome = null;
        try
        {
            await client.AuthenticateAsync(user, password);
        }
        catch (RefusedException refused)
        {
            outcome = $"{refused.Code} {refused.Text}";
        }

        Assert.That(outcome, Is.EqualTo(refusal));
    }

    [Test]
    public async Task The_log_says_why_and_shows_no_password()
    {
        await The_directory_decides("nowhere", "ldap_ann", "ann's secret", "28000 LDAP authentication failed for user \"ldap_ann\"");
        await _router.WaitForLogAsync("LDAP: The LDAP server is unavailable");
        Assert.That(_router.Log.Where(line => line.Contains("secret")), Is.Empty);
    }

    private async Task StartDirectoryAsync()
    {
        var config = Path.Combine(_directory.FullName, "slapd.conf");
        var data = _directory.CreateSubdirectory("data").FullName;
        var people = Path.Combine(_directory.FullName, "people.ldif");
        await File.WriteAllTextAsync(people, People);
        await File.WriteAllTextAsync(
            config,
            $"""
            include /etc/ldap/schema/core.schema
            include /etc/ldap/schema/cosine.schema
            include /etc/ldap/schema/inetorgperson.schema
            modulepath /usr/lib/ldap
            moduleload back_mdb
            pidfile {_directory.FullName}/slapd.pid
            database mdb
            directory {data}
            suffix "dc=example"
            rootdn "cn=admin,dc=example"
            rootpw "top secret"
            access to attrs=userPassword by anonymous auth by * none
            access to * by * read

            """);
        await Command.RequireAsync("/usr/sbin/slapadd", ["-f", config, "-l", people]);
        _slapd = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(
            "/usr/sbin/slapd", ["-f", config, "-h", $"ldap://127.0.0.1:{_port.ToString(CultureInfo.InvariantCulture)}", "-d", "0"])
        {
            RedirectStandardError = true,
        })!;
        await Eventually.TrueAsync(
            () =>
            {
                using var probe = new TcpClient();
                try
                {
                    probe.Connect("127.0.0.1", _port);
                    return true;
                }
                catch (SocketException)
                {
                    return false;
                }
            },
            "slapd to listen");
    }
}
