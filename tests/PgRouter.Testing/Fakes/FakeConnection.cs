using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;
using PgRouter.Testing.Protocol;

namespace PgRouter.Testing.Fakes;

/// <summary>One connection of a fake server. The script of the connection is the only one that reads and sends.</summary>
public sealed class FakeConnection
{
    private readonly Socket _socket;
    private readonly NetworkStream _stream;
    private readonly FakePostgres _server;
    private readonly MessageReader _reader;
    private readonly ConcurrentQueue<RawMessage> _received = new();

    internal FakeConnection(FakePostgres server, Socket socket, int processId, CancellationToken stopping)
    {
        _server = server;
        _socket = socket;
        _socket.NoDelay = true;
        _stream = new NetworkStream(socket, ownsSocket: true);
        _reader = new MessageReader(_stream);
        ProcessId = processId;
        Stopping = stopping;
    }

    /// <summary>The process id in BackendKeyData; unique per server.</summary>
    public int ProcessId { get; }

    /// <summary>The parameters of the startup message.</summary>
    public IReadOnlyDictionary<string, string> StartupParameters { get; private set; } = new Dictionary<string, string>();

    /// <summary>All messages read after startup. May be read by any thread.</summary>
    public IReadOnlyCollection<RawMessage> Received => _received;

    /// <summary>Signalled when the server stops.</summary>
    public CancellationToken Stopping { get; }

    /// <summary>Send each byte in a segment of its own.</summary>
    public bool SplitEveryByte { get; set; }

    /// <summary>The next message; null when the client ended the connection.</summary>
    public async Task<RawMessage?> ReadAsync()
    {
        var message = await _reader.ReadAsync(Stopping);
        if (message is not null)
            _received.Enqueue(message);
        return message;
    }

    /// <summary>Sends messages in one write.</summary>
    public Task SendAsync(params RawMessage[] messages) => SendBytesAsync([.. messages.SelectMany(message => message.ToBytes())]);

    /// <summary>Sends bytes as they are.</summary>
    public async Task SendBytesAsync(byte[] bytes)
    {
        var piece = SplitEveryByte ? 1 : Math.Max(1, bytes.Length);
        for (var at = 0; at < bytes.Length; at += piece)
            await _stream.WriteAsync(bytes.AsMemory(at, Math.Min(piece, bytes.Length - at)), Stopping);
    }

    /// <summary>Ends the connection.</summary>
    public void Drop(bool reset = false)
    {
        if (reset)
            _socket.LingerState = new LingerOption(true, 0);
        _stream.Dispose();
    }

    internal Task AcceptLoginAsync() => SendAsync(
    [
        Backend.AuthenticationOk(),
        .. _server.Parameters.Select(pair => Backend.ParameterStatus(pair.Key, pair.Value)),
        Backend.BackendKeyData(ProcessId, BitConverter.GetBytes(ProcessId * 7919)),
        Backend.ReadyForQuery(),
    ]);

    /// <summary>Reads up to the startup message, refusing TLS and GSS; false when it was a cancel request or the end instead.</summary>
    internal async Task<bool> ReadStartupAsync()
    {
        while (await _reader.ReadUntypedAsync(Stopping) is { } packet)
        {
            switch (System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(packet.Body))
            {
                case Frontend.SslCode or Frontend.GssCode:
                    await SendBytesAsync([(byte)'N']);
                    break;
                case Frontend.CancelCode:
                    _server.NoteCancel(System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(packet.Body.AsSpan(4)));
                    return false;
                default:
                    StartupParameters = ParametersOf(packet.Body);
                    return true;
            }
        }

        return false;
    }

    private static Dictionary<string, string> ParametersOf(byte[] body)
    {
        var words = Encoding.UTF8.GetString(body.AsSpan(4)).Split('\0');
        var parameters = new Dictionary<string, string>();
        for (var index = 0; index + 1 < words.Length && words[index].Length > 0; index += 2)
            parameters[words[index]] = words[index + 1];
        return parameters;
    }
}
