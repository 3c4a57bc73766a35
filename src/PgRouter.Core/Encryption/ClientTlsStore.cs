using PgRouter.Core.Configuration;

namespace PgRouter.Core.Encryption;

/// <summary>TLS towards clients as it is in force. Any thread reads <see cref="Current"/> without a lock; a reload swaps it whole.</summary>
internal sealed class ClientTlsStore
{
    private volatile ClientTls? _current;

    /// <summary>Null = clients are served in clear text.</summary>
    public ClientTls? Current => _current;

    /// <summary>
    /// Reads the files again. With any mistake what is in force stays and the mistakes are returned: a certificate that is being replaced locks nobody
    /// out, and never turns the encryption off.
    /// </summary>
    public IReadOnlyList<string> Reload(ClientTlsConfig config)
    {
        try
        {
            _current = config.Mode == TlsMode.Disable ? null : ClientTls.Load(config);
            return [];
        }
        catch (EncryptionException e)
        {
            return [e.Message];
        }
    }
}
