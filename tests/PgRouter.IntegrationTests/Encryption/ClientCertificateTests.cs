using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using PgRouter.IntegrationTests.Consoles;
using PgRouter.IntegrationTests.Wire;
using PgRouter.Testing;
using PgRouter.Testing.Certificates;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Processes;
using PgRouter.Testing.Protocol;

namespace PgRouter.IntegrationTests.Encryption;

/// <summary>Certificates that clients show, under PgBouncer's words for what is demanded.</summary>
[TestFixture]
public sealed class ClientCertificateTests
{
    private PgCluster _cluster = null!;

    [OneTimeSetUp]
    public async Task GetCluster() => _cluster = await WireBed.ClusterAsync();

    [Test]
    public async Task Require_refuses_clear_text_and_takes_clients_without_a_certificate()
    {
        await using var bed = await StartAsync("require");
        Assert.That(await bed.PsqlAsync(_cluster, "SELECT 1", "sslmode=require"), Is.EqualTo("1"));
        Assert.That(await RefusalAsync(bed, null, isTls: false), Is.EqualTo("28000 SSL encryption is required"));
        Assert.That(await bed.PsqlAsync(_cluster, "SELECT 1", "", host: bed.Router.DirectoryPath), Is.EqualTo("1"), "a Unix-domain socket needs no TLS");
    }

    [Test]
    public async Task Verify_ca_demands_a_valid_certificate_of_anybody()
    {
        await using var bed = await StartAsync("verify-ca");
        using var valid = bed.Authority.Client("anybody");
        Assert.That(await RefusalAsync(bed, valid), Is.Null);
        Assert.That(await RefusalAsync(bed, null), Is.EqualTo("28000 connection requires a valid client certificate"));
    }

    [Test]
    public async Task Verify_full_demands_a_certificate_of_the_user()
    {
        await using var bed = await StartAsync("verify-full");
        using var own = bed.Authority.Client("postgres");
        using var others = bed.Authority.Client("somebody");
        Assert.That(await RefusalAsync(bed, own), Is.Null);
        Assert.That(await RefusalAsync(bed, others), Is.EqualTo("28000 certificate authentication failed for user \"postgres\""));
    }

    [Test]
    public async Task A_certificate_that_is_not_valid_ends_the_handshake()
    {
        await using var bed = await StartAsync("allow");
        using var stranger = new TestAuthority("stranger");
        using var foreign = stranger.Client("postgres");
        using var ended = bed.Authority.Client("postgres", ended: true);
        using var wrongUse = bed.Authority.Server("postgres");
        foreach (var certificate in new[] { foreign, ended, wrongUse })
            Assert.That(async () => await RefusalAsync(bed, certificate), Throws.InstanceOf<IOException>().Or.InstanceOf<AuthenticationException>());
        Assert.That(bed.Router.Log.Count(line => line.Contains("certificate of the client:")), Is.EqualTo(3), bed.Router.LogTail());
    }

    [Test]
    public async Task A_revoked_certificate_ends_the_handshake()
    {
        X509Certificate2? revoked = null;
        await using var bed = await TlsBed.StartAsync(_cluster, (bed, settings) =>
        {
            settings["ssl_ca_cert"] = bed.FileOf("ca.crt");
            settings["ssl_crl_file"] = bed.FileOf("ca.crl");
            bed.Authority.Revoke(revoked = bed.Authority.Client("postgres"));
            File.WriteAllText(bed.FileOf("ca.crl"), bed.Authority.RevocationList());
        });
        using var good = bed.Authority.Client("postgres");
        Assert.That(await RefusalAsync(bed, good), Is.Null);
        Assert.That(async () => await RefusalAsync(bed, revoked), Throws.InstanceOf<IOException>().Or.InstanceOf<AuthenticationException>());
        await bed.Router.WaitForLogAsync("certificate revoked");

        bed.Authority.Revoke(good);
        await File.WriteAllTextAsync(bed.FileOf("ca.crl"), bed.Authority.RevocationList());
        bed.Router.Send(Signal.Hangup);
        await Eventually.TrueAsync(() => IsRefusedAsync(bed, good), "the new list to be in force");
    }

    [Test]
    public async Task A_list_of_another_authority_vouches_for_nobody()
    {
        await using var bed = await TlsBed.StartAsync(_cluster, (bed, settings) =>
        {
            using var stranger = new TestAuthority(); // Of the same name: only the signature tells them apart.
            settings["ssl_ca_cert"] = bed.FileOf("ca.crt");
            settings["ssl_crl_file"] = bed.FileOf("ca.crl");
            File.WriteAllText(bed.FileOf("ca.crl"), stranger.RevocationList());
        });
        using var good = bed.Authority.Client("postgres");
        Assert.That(await IsRefusedAsync(bed, good), Is.True);
        await bed.Router.WaitForLogAsync("there is no list of revoked certificates of");
    }

    private Task<TlsBed> StartAsync(string mode) => TlsBed.StartAsync(_cluster, (bed, settings) =>
    {
        settings.Remove("ssl");
        settings["client_tls_sslmode"] = mode;
        settings["ssl_ca_cert"] = bed.FileOf("ca.crt");
    });

    private static async Task<bool> IsRefusedAsync(TlsBed bed, X509Certificate2 certificate)
    {
        try
        {
            await RefusalAsync(bed, certificate);
            return false;
        }
        catch (Exception e) when (e is IOException or AuthenticationException)
        {
            return true;
        }
    }

    /// <summary>Null when a client with this certificate got in.</summary>
    private static async Task<string?> RefusalAsync(TlsBed bed, X509Certificate2? certificate, bool isTls = true)
    {
        await using var client = await RawClient.ConnectAsync(bed.Router.Endpoint);
        if (isTls)
            await client.RequestTlsAsync(certificate);
        await client.SendAsync(Frontend.Startup([new("user", "postgres"), new("database", "postgres")]));
        var first = await client.ReadAsync();
        return first.Type == 'E' ? $"{first.Field('C')} {first.Field('M')}" : null;
    }
}
