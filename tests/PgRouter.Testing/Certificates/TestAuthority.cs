using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace PgRouter.Testing.Certificates;

/// <summary>A certificate authority for tests: issues certificates of servers and clients, and revokes them. Not thread-safe.</summary>
public sealed class TestAuthority : IDisposable
{
    private readonly CertificateRevocationListBuilder _revoked = new();
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private int _lists;

    /// <summary>Makes an authority that signs itself.</summary>
    /// <param name="name">Its common name.</param>
    public TestAuthority(string name = "PgRouter test authority")
    {
        var request = new CertificateRequest($"CN={name}", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        Certificate = request.CreateSelfSigned(Yesterday, DateTimeOffset.UtcNow.AddYears(1));
    }

    /// <summary>Its own certificate, with the key.</summary>
    public X509Certificate2 Certificate { get; }

    private static DateTimeOffset Yesterday => DateTimeOffset.UtcNow.AddDays(-1);

    /// <summary>A certificate of a server for these DNS names and addresses.</summary>
    public X509Certificate2 Server(params string[] names) => Issue(NameOf(names[0], "", ""), "1.3.6.1.5.5.7.3.1", names, ended: false);

    /// <summary>A certificate of a client with this common name.</summary>
    public X509Certificate2 Client(string commonName, bool ended = false) => Issue(NameOf(commonName, "", ""), "1.3.6.1.5.5.7.3.2", [], ended);

    /// <summary>A certificate of a client with a name of three parts.</summary>
    public X509Certificate2 Client(string commonName, string unit, string organization) =>
        Issue(NameOf(commonName, unit, organization), "1.3.6.1.5.5.7.3.2", [], ended: false);

    /// <summary>Puts a certificate on the list of those that are not valid any more.</summary>
    public void Revoke(X509Certificate2 certificate) => _revoked.AddEntry(certificate);

    /// <summary>The list of revoked certificates, in PEM.</summary>
    public string RevocationList() => PemEncoding.WriteString(
        "X509 CRL", _revoked.Build(Certificate, ++_lists, DateTimeOffset.UtcNow.AddDays(30), HashAlgorithmName.SHA256));

    /// <summary>The certificate in PEM.</summary>
    public static string Pem(X509Certificate2 certificate) => certificate.ExportCertificatePem() + "\n";

    /// <summary>The private key of a certificate in PEM (PKCS 8).</summary>
    public static string KeyPem(X509Certificate2 certificate) => certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem() + "\n";

    /// <summary>Writes certificate and key as NAME.crt and NAME.key; the key may be read by its owner only.</summary>
    public static (string Certificate, string Key) Write(X509Certificate2 certificate, string directory, string name)
    {
        var paths = (Path.Combine(directory, name + ".crt"), Path.Combine(directory, name + ".key"));
        File.WriteAllText(paths.Item1, Pem(certificate));
        File.WriteAllText(paths.Item2, KeyPem(certificate));
        File.SetUnixFileMode(paths.Item2, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return paths;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Certificate.Dispose();
        _key.Dispose();
    }

    private static X500DistinguishedName NameOf(string commonName, string unit, string organization)
    {
        // The builder writes the last part first.
        var name = new X500DistinguishedNameBuilder();
        name.AddCommonName(commonName);
        if (unit.Length > 0)
            name.AddOrganizationalUnitName(unit);
        if (organization.Length > 0)
            name.AddOrganizationName(organization);
        return name.Build();
    }

    private X509Certificate2 Issue(X500DistinguishedName name, string usage, string[] names, bool ended)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], false));
        if (names.Length > 0)
            request.CertificateExtensions.Add(AlternativeNames(names));
        var until = ended ? DateTimeOffset.UtcNow.AddHours(-1) : DateTimeOffset.UtcNow.AddMonths(6);
        using var certificate = request.Create(Certificate, Yesterday, until, RandomNumberGenerator.GetBytes(8));
        return certificate.CopyWithPrivateKey(key);
    }

    private static X509Extension AlternativeNames(string[] names)
    {
        var builder = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address))
                builder.AddIpAddress(address);
            else
                builder.AddDnsName(name);
        }
        return builder.Build();
    }
}
