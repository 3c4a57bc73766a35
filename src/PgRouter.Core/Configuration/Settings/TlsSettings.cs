using static PgRouter.Core.Configuration.Settings.SettingRows;

namespace PgRouter.Core.Configuration.Settings;

/// <summary>Encryption. Only what can be honoured is let through: a wish for TLS is never answered with clear text.</summary>
internal static class TlsSettings
{
    /// <summary>pgpool's default, which stands for the platform's own choice: it is the stricter one.</summary>
    public const string DefaultCiphers = "HIGH:MEDIUM:+3DES:!aNULL";

    private const string Unsafe = "TLS before 1.2 is not spoken: it is broken; write TLSv1.2";
    private const string Platform = "the platform chooses curves and parameters, and the order of the server counts";

    private static readonly string[] Modes = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

    private static readonly Dictionary<string, string> OldVersions = new() { ["TLSv1"] = Unsafe, ["TLSv1.1"] = Unsafe };

    public static IEnumerable<Setting> Rows { get; } = In(
        SettingGroup.Tls,
        Bool("ssl", false, "TLS for clients that ask for it; towards servers see server_tls_sslmode.") with
        {
            Apply = (draft, value) => draft.Ssl = value.Bool,
            InForce = config => config.ClientTls.Mode == TlsMode.Disable ? "off" : "on",
        },
        Text("ssl_cert", "", "File of the certificate shown to clients, those of the authorities between behind it.")
            .PgBouncer("client_tls_cert_file").To((c, v) => c with { ClientTls = c.ClientTls with { CertificateFile = v.Text } }),
        Text("ssl_key", "", "File of its private key, which nobody else may read.")
            .PgBouncer("client_tls_key_file").To((c, v) => c with { ClientTls = c.ClientTls with { KeyFile = v.Text } }),
        Text("ssl_passphrase_command", "", "Command whose output unlocks the key; %p in it is replaced by a prompt.")
            .To((c, v) => c with { ClientTls = c.ClientTls with { PassphraseCommand = v.Text } }),
        Text("ssl_ca_cert", "", "File of the authorities whose certificates clients may show; without it they are not asked for one.")
            .PgBouncer("client_tls_ca_file").To((c, v) => c with { ClientTls = c.ClientTls with { AuthorityFile = v.Text } }),
        Text("ssl_ca_cert_dir", "", "Directory of such files.").To((c, v) => c with { ClientTls = c.ClientTls with { AuthorityDirectory = v.Text } }),
        Text("ssl_crl_file", "", "File of revoked certificates, with a list of each authority.")
            .To((c, v) => c with { ClientTls = c.ClientTls with { RevocationFile = v.Text } }),
        Text("ssl_ciphers", DefaultCiphers, "Cipher suites of TLS 1.2 in OpenSSL's words; the default stands for the platform's own choice.")
            .PgBouncer("client_tls_ciphers").To((c, v) => c with { ClientTls = c.ClientTls with { Ciphers = Ciphers(v.Text) } }),
        Version("ssl_min_protocol_version", "TLSv1.2", "Oldest version of TLS towards clients.", [])
            .To((c, v) => c with { ClientTls = c.ClientTls with { Versions = c.ClientTls.Versions with { Minimum = v.Text } } }),
        Version("ssl_max_protocol_version", "", "Newest version of TLS towards clients; empty = the newest there is.", [""])
            .To((c, v) => c with { ClientTls = c.ClientTls with { Versions = c.ClientTls.Versions with { Maximum = v.Text } } }),
        Bool("ssl_prefer_server_ciphers", false, "The server's order of ciphers counts.").Accepted(Platform),
        Text("ssl_ecdh_curve", "prime256v1", "Curve for the key exchange.").PgBouncer("client_tls_ecdhcurve").Accepted(Platform),
        Text("ssl_dh_params_file", "", "File of Diffie-Hellman parameters.").PgBouncer("client_tls_dheparams").Accepted(Platform),
        (Word("client_tls_sslmode", "disable", Modes,
            "PgBouncer's word for TLS towards clients, instead of ssl: allow and prefer are ssl = on, require refuses clear text over TCP, "
            + "verify-ca and verify-full besides demand a certificate of each client.") with
        {
            Apply = (draft, value) => draft.ClientTlsMode = Mode(value.Text),
            InForce = config => Modes[(int)config.ClientTls.Mode],
        }).PgBouncer("client_tls_sslmode"),
        Protocols("client_tls_protocols", "PgBouncer's versions of TLS towards clients.",
            (c, versions) => c with { ClientTls = c.ClientTls with { Versions = versions } }),
        Text("client_tls13_ciphers", "", "PgBouncer's ciphers of TLS 1.3 for clients.").PgBouncer("client_tls13_ciphers")
            .Accepted("all cipher suites of TLS 1.3 are offered"),
        OfServer(Word("server_tls_sslmode", "prefer", Modes,
            "TLS towards nodes, in libpq's words; a Unix-domain socket needs none. Only disable, allow and prefer ever use clear text."),
            (tls, v) => tls with { Mode = Mode(v.Text) }),
        OfServer(Text("server_tls_ca_file", "",
            "File of the authorities whose certificates nodes may show; 'system' = those of the operating system; when it is not given, ssl_ca_cert."),
            (tls, v) => tls with { AuthorityFile = v.Text }),
        OfServer(Text("server_tls_crl_file", "", "File of revoked certificates of nodes."), (tls, v) => tls with { RevocationFile = v.Text }),
        OfServer(Text("server_tls_cert_file", "", "File of the certificate shown to nodes that ask for one."),
            (tls, v) => tls with { CertificateFile = v.Text }),
        OfServer(Text("server_tls_key_file", "", "File of its private key."), (tls, v) => tls with { KeyFile = v.Text }),
        OfServer(Text("server_tls_ciphers", "", "Cipher suites of TLS 1.2 towards nodes, in OpenSSL's words."),
            (tls, v) => tls with { Ciphers = Ciphers(v.Text) }),
        Protocols("server_tls_protocols", "PgBouncer's versions of TLS towards nodes.",
            (c, versions) => c with { ServerTls = c.ServerTls with { Versions = versions } }),
        Text("server_tls13_ciphers", "", "PgBouncer's ciphers of TLS 1.3 for servers.").PgBouncer("server_tls13_ciphers")
            .Accepted("all cipher suites of TLS 1.3 are offered"));

