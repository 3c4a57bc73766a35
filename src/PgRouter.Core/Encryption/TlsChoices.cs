using System.Net.Security;
using System.Security.Authentication;
using PgRouter.Core.Configuration;
using PgRouter.Core.Transport;

namespace PgRouter.Core.Encryption;

/// <summary>Versions, cipher suites and ALPN, the same for both sides.</summary>
internal static class TlsChoices
{
    /// <summary>PostgreSQL's name in ALPN.</summary>
    public static readonly SslApplicationProtocol Alpn = new("postgresql");

    public static SslProtocols Protocols(TlsVersions versions) =>
        (versions.Minimum == "TLSv1.3" ? SslProtocols.None : SslProtocols.Tls12) | (versions.Maximum == "TLSv1.2" ? SslProtocols.None : SslProtocols.Tls13);

    /// <summary>Null = the platform's choice.</summary>
    /// <param name="list">In OpenSSL's words; empty = the platform's choice.</param>
    /// <param name="setting">For the mistake.</param>
    public static CipherSuitesPolicy? Ciphers(string list, string setting)
    {
        if (list.Length == 0)
            return null;
        if (OpenSslCiphers.Expand(list) is not { } suites)
            throw new EncryptionException($"{setting}: found \"{list}\", which OpenSSL does not understand or which leaves no cipher suite");
        return new CipherSuitesPolicy(suites);
    }
}
