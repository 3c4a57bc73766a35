using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using PgRouter.Core.Configuration;

namespace PgRouter.Core.Encryption;

/// <summary>What TLS towards a node is made of, read whole from the files. Immutable; any thread.</summary>
internal sealed class ServerTls
{
    private readonly ServerTlsConfig _config;
    private readonly PeerCertificates? _peers;
    private readonly SslStreamCertificateContext? _certificate;
    private readonly CipherSuitesPolicy? _ciphers;

    private ServerTls(ServerTlsConfig config, PeerCertificates? peers, SslStreamCertificateContext? certificate, CipherSuitesPolicy? ciphers)
    {
        (_config, _peers, _certificate, _ciphers) = (config, peers, certificate, ciphers);
    }

    public TlsMode Mode => _config.Mode;

    /// <summary>Reads the files. Authorities are read only where certificates are checked.</summary>
    /// <exception cref="EncryptionException">One of them cannot be used.</exception>
    public static ServerTls Load(ServerTlsConfig config)
    {
        if (config.Mode == TlsMode.Disable)
            return new ServerTls(config, null, null, null);
        SslStreamCertificateContext? own = null;
        if (config.CertificateFile.Length > 0)
        {
            var (certificate, chain) = CertificateFiles.Load(config.CertificateFile, config.KeyFile);
            own = SslStreamCertificateContext.Create(certificate, chain, offline: true);
        }
        return new ServerTls(config, Peers(config), own, TlsChoices.Ciphers(config.Ciphers, "server_tls_ciphers"));
    }

    /// <summary>For one handshake with a server; what is wrong with its certificate goes into the note.</summary>
    public SslClientAuthenticationOptions OptionsFor(string host, TlsNote note) => new()
    {
        TargetHost = host,
        EnabledSslProtocols = TlsChoices.Protocols(_config.Versions),
        CipherSuitesPolicy = _ciphers,
        ApplicationProtocols = [TlsChoices.Alpn],
        ClientCertificateContext = _certificate,
        AllowRenegotiation = false,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        CertificateChainPolicy = _peers?.ChainPolicy() ?? PeerCertificates.NoPolicy(),
        RemoteCertificateValidationCallback = (_, certificate, chain, errors) => (note.Problem = Check(host, (X509Certificate2?)certificate, chain, errors)) is null,
    };

    /// <summary>For a driver that does TLS by itself: null when this certificate is one of the node's, else why not.</summary>
    public string? Check(string host, X509Certificate2? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (_peers is null)
            return null;
        if (_peers.Check(chain, errors) is { } reason)
            return reason;
        // By libpq's rule: the names the certificate lists, and the common name only when it lists none.
        return _config.Mode < TlsMode.VerifyFull || certificate!.MatchesHostname(host)
            ? null
            : $"server certificate for \"{CertificateName.CommonName(certificate)}\" does not match host name \"{host}\"";
    }

    /// <summary>The chain policy, for a driver that does TLS by itself.</summary>
    public X509ChainPolicy ChainPolicy() => _peers?.ChainPolicy() ?? PeerCertificates.NoPolicy();

    /// <summary>The certificate shown to servers; null = none.</summary>
    public X509Certificate2? Certificate => _certificate?.TargetCertificate;

    private static PeerCertificates? Peers(ServerTlsConfig config)
    {
        if (config.Mode < TlsMode.VerifyCa)
            return null;
        return config.AuthorityFile == ServerTlsConfig.SystemAuthorities
            ? PeerCertificates.OfSystem(config.RevocationFile)
            : PeerCertificates.Of(CertificateFiles.LoadAuthorities(config.AuthorityFile, ""), config.RevocationFile);
    }
}
