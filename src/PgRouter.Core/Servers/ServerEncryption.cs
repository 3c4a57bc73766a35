using PgRouter.Core.Encryption;
using PgRouter.Core.Transport;
using PgRouter.Protocol;

namespace PgRouter.Core.Servers;

/// <summary>How a connection to a node is encrypted: for its login, and again for each cancel request. Immutable; any thread.</summary>
/// <param name="Tls">What is demanded of the node.</param>
/// <param name="Host">The node's name, as it stands in the configuration.</param>
/// <param name="Work">Where handshakes are computed.</param>
internal sealed record ServerEncryption(ServerTls Tls, string Host, WorkThreads Work)
{
    /// <summary>Asks the server for TLS and does the handshake. The loop of the socket.</summary>
    public async Task<ServerTlsOutcome> AskAsync(LoopSocket socket, Signal signal, Deadline deadline)
    {
        var writer = new MessageWriter();
        StartupPacket.WriteSslRequest(writer);
        if (socket.TrySend(writer.WrittenSpan) < 0)
            return ServerTlsOutcome.Lost("the server closed the connection");
        // One byte and no more: what stands behind it in clear text must fail as TLS (CVE-2021-23222).
        var answer = new byte[1];
        int count;
        while ((count = socket.TryReceive(answer)) == LoopSocket.WouldBlock)
        {
            if (deadline.HasPassed)
                return ServerTlsOutcome.Lost("no answer to the request for TLS in time");
            await signal;
        }
        if (count <= 0)
            return ServerTlsOutcome.Lost("the server closed the connection at the request for TLS");
        if (answer[0] != ProtocolConstants.EncryptionAccepted)
            return new ServerTlsOutcome(null, answer[0] == ProtocolConstants.EncryptionRefused, false, "the server does not support SSL, but SSL was required");
        var note = new TlsNote();
        var (layer, failure, isLost) = await TlsHandshake.AsClientAsync(socket, Tls.OptionsFor(Host, note), Work, signal, deadline);
        return new ServerTlsOutcome(layer, false, isLost, note.Problem is { } problem ? $"certificate verify failed: {problem}" : $"SSL error: {failure}");
    }
}

/// <summary>What became of a request for TLS.</summary>
/// <param name="Layer">The encryption, which the socket has already; null = none.</param>
/// <param name="IsRefused">The server has no TLS; the connection can go on in clear text, if that is allowed.</param>
/// <param name="IsLost">The server went away or fell silent.</param>
/// <param name="Failure">Why there is none.</param>
internal readonly record struct ServerTlsOutcome(TlsLayer? Layer, bool IsRefused, bool IsLost, string Failure)
{
    public static ServerTlsOutcome Lost(string reason) => new(null, false, true, reason);
}
