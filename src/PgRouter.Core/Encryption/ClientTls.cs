using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using PgRouter.Core.Configuration;

namespace PgRouter.Core.Encryption;

/// <summary>What TLS towards clients is made of, read whole from the files. Immutable; any thread.</summary>
internal sealed class ClientTls
{
    private readonly SslServerAuthenticationOptions _options;
    private readonly PeerCertificates? _peers;

    private ClientTls(TlsMode mode, SslServerAuthenticationOptions options, PeerCertificates? peers, byte[] binding)
    {
        (Mode, _options, _peers, Binding) = (mode, options, peers, binding);
    }

    public TlsMode Mode { get; }

    /// <summary>What SCRAM-SHA-256-PLUS binds to; empty = it cannot be offered.</summary>
    public byte[] Binding { get; }

    /// <summary>Reads the files.</summary>
    /// <exception cref="EncryptionException">One of them cannot be used.</exception>
    public static ClientTls Load(ClientTlsConfig config)
    {
        var (certificate, chain) = CertificateFiles.Load(config.CertificateFile, config.KeyFile, config.PassphraseCommand);
        var authorities = config.AsksForCertificates ? CertificateFiles.LoadAuthorities(config.AuthorityFile, config.AuthorityDirectory) : null;
        var trust = authorities is null ? null : SslCertificateTrust.CreateForX509Collection(authorities, sendTrustInHandshake: true);
        var options = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = SslStreamCertificateContext.Create(certificate, chain, offline: true, trust),
            EnabledSslProtocols = TlsChoices.Protocols(config.Versions),
            CipherSuitesPolicy = TlsChoices.Ciphers(config.Ciphers, "ssl_ciphers"),
            ApplicationProtocols = [TlsChoices.Alpn],
            ClientCertificateRequired = authorities is not null,
            AllowRenegotiation = false,
            // A session taken up again would come without the client's certificates.
            AllowTlsResume = authorities is null,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        };
        var peers = authorities is null ? null : PeerCertificates.Of(authorities, config.RevocationFile);
        return new ClientTls(config.Mode, options, peers, ChannelBinding.Of(certificate));
    }

    /// <summary>For one handshake; what is wrong with the client's certificate goes into the note.</summary>
    public SslServerAuthenticationOptions OptionsFor(TlsNote note)
    {
        if (_peers is null)
            return _options;
        return new SslServerAuthenticationOptions
        {
            ServerCertificateContext = _options.ServerCertificateContext,
            EnabledSslProtocols = _options.EnabledSslProtocols,
            CipherSuitesPolicy = _options.CipherSuitesPolicy,
            ApplicationProtocols = _options.ApplicationProtocols,
            ClientCertificateRequired = true,
            AllowRenegotiation = false,
            AllowTlsResume = false,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            CertificateChainPolicy = _peers.ChainPolicy(),
            // As in PostgreSQL: none is as good as TLS without one, and pool_hba.conf says whether that is enough; a bad one ends the handshake.
            RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
                certificate is null || (note.Problem = _peers.Check(chain, errors)) is null,
        };
    }
}

/// <summary>What a handshake has to say besides how it ended. Written by it, read after it.</summary>
internal sealed class TlsNote
{
    /// <summary>What is wrong with the peer's certificate; null = nothing.</summary>
    public string? Problem { get; set; }
}
