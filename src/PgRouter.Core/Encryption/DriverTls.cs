using Npgsql;
using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;

namespace PgRouter.Core.Encryption;

/// <summary>The one place where the driver of the control plane is told how to encrypt a connection to a node.</summary>
internal static class DriverTls
{
    /// <summary>A builder for a connection string, with the encryption that the node's configuration demands.</summary>
    /// <exception cref="EncryptionException">What it demands cannot be had: nothing is sent in clear text instead.</exception>
    public static NpgsqlDataSourceBuilder BuilderFor(NpgsqlConnectionStringBuilder connection, NodeConfig node, ServerTlsStore store)
    {
        connection.SslMode = node.IsLocal ? SslMode.Disable : ModeOf(node.Tls.Mode);
        if (connection.SslMode == SslMode.Disable)
            return new NpgsqlDataSourceBuilder(connection.ConnectionString);
        var (tls, problem) = store.For(node);
        if (tls is null)
            throw new EncryptionException($"TLS towards {node}: {problem}");
        var builder = new NpgsqlDataSourceBuilder(connection.ConnectionString);
        builder.UseSslClientAuthenticationOptionsCallback(options =>
        {
            var own = tls.OptionsFor(node.Host, new TlsNote());
            options.EnabledSslProtocols = own.EnabledSslProtocols;
            options.CipherSuitesPolicy = own.CipherSuitesPolicy;
            options.ClientCertificateContext = own.ClientCertificateContext;
            options.CertificateRevocationCheckMode = own.CertificateRevocationCheckMode;
            options.CertificateChainPolicy = own.CertificateChainPolicy;
            options.RemoteCertificateValidationCallback = own.RemoteCertificateValidationCallback;
        });
        return builder;
    }

    /// <summary>Certificates are checked by our own rule, so the driver is told Require for the two words above it.</summary>
    private static SslMode ModeOf(TlsMode mode) => mode switch
    {
        TlsMode.Disable => SslMode.Disable,
        TlsMode.Allow => SslMode.Allow,
        TlsMode.Prefer => SslMode.Prefer,
        _ => SslMode.Require,
    };
}
