using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using PgRouter.Testing.Protocol;

namespace PgRouter.Testing.Fakes;

/// <summary>
/// A server on a free port that answers every statement alike and as fast as it can: one row, then what the protocol asks for. It lets
/// everybody in but the user <see cref="RefusedUser"/>. One thread per connection, nothing kept, nothing allocated per statement.
/// </summary>
public sealed class CannedServer : IDisposable
{
    /// <summary>Who is refused: for health checks that are to learn nothing.</summary>
    public const string RefusedUser = "probe";

    private static readonly byte[] Row = Bytes(Backend.DataRow("42"), Backend.CommandComplete("SELECT 1"));
    private static readonly byte[] Description = Bytes(Backend.RowDescription("a"));
    private static readonly byte[] Login = Bytes(
        Backend.AuthenticationOk(), Backend.ParameterStatus("server_version", "15.0"), Backend.ParameterStatus("client_encoding", "UTF8"),
        Backend.ParameterStatus("standard_conforming_strings", "on"), Backend.BackendKeyData(4711, [1, 2, 3, 4]), Backend.ReadyForQuery());

    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly List<Socket> _connections = [];
    private bool _stopped;

    /// <summary>Listens on a free port.</summary>
    public CannedServer()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(128);
        Endpoint = new Endpoint("127.0.0.1", ((IPEndPoint)_listener.LocalEndPoint!).Port);
        Start(Accept);
    }

    /// <summary>Where it listens.</summary>
    public Endpoint Endpoint { get; }

    /// <summary>Ends all connections.</summary>
    public void Dispose()
    {
        lock (_connections)
        {
            _stopped = true;
            _listener.Dispose();
            foreach (var connection in _connections)
                connection.Dispose();
        }
    }

    private static void Start(Action run) => new Thread(() =>
    {
        try
        {
            run();
        }
        catch (Exception ended) when (ended is SocketException or ObjectDisposedException)
        {
            // The test is over, or the client went away: nobody is left to be told.
        }
    })
    { IsBackground = true }.Start();

    private void Accept()
    {
        while (true)
        {
            var connection = _listener.Accept();
            lock (_connections)
            {
                if (_stopped)
                    connection.Dispose();
                _connections.Add(connection);
            }
            Start(() => Serve(connection));
        }
    }

    private static void Serve(Socket connection)
    {
        using (connection)
        {
            connection.NoDelay = true;
            if (!LetIn(connection))
                return;
            var session = new Session();
            while (session.Answer(connection))
            {
            }
        }
    }

    private static bool LetIn(Socket connection)
    {
        var buffer = new byte[1024];
        while (true)
        {
            ReadExactly(connection, buffer.AsSpan(0, 4));
            var packet = buffer.AsSpan(0, BinaryPrimitives.ReadInt32BigEndian(buffer) - 4);
            ReadExactly(connection, packet);
            var code = BinaryPrimitives.ReadInt32BigEndian(packet);
            if (code is Frontend.SslCode or Frontend.GssCode)
            {
                connection.Send("N"u8);
                continue;
            }
            var isRefused = packet.IndexOf("user\0probe\0"u8) >= 0;
            connection.Send(isRefused ? Bytes(Backend.ErrorResponse("28P01", "not for probes", "FATAL")) : Login);
            return !isRefused && code != Frontend.CancelCode;
        }
    }

    private static void ReadExactly(Socket connection, Span<byte> into)
    {
        while (!into.IsEmpty)
        {
            var count = connection.Receive(into);
            if (count == 0)
                throw new SocketException((int)SocketError.ConnectionReset);
            into = into[count..];
        }
    }

    private static byte[] Bytes(params RawMessage[] messages) => [.. messages.SelectMany(message => message.ToBytes())];

    /// <summary>What it does with messages, many in one read as well; one send per read.</summary>
    private sealed class Session
    {
        private readonly byte[] _input = new byte[64 * 1024];
        private readonly byte[] _output = new byte[256 * 1024];
        private int _inputLength;
        private int _outputLength;
        private byte _status = (byte)'I';

        /// <summary>Reads once and answers what came; false at the end.</summary>
        public bool Answer(Socket connection)
        {
            var count = connection.Receive(_input.AsSpan(_inputLength));
            if (count == 0)
                return false;
            _inputLength += count;
            var used = 0;
            while (_inputLength - used >= 5)
            {
                var length = BinaryPrimitives.ReadInt32BigEndian(_input.AsSpan(used + 1)) + 1;
                if (_inputLength - used < length)
                    break;
                if (_input[used] == 'X')
                    return false;
                Reply((char)_input[used], _input.AsSpan(used + 5, length - 5));
                used += length;
            }
            _input.AsSpan(used, _inputLength - used).CopyTo(_input);
            _inputLength -= used;
            connection.Send(_output.AsSpan(0, _outputLength));
            _outputLength = 0;
            return true;
        }

        private void Reply(char type, ReadOnlySpan<byte> body)
        {
            switch (type)
            {
                case 'Q':
                    _status = body.StartsWith("BEGIN"u8) ? (byte)'T' : body.StartsWith("COMMIT"u8) ? (byte)'I' : _status;
                    Write(Description);
                    Write(Row);
                    Ready();
                    break;
                case 'P':
                    Write([(byte)'1', 0, 0, 0, 4]);
                    break;
                case 'B':
                    Write([(byte)'2', 0, 0, 0, 4]);
                    break;
                case 'D':
                    if (body[0] == 'S')
                        Write([(byte)'t', 0, 0, 0, 6, 0, 0]);
                    Write(Description);
                    break;
                case 'E':
                    if (body.StartsWith("pgrouter_begin"u8))
                        _status = (byte)'T';
                    Write(Row);
                    break;
                case 'C':
                    Write([(byte)'3', 0, 0, 0, 4]);
                    break;
                case 'S':
                    Ready();
                    break;
            }
        }

        private void Ready() => Write([(byte)'Z', 0, 0, 0, 5, _status]);

        private void Write(ReadOnlySpan<byte> bytes)
        {
            bytes.CopyTo(_output.AsSpan(_outputLength));
            _outputLength += bytes.Length;
        }
    }
}
