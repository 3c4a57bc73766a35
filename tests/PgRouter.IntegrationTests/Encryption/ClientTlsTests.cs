using System.Security.Authentication;
using Npgsql;
using PgRouter.IntegrationTests.Consoles;
using PgRouter.IntegrationTests.Wire;
using PgRouter.Testing;
using PgRouter.Testing.Certificates;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Processes;
using PgRouter.Testing.Protocol;

namespace PgRouter.IntegrationTests.Encryption;

/// <summary>TLS between clients and the router: psql, Npgsql and byte by byte.</summary>
[TestFixture]
public sealed class ClientTlsTests
{
    private PgCluster _cluster = null!;
    private TlsBed _bed = null!;

    [OneTimeSetUp]
    public async Task StartRouter()
    {
        _cluster = await WireBed.ClusterAsync();
        _bed = await TlsBed.StartAsync(_cluster);
    }

    [OneTimeTearDown]
    public async Task StopRouter() => await _bed.DisposeAsync();

    [TestCase("sslmode=require", "TLSv1.3/TLS_AES_256_GCM_SHA384")]
    [TestCase("sslmode=prefer", "TLSv1.3/TLS_AES_256_GCM_SHA384")]
    [TestCase("sslmode=verify-full sslrootcert=CA", "TLSv1.3/TLS_AES_256_GCM_SHA384")]
    [TestCase("sslmode=require ssl_max_protocol_version=TLSv1.2", "TLSv1.2/TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384")]
    [TestCase("sslmode=disable", "")]
    [TestCase("sslmode=allow", "")]
    public async Task Psql_gets_what_it_asks_for(string options, string expected)
    {
        var shown = await _bed.PsqlAsync(_cluster, "SHOW CLIENTS", options.Replace("CA", _bed.FileOf("ca.crt")), database: "pgbouncer");
        Assert.That(shown.Split('|')[17], Is.EqualTo(expected), shown);
    }

    [Test]
    public async Task Psql_refuses_a_certificate_of_another_authority()
    {
        using var stranger = new TestAuthority("stranger");
        await File.WriteAllTextAsync(_bed.FileOf("stranger.crt"), TestAuthority.Pem(stranger.Certificate));
        Assert.That(
            await _bed.PsqlAsync(_cluster, "SELECT 1", $"sslmode=verify-ca sslrootcert={_bed.FileOf("stranger.crt")}"), Does.Contain("certificate verify failed"));
        await _bed.Router.WaitForLogAsync("could not accept SSL connection");
    }

    [TestCase("SSL Mode=VerifyFull")]
    [TestCase("SSL Mode=VerifyFull;SSL Negotiation=Direct")]
    [TestCase("SSL Mode=Require")]
    public async Task Npgsql_gets_what_it_asks_for(string options)
    {
        await using var connection = new NpgsqlConnection($"{_bed.Router.ConnectionString()};{options};Root Certificate={_bed.FileOf("ca.crt")}");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT sum(g), $1 FROM generate_series(1, 10000) g", connection) { Parameters = { new() { Value = "x" } } };
        Assert.That(await command.ExecuteScalarAsync(), Is.EqualTo(50_005_000L));
    }

    [Test]
    public async Task A_large_answer_and_a_large_copy_pass()
    {
        var rows = await _bed.PsqlAsync(_cluster, "SELECT repeat('x', 100000) FROM generate_series(1, 100)", "sslmode=require");
        Assert.That(rows, Has.Length.EqualTo((100 * 100_001) - 1));
        await using var connection = new NpgsqlConnection($"{_bed.Router.ConnectionString()};SSL Mode=Require");
        await connection.OpenAsync();
        await using (var make = new NpgsqlCommand("CREATE TEMP TABLE tls_copy (a int, b text)", connection))
            await make.ExecuteNonQueryAsync();
        await using (var import = await connection.BeginTextImportAsync("COPY tls_copy FROM STDIN"))
        {
            for (var i = 0; i < 20_000; i++)
                await import.WriteAsync($"{i}\t{new string('y', 100)}\n");
        }
        await using var count = new NpgsqlCommand("SELECT count(*) FROM tls_copy", connection);
        Assert.That(await count.ExecuteScalarAsync(), Is.EqualTo(20_000L));
    }

