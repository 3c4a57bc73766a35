using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace PgRouter.Testing.Protocol;

/// <summary>Where a server listens: a TCP port or a Unix socket.</summary>
/// <param name="Host">Address, or the path of a Unix socket when it begins with a slash.</param>
/// <param name="Port">TCP port; not used for a Unix socket.</param>
public sealed record Endpoint(string Host, int Port)
{
    /// <summary>Clients ask for TLS before anything else.</summary>
    public bool Tls { get; init; }

    /// <summary>The address as the socket library wants it.</summary>
    public EndPoint Address => Host.StartsWith('/') ? new UnixDomainSocketEndPoint(Host) : new DnsEndPoint(Host, Port, AddressFamily.InterNetwork);

    /// <inheritdoc/>
    public override string ToString() => Host.StartsWith('/') ? Host : $"{Host}:{Port}";
}

/// <summary>
/// A client that sends exactly the messages or bytes it is told to and shows exactly what comes back. Every read has a deadline. One
/// task may send while another reads.
/// </summary>
public sealed class RawClient : IAsyncDisposable
{
    private readonly Socket _socket;
    private Stream _stream;
    private MessageReader _reader;

    private RawClient(Socket socket, Endpoint endpoint)
    {
        _socket = socket;
        _stream = new NetworkStream(socket, ownsSocket: true);
        _reader = new MessageReader(_stream);
        Endpoint = endpoint;
    }

    /// <summary>What it is connected to.</summary>
    public Endpoint Endpoint { get; }

