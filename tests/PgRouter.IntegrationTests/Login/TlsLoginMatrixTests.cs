using Npgsql;
using PgRouter.IntegrationTests.Encryption;
using PgRouter.Testing.Certificates;
using PgRouter.Testing.Clusters;

namespace PgRouter.IntegrationTests.Login;

/// <summary>
/// Client method x stored secret x server method, with TLS towards clients, towards the server, or both; through Npgsql, and where both sides are
/// encrypted through psql as well. Over TLS SCRAM is bound to the certificates, as both drivers do by themselves.
/// </summary>
[TestFixture]
public sealed class TlsLoginMatrixTests
{
    private static readonly string[] Modes = ["client", "server", "both"];
    private readonly TestAuthority _servers = new("servers");
    private readonly Dictionary<string, TlsBed> _beds = [];
    private PgCluster _cluster = null!;

    private static IEnumerable<TestCaseData> Cells =>
        from client in LoginMatrix.ClientMethods.Append("cert")
        from secret in LoginMatrix.Secrets
        from server in LoginMatrix.ServerMethods
        from mode in Modes
        where client != "cert" || mode != "server"
        select new TestCaseData(client, secret, server, mode);

    private static IEnumerable<TestCaseData> CellsOfPsql =>
        from client in LoginMatrix.ClientMethods
        from secret in LoginMatrix.Secrets
        from server in LoginMatrix.ServerMethods
        select new TestCaseData(client, secret, server);

    [OneTimeSetUp]
    public async Task StartClusterAndRouters()
    {
        _cluster = await PgCluster.StartAsync(new PgClusterOptions { Standbys = 0 });
        using var certificate = _servers.Server("localhost", "127.0.0.1");
        await _cluster.UseTlsAsync(0, TestAuthority.Pem(certificate), TestAuthority.KeyPem(certificate), TestAuthority.Pem(_servers.Certificate));
        await LoginMatrix.MakeRolesAsync(_cluster);
        var files = await LoginMatrix.FilesAsync(_cluster, withCertificates: true);
        files["servers.crt"] = TestAuthority.Pem(_servers.Certificate);
        foreach (var mode in Modes)
            _beds[mode] = await TlsBed.StartAsync(_cluster, (bed, settings) => Configure(bed, settings, mode), files);
    }

    [OneTimeTearDown]
    public async Task StopAll()
    {
        foreach (var bed in _beds.Values)
            await bed.DisposeAsync();
        await _cluster.DisposeAsync();
        _servers.Dispose();
    }

    [TestCaseSource(nameof(Cells))]
    public async Task Through_npgsql(string client, string secret, string server, string mode)
    {
        var user = LoginMatrix.User(client, secret, server);
        var outcome = await LoginAsync(_beds[mode], user, mode != "server", client == "cert");
        Assert.That(outcome, Expected(client, secret, server, mode == "client" ? "clear" : "encrypted"));
    }

    [TestCaseSource(nameof(CellsOfPsql))]
    public async Task Through_psql(string client, string secret, string server)
    {
        var bed = _beds["both"];
        var options = $"sslmode=verify-ca sslrootcert={bed.FileOf("ca.crt")} password='{LoginMatrix.Password}'";
        var outcome = await bed.PsqlAsync(_cluster, Question, options, user: LoginMatrix.User(client, secret, server));
        Assert.That(outcome, LoginMatrix.Succeeds(client, secret, server) ? Is.EqualTo("encrypted") : Does.Contain("FATAL"));
    }

    private const string Question = "SELECT CASE WHEN ssl THEN 'encrypted' ELSE 'clear' END FROM pg_stat_ssl WHERE pid = pg_backend_pid()";

    private static NUnit.Framework.Constraints.IResolveConstraint Expected(string client, string secret, string server, string encryption) =>
        LoginMatrix.Succeeds(client, secret, server) ? Is.EqualTo(encryption) : Does.StartWith("28");

    private static void Configure(TlsBed bed, Dictionary<string, string> settings, string mode)
    {
        foreach (var (name, value) in LoginMatrix.Settings("on", "off"))
            settings[name] = value;
        settings["ssl"] = mode == "server" ? "off" : "on";
        settings["client_tls_sslmode"] = mode == "server" ? "disable" : "require";
        settings["ssl_ca_cert"] = bed.FileOf("ca.crt");
        settings["server_tls_sslmode"] = mode == "client" ? "disable" : "verify-full";
        settings["server_tls_ca_file"] = "servers.crt";
    }

    /// <summary>How the server was reached, or the SQLSTATE of the refusal.</summary>
    private static async Task<string> LoginAsync(TlsBed bed, string user, bool isEncrypted, bool showsCertificate)
    {
        var source = new NpgsqlDataSourceBuilder($"{bed.Router.ConnectionString(user: user, password: LoginMatrix.Password)};SSL Mode={(isEncrypted ? "Require" : "Disable")}");
        using var certificate = showsCertificate ? bed.Authority.Client(user) : null;
        if (certificate is not null)
            source.UseSslClientAuthenticationOptionsCallback(options => options.ClientCertificates = [certificate]);
        await using var built = source.Build();
        try
        {
            await using var command = built.CreateCommand(Question);
            return (string)(await command.ExecuteScalarAsync())!;
        }
        catch (PostgresException refused)
        {
            return refused.SqlState;
        }
    }
}
