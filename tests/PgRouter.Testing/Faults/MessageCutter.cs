using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using PgRouter.Testing.Protocol;

namespace PgRouter.Testing.Faults;

/// <summary>Which way messages travel.</summary>
public enum MessageDirection
{
    /// <summary>From the one who connected to the server.</summary>
    ToServer,

    /// <summary>From the server to the one who connected.</summary>
    ToClient,
}

/// <summary>
/// A proxy that forwards whole messages and ends a connection after as many as it is told. It counts the messages of one database's
/// connections only, and only after their login. Thread-safe.
/// </summary>
public sealed class MessageCutter : IAsyncDisposable
{
    private readonly Endpoint _target;
    private readonly string _database;
    private readonly Socket _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<Task, Socket> _links = new();
    private readonly Task _accepting;
    private readonly Lock _lock = new();
    private readonly int[] _counted = new int[2];
    private MessageDirection _direction;
    private int _passing = int.MaxValue;
    private int _open;

    private MessageCutter(Endpoint target, string database)
    {
        (_target, _database) = (target, database);
        _listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(64);
        Endpoint = new Endpoint("127.0.0.1", ((IPEndPoint)_listener.LocalEndPoint!).Port);
        _accepting = AcceptAsync();
    }

    /// <summary>Where clients connect.</summary>
    public Endpoint Endpoint { get; }

    /// <summary>How many connections of the database are open.</summary>
    public int OpenConnections => Volatile.Read(ref _open);

    /// <summary>Starts a proxy on a free port.</summary>
    public static MessageCutter Start(Endpoint target, string database) => new(target, database);

    /// <summary>Counts anew and ends the connection on which the message of that number travelled; zero means: instead of the first one.</summary>
    public void CutAfter(MessageDirection direction, int messages)
    {
        lock (_lock)
        {
            _counted[0] = _counted[1] = 0;
            (_direction, _passing) = (direction, messages);
        }
    }

    /// <summary>Counts on and cuts nothing; returns how many messages went that way since the last <see cref="CutAfter"/>.</summary>
    public int Stop(MessageDirection direction)
    {
        lock (_lock)
        {
            _passing = int.MaxValue;
            return _counted[(int)direction];
        }
    }

    /// <summary>Ends everything.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        await Task.WhenAll(_links.Keys);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptAsync(_stop.Token);
                var link = RunAsync(client);
                _links[link] = client;
                _ = link.ContinueWith(done => _links.TryRemove(done, out _), TaskScheduler.Default);
            }
        }
        catch (Exception stopped) when (_stop.IsCancellationRequested && stopped is OperationCanceledException or SocketException)
        {
            return;
        }
    }

    private async Task RunAsync(Socket client)
    {
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        using (client)
        {
            client.NoDelay = server.NoDelay = true;
            try
            {
                await server.ConnectAsync(_target.Address, _stop.Token);
                await using var fromClient = new NetworkStream(client);
                await using var fromServer = new NetworkStream(server);
                if (await new MessageReader(fromClient).ReadUntypedAsync(_stop.Token) is not { } startup)
                    return;
                await fromServer.WriteAsync(startup.ToBytes(), _stop.Token);
                if (IsOfDatabase(startup))
                    await CountAsync(fromClient, fromServer, ended);
                else
                    await Task.WhenAll(fromClient.CopyToAsync(fromServer, ended.Token), fromServer.CopyToAsync(fromClient, ended.Token));
            }
            catch (Exception broken) when (broken is IOException or SocketException or OperationCanceledException)
            {
                System.Diagnostics.Trace.WriteLine($"one side is gone: {broken.Message}");
            }
        }
    }

    private async Task CountAsync(NetworkStream client, NetworkStream server, CancellationTokenSource ended)
    {
        Interlocked.Increment(ref _open);
        var login = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task[] pumps =
        [
            PumpAsync(client, server, MessageDirection.ToServer, login, ended.Token),
            PumpAsync(server, client, MessageDirection.ToClient, login, ended.Token),
        ];
        await Task.WhenAny(pumps);
        Interlocked.Decrement(ref _open);
        await ended.CancelAsync();
        await Task.WhenAll(pumps);
    }

    private async Task PumpAsync(
        NetworkStream from, NetworkStream to, MessageDirection direction, TaskCompletionSource login, CancellationToken cancel)
    {
        var reader = new MessageReader(from);
        while (await reader.ReadAsync(cancel) is { } message)
        {
            var isLogin = !login.Task.IsCompleted;
            var (forward, cut) = isLogin ? (true, false) : Admit(direction);
            if (isLogin && direction == MessageDirection.ToClient && message.Type == 'Z')
                login.SetResult();
            if (forward)
                await to.WriteAsync(message.ToBytes(), cancel);
            if (cut)
                return;
        }
    }

    private (bool Forward, bool Cut) Admit(MessageDirection direction)
    {
        lock (_lock)
        {
            var isCutHere = direction == _direction;
            if (isCutHere && _passing == 0)
            {
                _passing = int.MaxValue;
                return (false, true);
            }

            _counted[(int)direction]++;
            if (!isCutHere || _counted[(int)direction] != _passing)
                return (true, false);
            _passing = int.MaxValue;
            return (true, true);
        }
    }

    private bool IsOfDatabase(RawMessage startup) =>
        Encoding.UTF8.GetString(startup.Body).Contains($"\0database\0{_database}\0", StringComparison.Ordinal);
}
