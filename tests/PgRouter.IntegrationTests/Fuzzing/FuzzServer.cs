using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using PgRouter.Testing.Protocol;

namespace PgRouter.IntegrationTests.Fuzzing;

/// <summary>
/// A server that answers what the protocol asks for, with rows, errors, COPY and transactions by the words of a statement; as
/// <see cref="IsHostile"/> demands it spoils some of its answers, at login too. One thread per connection.
/// </summary>
internal sealed class FuzzServer : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly int _seed;
    private int _connections;
    private long _messages;

    public FuzzServer(int seed)
    {
        _seed = seed;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(512);
        Endpoint = new Endpoint("127.0.0.1", ((IPEndPoint)_listener.LocalEndPoint!).Port);
        Start(Accept);
    }

    public Endpoint Endpoint { get; }

    /// <summary>May change while it runs.</summary>
    public bool IsHostile { get; set; }

    /// <summary>Messages sent so far, by all connections.</summary>
    public long Messages => Interlocked.Read(ref _messages);

    public void Dispose() => _listener.Dispose();

    private static void Start(Action run) => new Thread(() =>
    {
        try
        {
            run();
        }
        catch (Exception ended) when (ended is SocketException or ObjectDisposedException)
        {
            // The run is over, or the router has had enough.
        }
    })
    { IsBackground = true }.Start();

    private void Accept()
    {
        while (true)
        {
            var socket = _listener.Accept();
            var mutator = new Mutator(new Random(_seed + (++_connections * 104_729)));
            Start(() =>
            {
                using (socket)
                {
                    socket.NoDelay = true;
                    // One that owes an answer and says nothing would be waited for, as PostgreSQL is.
                    socket.ReceiveTimeout = IsHostile ? 2000 : 0;
                    new Session(this, socket, mutator).Run();
                }
            });
        }
    }

    private sealed class Session(FuzzServer server, Socket socket, Mutator mutator)
    {
        private readonly List<byte[]> _answers = [];
        private byte[] _input = new byte[64 * 1024];
        private int _length;
        private char _status = 'I';
        private bool _skips;
        private bool _copies;

        /// <summary>How much of what it says is spoilt: most of what is wrong ends the connection, and there must be something to end.</summary>
        private double _spoilt = mutator.Chance(0.05) ? 0.05 : 0;

        public void Run()
        {
            if (!LetIn())
                return;
            _spoilt = mutator.Pick([0.001, 0.005, 0.02]);
            while (Fill())
            {
                var used = 0;
                while (Frame(_input.AsSpan(used, _length - used)) is not 0 and var length)
                {
                    if (length < 0)
                        return;
                    if (!IsInOrder((char)_input[used]))
                        return;
                    Answer((char)_input[used], _input.AsSpan(used + 5, length - 5));
                    used += length;
                }
                _input.AsSpan(used, _length - used).CopyTo(_input);
                _length -= used;
                if (!SendAnswers())
                    return;
            }
        }

        private bool LetIn()
        {
            while (true)
            {
                int length;
                while (_length < 4 || _length < (length = BinaryPrimitives.ReadInt32BigEndian(_input)))
                {
                    if (!Fill())
                        return false;
                }
                var code = BinaryPrimitives.ReadInt32BigEndian(_input.AsSpan(4));
                _input.AsSpan(length, _length - length).CopyTo(_input);
                _length -= length;
                if (code == Frontend.CancelCode)
                    return false;
                if (code is Frontend.SslCode or Frontend.GssCode)
                {
                    socket.Send(server.IsHostile && mutator.Chance(0.05) ? mutator.Bytes(2) : "N"u8);
                    continue;
                }
                Add(Backend.AuthenticationOk(), Backend.ParameterStatus("server_version", "15.0"), Backend.ParameterStatus("client_encoding", "UTF8"));
                Add(Backend.ParameterStatus("standard_conforming_strings", "on"), Backend.BackendKeyData(4711, [1, 2, 3, 4]), Backend.ReadyForQuery());
                return SendAnswers();
            }
        }

        private bool Fill()
        {
            if (_length == _input.Length)
                Array.Resize(ref _input, _input.Length * 2);
            var count = socket.Receive(_input.AsSpan(_length));
            _length += count;
            return count > 0;
        }

        /// <summary>PostgreSQL ends the session for others.</summary>
        private bool IsInOrder(char type) => (_copies ? "dcfHS" : "QPBDECSHFdcf").Contains(type);

        /// <summary>The length of the message at the start; 0 = it is not whole, -1 = it is none.</summary>
        private static int Frame(ReadOnlySpan<byte> bytes)
        {
            if (bytes.Length < 5)
                return 0;
            var length = BinaryPrimitives.ReadInt32BigEndian(bytes[1..]) + 1;
            return length is < 5 or > 1 << 28 ? -1 : length <= bytes.Length ? length : 0;
        }

        private void Answer(char type, ReadOnlySpan<byte> body)
        {
            if ((_skips && type != 'S') || (_copies && type is not ('c' or 'f')))
                return;
            switch (type)
            {
                case 'Q':
                    Run(Encoding.UTF8.GetString(body), isSimple: true);
                    if (!_copies)
                        Ready();
                    break;
                case 'E':
                    Run("", isSimple: false);
                    break;
                case 'P' or 'B' or 'C':
                    Add(new RawMessage(type == 'P' ? '1' : type == 'B' ? '2' : '3', []));
                    if (type == 'P' && body.IndexOf("SELEKT"u8) >= 0)
                        Fail();
                    break;
                case 'D':
                    if (body is [(byte)'S', ..])
                        Add(new RawMessage('t', [0, 0]));
                    Add(Backend.RowDescription("a"));
                    break;
                case 'F':
                    Add(new RawMessage('V', [0xff, 0xff, 0xff, 0xff]));
                    Ready();
                    break;
                case 'c' or 'f' when _copies:
                    _copies = false;
                    Add(Backend.CommandComplete("COPY 0"));
                    Ready();
                    break;
                case 'S':
                    _skips = false;
                    Ready();
                    break;
            }
        }

        private void Run(string sql, bool isSimple)
        {
            _copies = isSimple && sql.Contains("FROM STDIN", StringComparison.OrdinalIgnoreCase);
            if (_copies)
            {
                Add(Backend.CopyIn(1));
                return;
            }
            if (mutator.Chance(0.02))
            {
                Fail();
                _skips = !isSimple;
                return;
            }
            var begins = sql.StartsWith("BEGIN", StringComparison.OrdinalIgnoreCase) || sql.StartsWith("START", StringComparison.OrdinalIgnoreCase);
            if (begins || sql.Contains("COMMIT", StringComparison.OrdinalIgnoreCase) || sql.Contains("ROLLBACK", StringComparison.OrdinalIgnoreCase))
                _status = begins ? 'T' : 'I';
            if (isSimple)
                Add(Backend.RowDescription("a"));
            for (var rows = mutator.Number(3); rows > 0; rows--)
                Add(Backend.DataRow("42"));
            Add(Backend.CommandComplete(begins ? "BEGIN" : "SELECT 1"));
        }

        private void Fail()
        {
            Add(Backend.ErrorResponse("22012", "division by zero"));
            _status = _status == 'I' ? 'I' : 'E';
        }

        private void Ready() => Add(Backend.ReadyForQuery(_status));

        private void Add(params RawMessage[] messages) => _answers.AddRange(messages.Select(message => message.ToBytes()));

        /// <summary>False when the connection is to end.</summary>
        private bool SendAnswers()
        {
            var goesOn = true;
            if (server.IsHostile)
                goesOn = Spoil();
            Interlocked.Add(ref server._messages, _answers.Count);
            foreach (var chunk in _answers.Chunk(64))
                socket.Send([.. chunk.SelectMany(bytes => bytes)]);
            _answers.Clear();
            return goesOn;
        }

        private bool Spoil()
        {
            for (var i = 0; i < _answers.Count; i++)
            {
                if (!mutator.Chance(_spoilt))
                    continue;
                var seed = mutator.Pick(FuzzCorpus.Server);
                switch (mutator.Number(4))
                {
                    case 0:
                        _answers[i] = mutator.Message(_answers[i], seed);
                        break;
                    case 1:
                        _answers.Insert(i++, seed);
                        break;
                    case 2:
                        _answers[i] = seed;
                        break;
                    default:
                        _answers.RemoveAt(i--);
                        break;
                }
            }
            return !mutator.Chance(_spoilt / 10);
        }
    }
}
