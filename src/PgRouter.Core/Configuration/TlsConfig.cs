namespace PgRouter.Core.Configuration;

/// <summary>What is demanded of the encryption of a connection; libpq's words for sslmode, in the order of their strength.</summary>
internal enum TlsMode : byte
{
    /// <summary>Clear text.</summary>
    Disable,

    /// <summary>Towards servers: TLS only where clear text is refused. Towards clients: as the client wants.</summary>
    Allow,

    /// <summary>Towards servers: clear text only where TLS is not to be had. Towards clients: as the client wants.</summary>
    Prefer,

    /// <summary>TLS, whoever the peer is.</summary>
    Require,

    /// <summary>TLS, and the peer's certificate is one of an authority that is trusted.</summary>
    VerifyCa,

    /// <summary>Besides, the certificate is for the server's host name, or for the client's user name.</summary>
    VerifyFull,
}

/// <summary>Versions of TLS, and of the cipher suites; the same for both sides. Immutable.</summary>
internal sealed record TlsVersions
{
    /// <summary>ssl_min_protocol_version: TLSv1.2 or TLSv1.3.</summary>
    public string Minimum { get; init; } = "TLSv1.2";

    /// <summary>ssl_max_protocol_version; empty = the newest.</summary>
    public string Maximum { get; init; } = "";
}

/// <summary>ssl and client_tls_*: encryption towards clients. Immutable.</summary>
internal sealed record ClientTlsConfig
{
    public TlsMode Mode { get; init; }

    /// <summary>ssl_cert: certificate, followed by those of the authorities between.</summary>
    public string CertificateFile { get; init; } = "";

    /// <summary>ssl_key.</summary>
    public string KeyFile { get; init; } = "";

    /// <summary>ssl_passphrase_command: its output unlocks the key; %p in it is a prompt.</summary>
    public string PassphraseCommand { get; init; } = "";

    /// <summary>ssl_ca_cert: authorities whose certificates clients may show; empty = none, and clients are not asked for one.</summary>
    public string AuthorityFile { get; init; } = "";

    /// <summary>ssl_ca_cert_dir: the same, as files of a directory.</summary>
    public string AuthorityDirectory { get; init; } = "";

    /// <summary>ssl_crl_file: certificates that are valid no more.</summary>
    public string RevocationFile { get; init; } = "";

    /// <summary>ssl_ciphers, in OpenSSL's words; empty = the platform's.</summary>
    public string Ciphers { get; init; } = "";

    public TlsVersions Versions { get; init; } = new();

    /// <summary>Clients that show a certificate are checked.</summary>
    public bool AsksForCertificates => AuthorityFile.Length > 0 || AuthorityDirectory.Length > 0;
}

/// <summary>server_tls_*: encryption towards a node. Immutable.</summary>
internal sealed record ServerTlsConfig
{
    /// <summary>The word for the authorities of the operating system, as in libpq's sslrootcert.</summary>
    public const string SystemAuthorities = "system";

    /// <summary>server_tls_sslmode.</summary>
    public TlsMode Mode { get; init; } = TlsMode.Prefer;

    /// <summary>server_tls_ca_file; <see cref="SystemAuthorities"/> = those of the operating system.</summary>
    public string AuthorityFile { get; init; } = "";

    /// <summary>server_tls_crl_file.</summary>
    public string RevocationFile { get; init; } = "";

    /// <summary>server_tls_cert_file and server_tls_key_file: what is shown to a server that asks.</summary>
    public string CertificateFile { get; init; } = "";

    public string KeyFile { get; init; } = "";

    /// <summary>server_tls_ciphers.</summary>
    public string Ciphers { get; init; } = "";

    public TlsVersions Versions { get; init; } = new();
}
