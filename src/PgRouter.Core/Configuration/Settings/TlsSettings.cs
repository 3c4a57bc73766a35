using static PgRouter.Core.Configuration.Settings.SettingRows;

namespace PgRouter.Core.Configuration.Settings;

/// <summary>Encryption. Only what can be honoured is let through: a wish for TLS is never answered with clear text.</summary>
internal static class TlsSettings
{
    private const string NoTls = "TLS is not available; connections would be in clear text";
    private const string Unused = "ssl is off";

    public static IEnumerable<Setting> Rows { get; } = In(
        SettingGroup.Tls,
        Bool("ssl", false, "TLS for clients and servers.").Restart().Refused(NoTls),
        Text("ssl_key", "", "File of the private key.").Accepted(Unused),
        Text("ssl_cert", "", "File of the certificate.").Accepted(Unused),
        Text("ssl_ca_cert", "", "File of the authorities trusted.").Accepted(Unused),
        Text("ssl_ca_cert_dir", "", "Directory of the authorities trusted.").Accepted(Unused),
        Text("ssl_crl_file", "", "File of revoked certificates.").Accepted(Unused),
        Text("ssl_ciphers", "HIGH:MEDIUM:+3DES:!aNULL", "Ciphers of TLS 1.2 and earlier.").Accepted(Unused),
        Bool("ssl_prefer_server_ciphers", false, "The server's order of ciphers counts.").Accepted(Unused),
        Text("ssl_ecdh_curve", "prime256v1", "Curve for the key exchange.").Accepted(Unused),
        Text("ssl_dh_params_file", "", "File of Diffie-Hellman parameters.").Accepted(Unused),
        Text("ssl_passphrase_command", "", "Command that tells the passphrase of the key.").Accepted(Unused),
        Word("client_tls_sslmode", "disable", ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"],
            "PgBouncer's TLS for clients.")
            .PgBouncer("client_tls_sslmode").Restart().Refused(NoTls),
        Text("client_tls_ca_file", "", "PgBouncer's authorities trusted for clients.").PgBouncer("client_tls_ca_file").Accepted(Unused),
        Text("client_tls_key_file", "", "PgBouncer's private key for clients.").PgBouncer("client_tls_key_file").Accepted(Unused),
        Text("client_tls_cert_file", "", "PgBouncer's certificate for clients.").PgBouncer("client_tls_cert_file").Accepted(Unused),
        Text("client_tls_protocols", "", "PgBouncer's TLS versions for clients.").PgBouncer("client_tls_protocols").Accepted(Unused),
        Text("client_tls_ciphers", "", "PgBouncer's ciphers of TLS 1.2 and earlier for clients.").PgBouncer("client_tls_ciphers")
            .Accepted(Unused),
        Text("client_tls13_ciphers", "", "PgBouncer's ciphers of TLS 1.3 for clients.").PgBouncer("client_tls13_ciphers").Accepted(Unused),
        Text("server_tls_ca_file", "", "PgBouncer's authorities trusted for servers.").PgBouncer("server_tls_ca_file").Accepted(Unused),
        Text("server_tls_key_file", "", "PgBouncer's private key for servers.").PgBouncer("server_tls_key_file").Accepted(Unused),
        Text("server_tls_cert_file", "", "PgBouncer's certificate for servers.").PgBouncer("server_tls_cert_file").Accepted(Unused),
        Text("server_tls_protocols", "", "PgBouncer's TLS versions for servers.").PgBouncer("server_tls_protocols").Accepted(Unused),
        Text("server_tls_ciphers", "", "PgBouncer's ciphers of TLS 1.2 and earlier for servers.").PgBouncer("server_tls_ciphers")
            .Accepted(Unused),
        Text("server_tls13_ciphers", "", "PgBouncer's ciphers of TLS 1.3 for servers.").PgBouncer("server_tls13_ciphers").Accepted(Unused),
        Text("client_tls_dheparams", "", "PgBouncer's Diffie-Hellman parameters.").PgBouncer("client_tls_dheparams").Accepted(Unused),
        Text("client_tls_ecdhcurve", "", "PgBouncer's curve for the key exchange.").PgBouncer("client_tls_ecdhcurve").Accepted(Unused),
        (Word("server_tls_sslmode", "prefer", ["disable", "allow", "prefer"], "PgBouncer's TLS for servers.") with
        {
            RefusedWords = new Dictionary<string, string> { ["require"] = NoTls, ["verify-ca"] = NoTls, ["verify-full"] = NoTls },
        }).PgBouncer("server_tls_sslmode").Accepted("servers are reached in clear text"));
}
