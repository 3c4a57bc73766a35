using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using PgRouter.Testing.Protocol;

namespace PgRouter.Testing.Faults;

/// <summary>The faults of one direction. Every property may be changed at any time and acts on open connections.</summary>
public sealed class DirectionFaults
{
    private volatile TaskCompletionSource _gate = Opened();
    private long _delayTicks;
    private volatile bool _splitEveryByte;
    private long _cutAfterBytes = long.MaxValue;

    /// <summary>How long each piece of data is held before it goes on.</summary>
    public TimeSpan Delay
    {
        get => new(Interlocked.Read(ref _delayTicks));
        set => Interlocked.Exchange(ref _delayTicks, value.Ticks);
    }

    /// <summary>Forward every byte in a segment of its own.</summary>
    public bool SplitEveryByte
    {
        get => _splitEveryByte;
        set => _splitEveryByte = value;
    }

    /// <summary>How many more bytes pass in this direction (over all connections) before the connection that exceeds them is reset.</summary>
    public long CutAfterBytes
    {
        get => Interlocked.Read(ref _cutAfterBytes);
        set => Interlocked.Exchange(ref _cutAfterBytes, value);
    }

    /// <summary>Is shown each piece of data before it goes on, on any thread.</summary>
    public Action<ReadOnlyMemory<byte>>? Watch { get; set; }

    /// <summary>Stops forwarding: bytes are taken no further, connections stay open.</summary>
    public void Stall()
    {
        if (_gate.Task.IsCompleted)
            _gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>Ends a stall; what was held goes on.</summary>
    public void Resume() => _gate.TrySetResult();

    internal Task PassGateAsync(CancellationToken cancel) => _gate.Task.WaitAsync(cancel);

    // How many of the bytes may pass; fewer than asked means that the connection is to be cut.
    internal int Admit(int count)
    {
        if (Interlocked.Read(ref _cutAfterBytes) == long.MaxValue)
            return count;
        var left = Interlocked.Add(ref _cutAfterBytes, -count);
        return left >= 0 ? count : (int)Math.Max(0, count + left);
    }

    private static TaskCompletionSource Opened()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        gate.SetResult();
        return gate;
    }
}

/// <summary>A TCP proxy that behaves badly on request. Thread-safe.</summary>
public sealed class FaultProxy : IAsyncDisposable
{
    private readonly Socket _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<Link, Task> _links = new();
    private readonly Task _accepting;
    private volatile Endpoint _target;
    private volatile bool _refuses;

    private FaultProxy(Endpoint target)
    {
        _target = target;
        _listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(128);
        Endpoint = new Endpoint("127.0.0.1", ((IPEndPoint)_listener.LocalEndPoint!).Port);
        _accepting = AcceptAsync();
    }

    /// <summary>Where clients connect.</summary>
    public Endpoint Endpoint { get; }

    /// <summary>Where new connections are led.</summary>
    public Endpoint Target
    {
        get => _target;
        set => _target = value;
    }

    /// <summary>Reset new connections at once, as a dead server does.</summary>
    public bool RefuseConnections
    {
        get => _refuses;
        set => _refuses = value;
    }

    /// <summary>Faults of what clients send.</summary>
    public DirectionFaults ToServer { get; } = new();

    /// <summary>Faults of what the server sends.</summary>
    public DirectionFaults ToClient { get; } = new();

    /// <summary>How many connections are open.</summary>
    public int OpenConnections => _links.Count;

    /// <summary>Starts a proxy on a free port.</summary>
    public static FaultProxy Start(Endpoint target) => new(target);

    /// <summary>Ends all open connections on both sides, with a RST or with a FIN.</summary>
    public void Cut(bool reset = true)
    {
        foreach (var link in _links.Keys)
            link.Cut(reset);
    }

    /// <summary>Stops listening and resets what is open.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        Cut();
        await Task.WhenAll(_links.Values);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var client = await _listener.AcceptAsync(_stop.Token);
                if (_refuses)
                    Link.Close(client, reset: true);
                else
                    Add(client);
            }
            catch (Exception stopped) when (_stop.IsCancellationRequested && stopped is OperationCanceledException or SocketException)
            {
                return;
            }
        }
    }

    private void Add(Socket client)
    {
        var link = new Link(this, client);
        var started = new TaskCompletionSource();
        _links[link] = RunAsync(link, started.Task);
        started.SetResult();
    }

    private async Task RunAsync(Link link, Task registered)
    {
        await registered;
        await link.RunAsync(_stop.Token);
        _links.TryRemove(link, out _);
    }

    private sealed class Link(FaultProxy proxy, Socket client)
    {
        private readonly Socket _server = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

        public async Task RunAsync(CancellationToken cancel)
        {
            client.NoDelay = true;
            try
            {
                await _server.ConnectAsync(proxy.Target.Address, cancel);
                await Task.WhenAll(
                    PumpAsync(client, _server, proxy.ToServer, cancel),
                    PumpAsync(_server, client, proxy.ToClient, cancel));
                Cut(reset: false);
            }
            catch (Exception broken) when (broken is SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // One side is gone: the other side shall see a loss as well, never a half-open connection.
                Cut(reset: true);
            }
        }

        public void Cut(bool reset)
        {
            Close(client, reset);
            Close(_server, reset);
        }

        public static void Close(Socket socket, bool reset)
        {
            try
            {
                if (reset)
                    socket.LingerState = new LingerOption(true, 0);
                else
                    socket.Shutdown(SocketShutdown.Both);
            }
            catch (Exception closed) when (closed is SocketException or ObjectDisposedException)
            {
                System.Diagnostics.Trace.WriteLine($"closed already: {closed.Message}");
            }

            socket.Dispose();
        }

        private static async Task PumpAsync(Socket from, Socket to, DirectionFaults faults, CancellationToken cancel)
        {
            var buffer = new byte[16 * 1024];
            try
            {
                while (await from.ReceiveAsync(buffer, cancel) is > 0 and var count)
                {
                    if (faults.Delay > TimeSpan.Zero)
                        await Task.Delay(faults.Delay, cancel);
                    await faults.PassGateAsync(cancel);
                    var admitted = faults.Admit(count);
                    faults.Watch?.Invoke(buffer.AsMemory(0, admitted));
                    await ForwardAsync(to, buffer.AsMemory(0, admitted), faults.SplitEveryByte, cancel);
                    if (admitted < count)
                        throw new SocketException((int)SocketError.ConnectionReset);
                }

                to.Shutdown(SocketShutdown.Send);
            }
            catch (SocketException)
            {
                // Wakes the pump of the other direction, which would wait for its side for ever.
                Close(from, reset: true);
                Close(to, reset: true);
                throw;
            }
        }

        private static async Task ForwardAsync(Socket to, ReadOnlyMemory<byte> data, bool split, CancellationToken cancel)
        {
            var piece = split ? 1 : Math.Max(1, data.Length);
            for (var at = 0; at < data.Length; at += piece)
                await to.SendAsync(data.Slice(at, Math.Min(piece, data.Length - at)), cancel);
        }
    }
}
