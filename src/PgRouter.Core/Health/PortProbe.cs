using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;
using PgRouter.Core.Encryption;

namespace PgRouter.Core.Health;

/// <summary>
/// Sees whether a PostgreSQL server answers, without an account: connect, send a StartupMessage, read the first message. A request for
/// authentication or any refusal but 57P01..57P03 means that it serves clients. Stateless; any thread.
/// </summary>
internal static class PortProbe
{
    private static readonly byte[] SslRequest = [0, 0, 0, 8, 4, 210, 22, 47];
    private static readonly byte[] Terminate = [(byte)'X', 0, 0, 0, 4];

    public static async ValueTask<ProbeResult> AskAsync(
        NodeConfig node, ProbeSettings settings, ServerTlsStore encryption, CancellationToken limit)
    {
        try
        {
            var endPoint = EndPointOf(node);
            using var socket = endPoint is UnixDomainSocketEndPoint
                ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
                : new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(endPoint, limit);
            await using var stream = await EncryptAsync(new NetworkStream(socket), node, encryption, limit);
            return await TalkAsync(stream, settings, limit);
        }
        catch (OperationCanceledException)
        {
            return ProbeResult.Failed("no answer within the time limit");
        }
        catch (Exception e)
        {
            return ProbeResult.Failed(e.Message);
        }
    }

    /// <summary>Only where clear text is forbidden: this is not a login, and shows no more than the name of a user.</summary>
    private static async ValueTask<Stream> EncryptAsync(NetworkStream stream, NodeConfig node, ServerTlsStore encryption, CancellationToken limit)
    {
        if (node.IsLocal || node.Tls.Mode < TlsMode.Require)
            return stream;
        var (tls, problem) = encryption.For(node);
        if (tls is null)
            throw new EncryptionException($"TLS towards {node}: {problem}");
        await stream.WriteAsync(SslRequest, limit);
        var answer = new byte[1];
        await stream.ReadExactlyAsync(answer, limit);
        if (answer[0] != (byte)'S')
            throw new EncryptionException("the server does not support SSL, but SSL was required");
        var encrypted = new SslStream(stream);
        await encrypted.AuthenticateAsClientAsync(tls.OptionsFor(node.Host, new TlsNote()), limit);
        return encrypted;
    }

    private static EndPoint EndPointOf(NodeConfig node) => node.Host.StartsWith('/')
        ? new UnixDomainSocketEndPoint(Path.Combine(node.Host, $".s.PGSQL.{node.Port}"))
        : new DnsEndPoint(node.Host, node.Port);

    private static async ValueTask<ProbeResult> TalkAsync(Stream stream, ProbeSettings settings, CancellationToken limit)
    {
        const int LongestMessage = 8192;
        await stream.WriteAsync(StartupMessage(settings), limit);
        var header = new byte[5];
        await stream.ReadExactlyAsync(header, limit);
        var length = BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(1)) - 4;
        if (header[0] == 'R')
        {
            await stream.WriteAsync(Terminate, limit);
            return ProbeResult.LoginRefused("no user is configured for the health check");
        }
        if (header[0] != 'E' || length is < 0 or > LongestMessage)
            return ProbeResult.Failed("what answers on this port does not speak PostgreSQL's protocol");
        var body = new byte[length];
        await stream.ReadExactlyAsync(body, limit);
        var sqlState = Field(body, 'C');
        return ProbeFailure.AtLogin(sqlState, $"{Field(body, 'M')} ({sqlState})");
    }

    private static byte[] StartupMessage(ProbeSettings settings)
    {
        const int ProtocolVersion3 = 196608;
        var user = settings.User.Length > 0 ? settings.User : "postgres";
        var text = Encoding.UTF8.GetBytes($"user\0{user}\0database\0{settings.Database}\0application_name\0pgrouter health\0\0");
        var message = new byte[8 + text.Length];
        BinaryPrimitives.WriteInt32BigEndian(message, message.Length);
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(4), ProtocolVersion3);
        text.CopyTo(message, 8);
        return message;
    }

    // ErrorResponse: (byte code, NUL-terminated string) repeated, ended by a zero byte.
    private static string Field(byte[] body, char code)
    {
        for (var at = 0; at < body.Length && body[at] != 0;)
        {
            var end = Array.IndexOf(body, (byte)0, at);
            if (end < 0)
                break;
            if (body[at] == code)
                return Encoding.UTF8.GetString(body, at + 1, end - at - 1);
            at = end + 1;
        }
        return "";
    }
}
