using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using PgRouter.Testing.Protocol;

namespace PgRouter.Testing.Fakes;

/// <summary>
/// A scripted PostgreSQL on a free port: each connection plays the next script that was queued, else the default one. Login is by
/// trust. Thread-safe.
/// </summary>
public sealed class FakePostgres : IAsyncDisposable
{
    private readonly Socket _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<FakeScript> _scripts = new();
    private readonly ConcurrentQueue<FakeConnection> _connections = new();
    private readonly ConcurrentQueue<Exception> _failures = new();
    private readonly ConcurrentQueue<int> _cancels = new();
    private readonly ConcurrentBag<Task> _running = [];
    private readonly Task _accepting;
    private volatile FakeScript _default = new FakeScript().AcceptLogin().SwallowUntilEnd();
    private int _lastProcessId = 1000;

    private FakePostgres()
    {
        _listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(128);
        Endpoint = new Endpoint("127.0.0.1", ((IPEndPoint)_listener.LocalEndPoint!).Port);
        _accepting = AcceptAsync();
    }

    /// <summary>Where it listens.</summary>
    public Endpoint Endpoint { get; }

    /// <summary>What it reports at login. Change before the first connection.</summary>
    public IDictionary<string, string> Parameters { get; } = new Dictionary<string, string>
    {
        ["server_version"] = "15.0",
        ["server_encoding"] = "UTF8",
        ["client_encoding"] = "UTF8",
        ["DateStyle"] = "ISO, MDY",
        ["TimeZone"] = "UTC",
        ["integer_datetimes"] = "on",
        ["standard_conforming_strings"] = "on",
    };

    /// <summary>The connections that got as far as a startup message, oldest first.</summary>
    public IReadOnlyCollection<FakeConnection> Connections => _connections;

    /// <summary>Process ids named by the cancel requests that came.</summary>
    public IReadOnlyCollection<int> CancelRequests => _cancels;

    /// <summary>What went otherwise than scripted.</summary>
    public IReadOnlyCollection<Exception> Failures => _failures;

    /// <summary>How many queued scripts no connection has taken yet.</summary>
    public int ScriptsLeft => _scripts.Count;

    /// <summary>Starts a fake server on a free port.</summary>
    public static FakePostgres Start() => new();

    /// <summary>Queues a script for one of the next connections.</summary>
    public FakePostgres OnNextConnection(Action<FakeScript> write)
    {
        _scripts.Enqueue(Written(write));
        return this;
    }

    /// <summary>The script for all connections for which none is queued.</summary>
    public FakePostgres ByDefault(Action<FakeScript> write)
    {
        _default = Written(write);
        return this;
    }

    /// <summary>Throws when a script was left in another way than written.</summary>
    /// <exception cref="TestBedException">Names every deviation.</exception>
    public void AssertPlayedAsWritten()
    {
        if (!_failures.IsEmpty)
            throw new TestBedException(string.Join('\n', _failures.Select(failure => failure.Message)));
        if (!_scripts.IsEmpty)
            throw new TestBedException($"{_scripts.Count} scripts of the fake server were never played");
    }

    /// <summary>Ends all connections and stops listening.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        await Task.WhenAll(_running);
        _stop.Dispose();
    }

    internal void NoteCancel(int processId) => _cancels.Enqueue(processId);

    private static FakeScript Written(Action<FakeScript> write)
    {
        var script = new FakeScript();
        write(script);
        return script;
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var socket = await _listener.AcceptAsync(_stop.Token);
                _running.Add(ServeAsync(new FakeConnection(this, socket, Interlocked.Increment(ref _lastProcessId), _stop.Token)));
            }
            catch (Exception stopped) when (_stop.IsCancellationRequested && stopped is OperationCanceledException or SocketException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(FakeConnection connection)
    {
        try
        {
            if (await connection.ReadStartupAsync())
            {
                _connections.Enqueue(connection);
                await (_scripts.TryDequeue(out var script) ? script : _default).RunAsync(connection);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The test is over while the script still waited: no deviation.
        }
        catch (Exception failure)
        {
            _failures.Enqueue(failure);
        }
        finally
        {
            connection.Drop();
        }
    }
}