    [Test]
    public async Task Many_clients_at_once_are_served()
    {
        var clients = await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => RawClient.LoginAsync(_bed.TlsEndpoint)));
        Assert.That(await Task.WhenAll(clients.Select(client => client.ScalarAsync("SELECT 7"))), Is.All.EqualTo("7"));
        foreach (var client in clients)
            await client.DisposeAsync();
    }

    [Test]
    public async Task A_cancel_request_over_TLS_cancels()
    {
        await using var client = await RawClient.LoginAsync(_bed.TlsEndpoint);
        var running = client.QueryAsync("BEGIN; SELECT pg_sleep(60)");
        await Eventually.TrueAsync(
            async () => await _cluster.ScalarAsync<long>(0, "SELECT count(*) FROM pg_stat_activity WHERE query = 'BEGIN; SELECT pg_sleep(60)' AND state = 'active'") > 0,
            "the statement to run");
        await client.CancelAsync();
        Assert.That((await running).Code(), Is.EqualTo("57014"));
    }

    [Test]
    public async Task Direct_TLS_needs_the_name_in_ALPN()
    {
        await using var without = await RawClient.ConnectAsync(_bed.Router.Endpoint);
        await without.HandshakeAsync(null, protocol: null);
        var answer = await without.ReadToEndAsync();
        Assert.That(answer.Code(), Is.EqualTo("08P01"));
        Assert.That(answer.ErrorText(), Is.EqualTo("received direct SSL connection request without ALPN protocol negotiation extension"));

        await using var other = await RawClient.ConnectAsync(_bed.Router.Endpoint);
        Assert.That(async () => await other.HandshakeAsync(null, "http/1.1"), Throws.InstanceOf<AuthenticationException>().Or.InstanceOf<IOException>());
    }

    [Test]
    public async Task Clear_text_behind_the_request_is_never_taken_for_encrypted()
    {
        await using var client = await RawClient.ConnectAsync(_bed.Router.Endpoint);
        await client.SendBytesAsync([.. Frontend.SslRequest().ToBytes(), .. Frontend.Startup([new("user", "postgres")]).ToBytes()]);
        Assert.That(async () => await client.ReadByteAsync(), Throws.InstanceOf<EndOfStreamException>().Or.InstanceOf<IOException>());
        await _bed.Router.WaitForLogAsync("received unencrypted data after SSL request");
    }

    [Test]
    public async Task TLS_inside_TLS_is_refused()
    {
        await using var client = await RawClient.ConnectAsync(_bed.TlsEndpoint);
        await client.SendAsync(Frontend.SslRequest());
        Assert.That((await client.ReadToEndAsync()).Code(), Is.EqualTo("08P01"));
    }

    [Test]
    public async Task A_Unix_domain_socket_has_no_TLS()
    {
        await using var client = await RawClient.ConnectAsync(new Endpoint(Path.Combine(_bed.Router.DirectoryPath, $".s.PGSQL.{_bed.Router.Endpoint.Port}"), 0));
        Assert.That(await client.RequestTlsAsync(), Is.EqualTo('N'));
    }

    [Test]
    public async Task A_reload_takes_a_new_certificate_and_keeps_the_old_one_when_the_new_one_is_bad()
    {
        await using var bed = await TlsBed.StartAsync(_cluster, (_, settings) => settings["admin_users"] = "postgres");
        await using var early = await RawClient.LoginAsync(bed.TlsEndpoint);
        var first = await NameShownAsync(bed);

        await File.WriteAllTextAsync(bed.FileOf("server.crt"), "no certificate");
        bed.Router.Send(Signal.Hangup);
        await bed.Router.WaitForLogAsync("server.crt: there is no certificate in it");
        Assert.That(await NameShownAsync(bed), Is.EqualTo(first));
        await using (var console = await Operator.LoginAsync(bed.TlsEndpoint))
            Assert.That(await console.SayAsync("RELOAD"), Does.StartWith("F0000 the configuration was not wholly reloaded").And.Contain("server.crt"));

        bed.Write(bed.Authority.Server("renewed", "127.0.0.1"), "server");
        bed.Router.Send(Signal.Hangup);
        await Eventually.ValueAsync(() => NameShownAsync(bed), name => name == "CN=renewed", "the new certificate");
        Assert.That(await early.ScalarAsync("SELECT 1"), Is.EqualTo("1"));
    }

    [Test]
    public async Task A_reload_turns_TLS_on_and_off()
    {
        await using var bed = await TlsBed.StartAsync(_cluster, (_, settings) => settings["ssl"] = "off");
        Assert.That(await bed.PsqlAsync(_cluster, "SELECT 1", "sslmode=require"), Does.Contain("server does not support SSL"));
        await bed.Router.ReloadAsync(new Dictionary<string, string> { ["ssl"] = "on" });
        await Eventually.ValueAsync(() => bed.PsqlAsync(_cluster, "SELECT 1", "sslmode=require"), said => said == "1", "TLS");
    }

    [TestCase("others may read the private key")]
    [TestCase("no private key that fits")]
    [TestCase("the private key is not there")]
    [TestCase("ssl_ciphers: found \"NO:SUCH\"")]
    public void A_start_with_a_bad_file_is_refused_and_says_why(string reason)
    {
        Assert.That(async () => await TlsBed.StartAsync(_cluster, Spoil), Throws.InstanceOf<TestBedException>().With.Message.Contains(reason));

        void Spoil(TlsBed bed, Dictionary<string, string> settings)
        {
            switch (reason)
            {
                case "others may read the private key":
                    File.SetUnixFileMode(bed.FileOf("server.key"), UnixFileMode.UserRead | UnixFileMode.OtherRead);
                    break;
                case "no private key that fits":
                    bed.Write(bed.Authority.Server("other"), "other");
                    settings["ssl_key"] = bed.FileOf("other.key");
                    break;
                case "the private key is not there":
                    settings["ssl_key"] = bed.FileOf("none.key");
                    break;
                default:
                    settings["ssl_ciphers"] = "NO:SUCH";
                    break;
            }
        }
    }

    [Test]
    public async Task A_key_with_a_passphrase_is_unlocked_by_the_command()
    {
        await using var bed = await TlsBed.StartAsync(_cluster, (bed, settings) =>
        {
            using var certificate = bed.Authority.Server("locked", "127.0.0.1");
            bed.Write(certificate, "locked");
            var key = System.Security.Cryptography.X509Certificates.ECDsaCertificateExtensions.GetECDsaPrivateKey(certificate)!;
            File.WriteAllText(
                bed.FileOf("locked.key"),
                key.ExportEncryptedPkcs8PrivateKeyPem("open sesame", new(System.Security.Cryptography.PbeEncryptionAlgorithm.Aes256Cbc, System.Security.Cryptography.HashAlgorithmName.SHA256, 1000)));
            settings["ssl_cert"] = bed.FileOf("locked.crt");
            settings["ssl_key"] = bed.FileOf("locked.key");
            settings["ssl_passphrase_command"] = "echo open sesame";
        });
        Assert.That(await NameShownAsync(bed), Is.EqualTo("CN=locked"));
    }

    [Test]
    public async Task Only_the_ciphers_and_versions_asked_for_are_spoken()
    {
        await using var bed = await TlsBed.StartAsync(_cluster, (_, settings) =>
        {
            settings["ssl_ciphers"] = "ECDHE-ECDSA-CHACHA20-POLY1305";
            settings["ssl_max_protocol_version"] = "TLSv1.2";
        });
        var shown = await bed.PsqlAsync(_cluster, "SHOW CLIENTS", "sslmode=require", database: "pgbouncer");
        Assert.That(shown.Split('|')[17], Is.EqualTo("TLSv1.2/TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"), shown);
        Assert.That(await bed.PsqlAsync(_cluster, "SELECT 1", "sslmode=require ssl_min_protocol_version=TLSv1.3"), Does.Contain("SSL error"));
    }

    private static async Task<string> NameShownAsync(TlsBed bed)
    {
        var name = "";
        using var socket = new System.Net.Sockets.TcpClient();
        await socket.ConnectAsync(bed.Router.Endpoint.Host, bed.Router.Endpoint.Port);
        await using var tls = new System.Net.Security.SslStream(socket.GetStream(), false, (_, certificate, _, _) => (name = certificate!.Subject).Length > 0);
        await tls.AuthenticateAsClientAsync(new System.Net.Security.SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            ApplicationProtocols = [new("postgresql")],
        });
        return name;
    }
}
