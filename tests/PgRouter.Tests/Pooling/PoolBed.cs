using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;
using PgRouter.Core.Health;
using PgRouter.Core.Pooling;
using PgRouter.Core.Servers;
using PgRouter.Core.Transport;
using PgRouter.Protocol;
using PgRouter.Tests.Transport;

namespace PgRouter.Tests.Pooling;

/// <summary>Loops, a connector over loopback whose other ends the test holds, and one pool.</summary>
internal sealed class PoolBed : IServerConnector, IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly ConcurrentDictionary<long, Socket> _peers = new();
    private readonly ConcurrentQueue<PoolError> _failures = new();
    private readonly ConcurrentQueue<(int, NodeFault)> _faults = new();
    private volatile TaskCompletionSource? _gate;
    private int _connects;

    public PoolBed(int loops = 1, int size = 2)
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(128);
        Config = new RouterConfig { DefaultPoolSize = size, ServerLoginRetry = TimeSpan.FromMilliseconds(50) };
        Hosts = [.. Enumerable.Range(0, loops).Select(index => new LoopHost(index))];
        Context = new PoolContext(
            () => Config, this, [.. Hosts.Select(host => host.Loop)], (node, fault) => _faults.Enqueue((node, fault)), NullLogger.Instance);
        Directory = new PoolDirectory(Context);
        Pool = Directory.Get(Node, "d", "u");
    }

    public static NodeConfig Node { get; } = new() { Id = 3, Host = "127.0.0.1", Port = 1 };

    public RouterConfig Config { get; set; }

    public IReadOnlyList<LoopHost> Hosts { get; }

    public LoopHost Host => Hosts[0];

    public PoolContext Context { get; }

    public PoolDirectory Directory { get; }

    public ServerPool Pool { get; }

    public int Connects => Volatile.Read(ref _connects);

    public IReadOnlyCollection<(int NodeId, NodeFault Fault)> Faults => _faults;

    /// <summary>From here on connects do not end until <see cref="OpenGate"/>.</summary>
    public void CloseGate() => _gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void OpenGate()
    {
        _gate?.SetResult();
        _gate = null;
    }

    /// <summary>The lines of one database, as the configuration would have them.</summary>
    public void SetDatabase(string name, LimitOverrides lines) => Config = Config with
    {
        Overrides = new LimitOverrideTable(new Dictionary<ScopeOf, LimitOverrides> { [new ScopeOf(ScopeKind.Database, name)] = lines }),
    };

    /// <summary>Makes one of the next connects fail.</summary>
    public void FailNext(string sqlState, bool isUnreachable) =>
        _failures.Enqueue(new PoolError(ErrorMessage.Fatal(sqlState, "by design"), isUnreachable));

    /// <summary>The test's end of a server.</summary>
    public Socket Peer(ServerConnection server) => _peers[server.Id];

    /// <summary>Accepts a connection that the pool's connector did not open: a cancel request.</summary>
    public async Task<Socket> AcceptAsync() => await _listener.AcceptAsync().WaitAsync(LoopHost.Deadline);

    public PoolClient NewClient(int host = 0, ServerPool? pool = null) => new(Hosts[host], pool ?? Pool);

    public async Task<ServerOpened> ConnectAsync(EventLoop loop, NodeConfig node, string database, string user)
    {
        Interlocked.Increment(ref _connects);
        if (_gate is { } gate)
            await gate.Task;
        if (_failures.TryDequeue(out var failure))
            return new ServerOpened(null, failure);
        var signal = new Signal(loop);
        var socket = LoopSocket.BeginConnect(loop, _listener.LocalEndPoint!);
        socket.Owner = signal;
        while (!socket.IsWritable)
            await signal;
        var server = new ServerConnection(socket, node, database, user) { Pid = Connects, CancelKey = [1, 2, 3, 4] };
        lock (_listener)
            _peers[server.Id] = AcceptFrom(socket.LocalEndPoint!);
        return new ServerOpened(server, null);
    }

    public void Dispose()
    {
        foreach (var host in Hosts)
            host.Dispose();
        foreach (var peer in _peers.Values)
            peer.Dispose();
        _listener.Dispose();
    }

    private readonly Dictionary<EndPoint, Socket> _accepted = [];

    /// <summary>Two loops may connect at once: each takes the connection that came from its own port.</summary>
    private Socket AcceptFrom(EndPoint client)
    {
        Socket? peer;
        while (!_accepted.Remove(client, out peer))
        {
            var next = _listener.Accept();
            _accepted[next.RemoteEndPoint!] = next;
        }
        return peer;
    }
}

/// <summary>One who takes servers from a pool, as a session does. Its members may be called by any thread.</summary>
internal sealed class PoolClient
{
    private readonly LoopHost _host;
    private readonly ServerPool _pool;
    private readonly PoolWaiter _waiter;

    public PoolClient(LoopHost host, ServerPool pool)
    {
        _host = host;
        _pool = pool;
        _waiter = new PoolWaiter(new Signal(host.Loop));
    }

    public EventLoop Loop => _host.Loop;

    public Signal Signal => _waiter.Signal;

    /// <summary>Begins to take a server; the task ends with the lease or the error.</summary>
    public async Task<Task<(ServerLease? Lease, PoolError? Error)>> BeginAsync() => await _host.On(AcquireAsync);

    /// <summary>Takes a server, which must succeed.</summary>
    public async Task<ServerLease> TakeAsync()
    {
        var (lease, error) = await (await BeginAsync()).WaitAsync(LoopHost.Deadline);
        return lease ?? throw new InvalidOperationException(error!.Message.ToString());
    }

    public Task ReleaseAsync(ServerLease lease) => _host.On(lease.Release);

    /// <summary>Leaves the queue.</summary>
    public Task CancelAsync() => _host.On(() => _pool.Cancel(_waiter));

    /// <summary>On the loop: a lease, or an error; gives up after so many rounds of the loop when that is asked for.</summary>
    public async Task<(ServerLease? Lease, PoolError? Error)> AcquireAsync(int patience)
    {
        if (_pool.TryTake(Loop) is { } idle)
            return (idle, null);
        _pool.Wait(_waiter);
        while (_waiter.Lease is null && _waiter.Error is null)
        {
            if (patience-- == 0)
            {
                _pool.Cancel(_waiter);
                return default;
            }
            if (patience >= 0)
                WakeSoon();
            await Signal;
        }
        var result = (_waiter.Lease, _waiter.Error);
        _waiter.Reset();
        return result;
    }

    /// <summary>On the loop: sets the signal after everything that is ready now.</summary>
    public void WakeSoon() => Loop.Post(static state => ((Signal)state!).Set(), Signal);

    private Task<(ServerLease? Lease, PoolError? Error)> AcquireAsync() => AcquireAsync(patience: -1);
}