    /// <summary>The longest wait for one message.</summary>
    public TimeSpan ReadDeadline { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Bytes have come that were not read yet.</summary>
    public bool HasReceived => _socket.Available > 0;

    /// <summary>Send every byte in a segment of its own.</summary>
    public bool SplitEveryByte { get; set; }

    /// <summary>The latest value of every parameter the server reported.</summary>
    public Dictionary<string, string> Parameters { get; } = [];

    /// <summary>The process id of BackendKeyData.</summary>
    public int ProcessId { get; private set; }

    /// <summary>The secret of BackendKeyData.</summary>
    public byte[] SecretKey { get; private set; } = [];

    /// <summary>The status of the latest ReadyForQuery; NUL before the first one.</summary>
    public char TransactionStatus { get; private set; }

    /// <summary>Opens the connection and sends nothing.</summary>
    public static async Task<RawClient> ConnectAsync(Endpoint endpoint, TimeSpan? deadline = null)
    {
        var address = endpoint.Address;
        var unix = address.AddressFamily == AddressFamily.Unix;
        var socket = new Socket(address.AddressFamily, SocketType.Stream, unix ? ProtocolType.Unspecified : ProtocolType.Tcp);
        try
        {
            if (!unix)
                socket.NoDelay = true;
            using var limit = new CancellationTokenSource(deadline ?? Eventually.DefaultDeadline);
            await socket.ConnectAsync(address, limit.Token);
            var client = new RawClient(socket, endpoint);
            if (endpoint.Tls && await client.RequestTlsAsync() != 'S')
                throw new TestBedException($"{endpoint} refused TLS");
            return client;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Opens a TCP connection and sends nothing.</summary>
    public static Task<RawClient> ConnectAsync(string host, int port) => ConnectAsync(new Endpoint(host, port));

    /// <summary>Opens a connection and logs in; returns it idle.</summary>
    public static async Task<RawClient> LoginAsync(
        Endpoint endpoint,
        string user = "postgres",
        string database = "postgres",
        string? password = "postgres",
        params (string Name, string Value)[] parameters)
    {
        var client = await ConnectAsync(endpoint);
        try
        {
            await client.StartupAsync(user, database, password, parameters);
            return client;
        }
        catch
        {
            await client.DisposeAsync();
            throw;
        }
    }

    /// <summary>Logs in and returns all messages from AuthenticationOk to the first ReadyForQuery.</summary>
    /// <exception cref="TestBedException">The server refused; carries its error.</exception>
    public async Task<IReadOnlyList<RawMessage>> StartupAsync(
        string user, string database, string? password, params (string Name, string Value)[] parameters)
    {
        var all = new[] { ("user", user), ("database", database) }.Concat(parameters);
        await SendAsync(Frontend.Startup(all.Select(pair => KeyValuePair.Create(pair.Item1, pair.Item2))));
        return await AuthenticateAsync(user, password);
    }

    /// <summary>Answers authentication requests after a startup message that the caller sent itself.</summary>
    public async Task<IReadOnlyList<RawMessage>> AuthenticateAsync(string user, string? password)
    {
        var scram = new ScramClient(password ?? "");
        while (true)
        {
            var message = await ReadAsync();
            if (message.Type != 'R')
                throw new RefusedException($"{Endpoint} refused the login of {user}: {message}", message);
            switch (BinaryPrimitives.ReadInt32BigEndian(message.Body))
            {
                case 0:
                    return [message, .. await ReadThroughStartupAsync(user)];
                case 3:
                    await SendAsync(Frontend.Password(password ?? ""));
                    break;
                case 5:
                    await SendAsync(Frontend.Password(Md5(user, password ?? "", message.Body[4..8])));
                    break;
                case 10:
                    await SendAsync(Frontend.SaslInitial(ScramClient.Mechanism, scram.First()));
                    break;
                case 11:
                    await SendAsync(Frontend.SaslResponse(scram.Final(Encoding.UTF8.GetString(message.Body.AsSpan(4)))));
                    break;
                case 12:
                    scram.Verify(Encoding.UTF8.GetString(message.Body.AsSpan(4)));
                    break;
                default:
                    throw new TestBedException($"This client does not know the authentication request {message}");
            }
        }
    }

    /// <summary>Sends an SSLRequest and, if the server says S, does the TLS handshake (any certificate); returns the server's byte.</summary>
    public async Task<char> RequestTlsAsync(X509Certificate2? certificate = null)
    {
        await SendAsync(Frontend.SslRequest());
        var answer = await ReadByteAsync();
        if (answer == 'S')
            await HandshakeAsync(certificate, "postgresql");
        return answer;
    }

    /// <summary>Does the TLS handshake at once (any certificate of the server's), as sslnegotiation=direct.</summary>
    /// <param name="certificate">What is shown to the server; null = nothing.</param>
    /// <param name="protocol">The name in ALPN; null = none.</param>
    public async Task HandshakeAsync(X509Certificate2? certificate, string? protocol)
    {
        var tls = new SslStream(_stream, leaveInnerStreamOpen: false, (_, _, _, _) => true);
        using var limit = new CancellationTokenSource(ReadDeadline);
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = Endpoint.Host,
                ApplicationProtocols = protocol is null ? null : [new SslApplicationProtocol(protocol)],
                ClientCertificates = certificate is null ? null : [certificate],
            },
            limit.Token);
        _stream = tls;
        _reader = new MessageReader(tls);
    }

    /// <summary>Reads one byte that is no message, as the answer to an SSLRequest.</summary>
    public async Task<char> ReadByteAsync()
    {
        var one = new byte[1];
        using var limit = new CancellationTokenSource(ReadDeadline);
        await _stream.ReadExactlyAsync(one, limit.Token);
        return (char)one[0];
    }

    /// <summary>Sends messages in one write, or byte by byte if <see cref="SplitEveryByte"/> is set.</summary>
    public Task SendAsync(params RawMessage[] messages) => SendBytesAsync([.. messages.SelectMany(message => message.ToBytes())]);

    /// <summary>Sends bytes as they are.</summary>
    public async Task SendBytesAsync(byte[] bytes)
    {
        if (!SplitEveryByte)
        {
            await _stream.WriteAsync(bytes);
            await _stream.FlushAsync();
            return;
        }

        for (var at = 0; at < bytes.Length; at++)
        {
            await _stream.WriteAsync(bytes.AsMemory(at, 1));
            await _stream.FlushAsync();
        }
    }

    /// <summary>The next message.</summary>
    /// <exception cref="EndOfStreamException">The server closed the connection.</exception>
    /// <exception cref="TimeoutException">Nothing came before <see cref="ReadDeadline"/>.</exception>
    public async Task<RawMessage> ReadAsync() =>
        await ReadOrEndAsync() ?? throw new EndOfStreamException($"{Endpoint} closed the connection");

    /// <summary>The next message; null when the server closed or reset the connection between two messages.</summary>
    public async Task<RawMessage?> ReadOrEndAsync()
    {
        using var limit = new CancellationTokenSource(ReadDeadline);
        try
        {
            var message = await _reader.ReadAsync(limit.Token);
            if (message is not null)
                Note(message);
            return message;
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            throw new TimeoutException($"{Endpoint} sent no message for {ReadDeadline.TotalSeconds:0.#} s");
        }
        catch (IOException failure) when (failure.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionReset })
        {
            return null;
        }
    }

