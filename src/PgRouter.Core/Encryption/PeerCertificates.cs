using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace PgRouter.Core.Encryption;

/// <summary>Which certificates of the other side are valid: those of the authorities trusted, and not revoked. Immutable; any thread.</summary>
internal sealed class PeerCertificates
{
    private readonly X509Certificate2Collection? _authorities;
    private readonly RevocationLists? _revoked;

    private PeerCertificates(X509Certificate2Collection? authorities, RevocationLists? revoked)
    {
        _authorities = authorities;
        _revoked = revoked;
    }

    /// <summary>The authorities of the operating system.</summary>
    public static PeerCertificates OfSystem(string revocationFile) => new(null, Revoked(revocationFile));

    public static PeerCertificates Of(X509Certificate2Collection authorities, string revocationFile) => new(authorities, Revoked(revocationFile));

    /// <summary>What SslStream builds the chain with. Nothing is fetched from anywhere.</summary>
    public X509ChainPolicy ChainPolicy()
    {
        var policy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        if (_authorities is null)
            return policy;
        policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        policy.CustomTrustStore.AddRange(_authorities);
        return policy;
    }

    /// <summary>Null when the certificate is valid, else why not. Takes what SslStream found.</summary>
    public string? Check(X509Chain? chain, SslPolicyErrors errors)
    {
        if (chain is null || errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable))
            return "no certificate was shown";
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors))
            return string.Join("; ", chain.ChainStatus.Select(status => status.StatusInformation.Trim()).Distinct());
        return _revoked?.Check(chain, DateTimeOffset.UtcNow);
    }

    /// <summary>A policy for a side that is not checked: it must cost nothing.</summary>
    public static X509ChainPolicy NoPolicy() => new()
    {
        RevocationMode = X509RevocationMode.NoCheck,
        DisableCertificateDownloads = true,
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        VerificationFlags = X509VerificationFlags.AllFlags,
    };

    private static RevocationLists? Revoked(string file) => file.Length > 0 ? RevocationLists.Load(file) : null;
}
