using NUnit.Framework;
using PgRouter.Core.Configuration;

namespace PgRouter.Tests.Configuration;

/// <summary>The settings of TLS, pgpool's and PgBouncer's, and what they come to.</summary>
[TestFixture]
internal sealed class TlsSettingsTests
{
    private const string Files = "ssl_cert = a.crt\nssl_key = a.key";
    private ConfigFiles _files = null!;

    [SetUp]
    public void MakeDirectory() => _files = new ConfigFiles();

    [TearDown]
    public void RemoveDirectory() => _files.Dispose();

    [TestCase("", ExpectedResult = TlsMode.Disable)]
    [TestCase("ssl = on", ExpectedResult = TlsMode.Allow)]
    [TestCase("ssl = off", ExpectedResult = TlsMode.Disable)]
    [TestCase("client_tls_sslmode = allow", ExpectedResult = TlsMode.Allow)]
    [TestCase("client_tls_sslmode = require", ExpectedResult = TlsMode.Require)]
    [TestCase("ssl = off\nclient_tls_sslmode = require", ExpectedResult = TlsMode.Require)]
    [TestCase("ssl = on\nclient_tls_sslmode = disable", ExpectedResult = TlsMode.Disable)]
    [TestCase("client_tls_sslmode = verify-full\nssl_ca_cert = ca.crt", ExpectedResult = TlsMode.VerifyFull)]
    [TestCase("client_tls_sslmode = verify-ca\nclient_tls_ca_file = ca.crt", ExpectedResult = TlsMode.VerifyCa)]
    public TlsMode Towards_clients(string lines) => Good($"{Files}\n{lines}").ClientTls.Mode;

    [Test]
    public void Pgbouncers_names_are_the_same_settings()
    {
        var tls = Good("client_tls_sslmode = require\nclient_tls_cert_file = b.crt\nclient_tls_key_file = b.key\nclient_tls_ca_file = /ca.crt\n"
            + "client_tls_protocols = tlsv1.3\nclient_tls_ciphers = HIGH").ClientTls;
        Assert.That(tls.CertificateFile, Is.EqualTo(Path.Combine(_files.Directory, "b.crt")));
        Assert.That(tls.KeyFile, Is.EqualTo(Path.Combine(_files.Directory, "b.key")));
        Assert.That((tls.AuthorityFile, tls.Versions.Minimum, tls.Ciphers), Is.EqualTo(("/ca.crt", "TLSv1.3", "HIGH")));
    }

    [TestCase("client_tls_protocols = secure", "TLSv1.2", "")]
    [TestCase("client_tls_protocols = all", "TLSv1.2", "")]
    [TestCase("client_tls_protocols = 'tlsv1.2'", "TLSv1.2", "TLSv1.2")]
    [TestCase("client_tls_protocols = 'tlsv1.2, tlsv1.3'", "TLSv1.2", "")]
    [TestCase("ssl_min_protocol_version = TLSv1.3", "TLSv1.3", "")]
    [TestCase("ssl_max_protocol_version = TLSv1.2", "TLSv1.2", "TLSv1.2")]
    public void Versions(string line, string minimum, string maximum) =>
        Assert.That(Good(line).ClientTls.Versions, Is.EqualTo(new TlsVersions { Minimum = minimum, Maximum = maximum }));

    [Test]
    public void Pgpools_default_ciphers_leave_the_choice_to_the_platform() =>
        Assert.That(Good("ssl_ciphers = 'HIGH:MEDIUM:+3DES:!aNULL'").ClientTls.Ciphers, Is.Empty);

    [Test]
    public void A_node_has_its_own_lines_and_else_the_common_ones()
    {
        var config = Good("backend_hostname1 = 'b'\nserver_tls_sslmode = require\nserver_tls_sslmode1 = verify-full\nserver_tls_ca_file1 = system\nserver_tls_ca_file = ca.crt");
        Assert.That(config.Nodes[0].Tls, Is.EqualTo(new ServerTlsConfig { Mode = TlsMode.Require, AuthorityFile = Path.Combine(_files.Directory, "ca.crt") }));
        Assert.That(config.Nodes[1].Tls, Is.EqualTo(new ServerTlsConfig { Mode = TlsMode.VerifyFull, AuthorityFile = "system" }));
    }

    [Test]
    public void Towards_nodes_TLS_is_tried_unless_the_file_says_otherwise_and_pgpools_authorities_count_there_too()
    {
        Assert.That(Good("").Nodes[0].Tls.Mode, Is.EqualTo(TlsMode.Prefer));
        Assert.That(Good("ssl_ca_cert = /ca.crt\nserver_tls_sslmode = verify-ca").Nodes[0].Tls.AuthorityFile, Is.EqualTo("/ca.crt"));
    }

    [TestCase("ssl = on", "TLS needs a certificate and its key")]
    [TestCase("client_tls_sslmode = require\nssl_cert = a.crt", "TLS needs a certificate and its key")]
    [TestCase(Files + "\nclient_tls_sslmode = verify-ca", "no authority is trusted")]
    [TestCase("server_tls_sslmode = verify-ca", "no authority is trusted")]
    [TestCase("server_tls_sslmode0 = verify-full", "no authority is trusted")]
    [TestCase("server_tls_cert_file = a.crt", "given together or not at all")]
    [TestCase("ssl_min_protocol_version = TLSv1.1", "TLS before 1.2 is not spoken")]
    [TestCase("ssl_min_protocol_version = TLSv1.3\nssl_max_protocol_version = TLSv1.2", "older than the oldest")]
    [TestCase("server_tls_sslmode = sometimes", "allowed: disable, allow, prefer, require, verify-ca, verify-full")]
    public void What_cannot_be_honoured_is_refused(string lines, string reason)
    {
        var mistakes = _files.Load(["backend_hostname0 = 'db0'", .. lines.Split('\n')]).Mistakes;
        Assert.That(mistakes, Has.Count.EqualTo(1));
        Assert.That(mistakes[0].Message, Does.Contain(reason));
    }

    [Test]
    public void A_Unix_domain_socket_needs_no_authority() =>
        Assert.That(_files.Load("backend_hostname0 = '/run/postgresql'", "server_tls_sslmode = verify-full").Mistakes, Is.Empty);

    private RouterConfig Good(string lines) => _files.LoadGood(lines.Split('\n', StringSplitOptions.RemoveEmptyEntries));
}
