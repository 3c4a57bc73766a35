using PgRouter.Core.Configuration;
using PgRouter.Core.Encryption;
using PgRouter.Core.Transport;
using PgRouter.Protocol;

namespace PgRouter.Core.Sessions;

/// <summary>
/// From the first byte to the start-up packet: TLS by request or at once (sslnegotiation=direct), the refusal of GSS encryption, cancel requests.
/// Source: "SSL Session Encryption" in the description of the protocol.
/// </summary>
internal sealed partial class ClientLogin
{
    /// <summary>The first byte of a TLS handshake, which no length of a start-up packet begins with.</summary>
    private const byte TlsHandshakeRecord = 22;

    /// <summary>What SCRAM-SHA-256-PLUS binds to; empty in clear text.</summary>
    private byte[] _binding = [];

    private bool IsLocal => _address is null;

    /// <summary>TLS for this client; a Unix-domain socket needs none.</summary>
    private ClientTls? Tls => IsLocal ? null : _services.ClientTls.Current;

    /// <summary>Up to the start-up packet. Null = the connection is done.</summary>
    private async Task<StartupPacket?> ReadStartupAsync()
    {
        while (_input.IsEmpty)
        {
            if (!await ReadAsync())
                return null;
        }
        if (_input.Span[0] == TlsHandshakeRecord && Tls is { } direct && !await EncryptAsync(direct, isDirect: true))
            return null;
        while (true)
        {
            switch (StartupPacket.TryRead(_input.Span, out var packet, out var consumed, out var error))
            {
                case StartupReadResult.Invalid:
                    Send(error!);
                    return null;
                case StartupReadResult.NeedMoreData:
                    if (!await ReadAsync())
                        return null;
                    continue;
            }
            _input.Consume(consumed);
            switch (packet!.Kind)
            {
                case StartupPacketKind.Startup:
                    return packet;
                case StartupPacketKind.CancelRequest:
                    // Also in clear text where TLS is demanded: libpq sends no other before version 17.
                    if (_services.Clients.Find(packet.CancelProcessId, packet.CancelSecret.Span) is { } canceled)
                        await canceled.CancelAsync();
                    return null;
                case StartupPacketKind.SslRequest when _client.Tls is not null:
                    Send(ErrorMessage.Fatal(SqlStates.ProtocolViolation, "SSL encryption was asked for twice"));
                    return null;
                case StartupPacketKind.SslRequest when Tls is { } asked:
                    if (!await EncryptAsync(asked, isDirect: false))
                        return null;
                    break;
                default:
                    // Nothing is encrypted, so that what a client sent behind its request is its start-up packet in clear text.
                    if (!_output.Send(_client, [ProtocolConstants.EncryptionRefused]))
                        return null;
                    break;
            }
        }
    }

    private async Task<bool> EncryptAsync(ClientTls tls, bool isDirect)
    {
        byte[] alreadyRead = [];
        if (isDirect)
        {
            alreadyRead = TakeInput();
        }
        else if (!_input.IsEmpty)
        {
            // What was sent in clear text must not be taken for what was said under encryption (CVE-2021-23214).
            LoginLog.HandshakeFailed(_services.Logger, HostName(), "received unencrypted data after SSL request");
            return false;
        }
        else if (!_output.Send(_client, [ProtocolConstants.EncryptionAccepted]))
        {
            return false;
        }
        var note = new TlsNote();
        var (layer, failure, _) = await TlsHandshake.AsServerAsync(_client, tls.OptionsFor(note), alreadyRead, _services.Work, _signal, _deadline);
        if (layer is null)
        {
            LoginLog.HandshakeFailed(_services.Logger, HostName(), note.Problem is { } problem ? $"certificate of the client: {problem}" : failure);
            return false;
        }
        _binding = tls.Binding;
        if (isDirect && layer.ApplicationProtocol != TlsChoices.Alpn)
        {
            Send(ErrorMessage.Fatal(
                SqlStates.ProtocolViolation, "received direct SSL connection request without ALPN protocol negotiation extension"));
            return false;
        }
        return true;
    }

    /// <summary>client_tls_sslmode = require and above; null = the client may go on.</summary>
    private ErrorMessage? RefuseConnection(string user)
    {
        if (Tls is not { Mode: >= TlsMode.Require } tls)
            return null;
        if (_client.Tls is not { } layer)
            return ErrorMessage.Fatal(SqlStates.InvalidAuthorizationSpecification, "SSL encryption is required", hint: "Connect with sslmode=require.");
        if (tls.Mode >= TlsMode.VerifyCa && layer.PeerCertificate is null)
            return ErrorMessage.Fatal(SqlStates.InvalidAuthorizationSpecification, "connection requires a valid client certificate");
        return tls.Mode == TlsMode.VerifyFull && CertificateName.CommonName(layer.PeerCertificate!) != user
            ? ErrorMessage.Fatal(SqlStates.InvalidAuthorizationSpecification, $"certificate authentication failed for user \"{user}\"")
            : null;
    }
}