    private static TlsMode Mode(string word) => (TlsMode)Array.IndexOf(Modes, word);

    private static string Ciphers(string text) => text is DefaultCiphers or "default" or "secure" ? "" : text;

    private static Setting Version(string name, string initial, string meaning, string[] more) =>
        Word(name, initial, [.. more, "TLSv1.2", "TLSv1.3"], meaning) with { RefusedWords = OldVersions };

    /// <summary>PgBouncer's list: secure and default are 1.2 and 1.3, all and the older ones are no more than that here.</summary>
    private static Setting Protocols(string name, string meaning, Func<RouterConfig, TlsVersions, RouterConfig> apply) =>
        (List(name, "secure", meaning + " secure, default and all are TLSv1.2 and TLSv1.3.") with
        {
            Words = ["SECURE", "DEFAULT", "ALL", "LEGACY", "TLSV1.0", "TLSV1.1", "TLSV1.2", "TLSV1.3"],
        }).PgBouncer(name).To((c, v) => apply(c, VersionsOf(v.Items)));

    private static TlsVersions VersionsOf(IReadOnlyList<string> items)
    {
        var isNew = items.Count > 0 && items.All(item => item == "TLSV1.3");
        var isOld = items.Count > 0 && items.All(item => item is "TLSV1.0" or "TLSV1.1" or "TLSV1.2");
        return new TlsVersions { Minimum = isNew ? "TLSv1.3" : "TLSv1.2", Maximum = isOld ? "TLSv1.2" : "" };
    }

    private static Setting OfServer(Setting row, Func<ServerTlsConfig, SettingValue, ServerTlsConfig> apply) =>
        row.PerNode() with { PgBouncerName = row.Name == "server_tls_crl_file" ? null : row.Name, ApplyToServerTls = apply };
}