    /// <summary>Type and length of the next message, whose body may be larger than one would like to keep.</summary>
    public async Task<(char Type, int Length)> SkipAsync()
    {
        using var limit = new CancellationTokenSource(ReadDeadline);
        return await _reader.SkipAsync(limit.Token);
    }

    /// <summary>Reads up to and including the next message of <paramref name="type"/>.</summary>
    public async Task<IReadOnlyList<RawMessage>> ReadUntilAsync(char type = 'Z')
    {
        var messages = new List<RawMessage>();
        do
        {
            messages.Add(await ReadAsync());
        }
        while (messages[^1].Type != type);
        return messages;
    }

    /// <summary>Reads until the server closes the connection; returns what came before that.</summary>
    public async Task<IReadOnlyList<RawMessage>> ReadToEndAsync()
    {
        var messages = new List<RawMessage>();
        while (await ReadOrEndAsync() is { } message)
            messages.Add(message);
        return messages;
    }

    /// <summary>Sends a Query and returns its answer through ReadyForQuery.</summary>
    public async Task<IReadOnlyList<RawMessage>> QueryAsync(string sql)
    {
        await SendAsync(Frontend.Query(sql));
        return await ReadUntilAsync('Z');
    }

    /// <summary>Sends a Query that must succeed and returns the first column of its first row as text; null when it has none.</summary>
    /// <exception cref="TestBedException">The server answered with an error.</exception>
    public async Task<string?> ScalarAsync(string sql)
    {
        var answer = await QueryAsync(sql);
        if (answer.FirstOrDefault(message => message.Type == 'E') is { } error)
            throw new TestBedException($"{sql}: {error.Field('C')} {error.Field('M')}");
        return answer.FirstOrDefault(message => message.Type == 'D')?.TextColumns()[0];
    }

    /// <summary>Sends a CancelRequest for this session on a connection of its own; returns when the server closed that one.</summary>
    public async Task CancelAsync()
    {
        await using var side = await ConnectAsync(Endpoint);
        await side.SendAsync(Frontend.Cancel(ProcessId, SecretKey));
        await side.ReadToEndAsync();
    }

    /// <summary>Ends the connection with a RST instead of a FIN.</summary>
    public void Reset()
    {
        _socket.LingerState = new LingerOption(true, 0);
        _socket.Close();
    }

    /// <summary>Closes the sending side only: the server sees the end, its answers still come.</summary>
    public void FinishSending() => _socket.Shutdown(SocketShutdown.Send);

    /// <summary>Closes the socket without a Terminate message.</summary>
    public ValueTask DisposeAsync() => _stream.DisposeAsync();

    private async Task<IReadOnlyList<RawMessage>> ReadThroughStartupAsync(string user)
    {
        var messages = new List<RawMessage>();
        while (messages.Count == 0 || messages[^1].Type != 'Z')
        {
            messages.Add(await ReadAsync());
            if (messages[^1].Type == 'E')
                throw new RefusedException($"{Endpoint} refused the login of {user}: {messages[^1]}", messages[^1]);
        }

        return messages;
    }

    private void Note(RawMessage message)
    {
        switch (message.Type)
        {
            case 'S':
                var (name, value) = message.Parameter();
                Parameters[name] = value;
                break;
            case 'K':
                ProcessId = BinaryPrimitives.ReadInt32BigEndian(message.Body);
                SecretKey = message.Body[4..];
                break;
            case 'Z':
                TransactionStatus = (char)message.Body[0];
                break;
        }
    }

    private static string Md5(string user, string password, byte[] salt)
    {
        var inner = Convert.ToHexStringLower(MD5.HashData(Encoding.UTF8.GetBytes(password + user)));
        return "md5" + Convert.ToHexStringLower(MD5.HashData([.. Encoding.ASCII.GetBytes(inner), .. salt]));
    }
}
