using System.Diagnostics;
using Microsoft.Extensions.Logging;
using PgRouter.Core.Cluster;
using PgRouter.Core.Encryption;
using PgRouter.Core.Telemetry;

namespace PgRouter.Core.Consistency;

/// <summary>What the loops that ask the nodes share.</summary>
/// <param name="Book">What the answers go into.</param>
/// <param name="Cluster">The nodes now.</param>
/// <param name="Accounts">With which to log in to a node, by its id.</param>
/// <param name="ConnectLimit">How long a login may take.</param>
/// <param name="Encryption">How connections to the nodes are encrypted.</param>
/// <param name="Logger">For connections lost and had again.</param>
internal sealed record TickContext(
    ConsistencyBook Book, Func<ClusterView> Cluster, Func<int, IEnumerable<SideAccount>> Accounts, Func<TimeSpan> ConnectLimit,
    ServerTlsStore Encryption, ILogger Logger);

/// <summary>
/// Asks the primary for its position when something was written, and each standby how far it is while it lacks something: at most once a millisecond,
/// however much is written, and not at all when there is nothing to know. A node that cannot be asked counts as one that has nothing.
/// </summary>
internal sealed class TickKeeper : IAsyncDisposable
{
    private static readonly TimeSpan FirstPoll = TimeSpan.FromMilliseconds(5);

    private readonly TickContext _context;
    private readonly CancellationTokenSource _stop = new();
    private readonly PrimaryWatch _primary;
    private readonly Lock _lock = new();
    private readonly Dictionary<int, StandbyWatch> _standbys = [];
    private int _primaryId = -1;
    private Task _loops = Task.CompletedTask;

    public TickKeeper(TickContext context)
    {
        _context = context;
        _primary = new PrimaryWatch(context, WakeStandbys, _stop.Token);
        context.Book.Wake = _primary.Wake;
        context.Book.Ask = Ask;
    }

    /// <summary>The primary is asked now.</summary>
    public bool IsPrimaryAsked => _primary.IsConnected;

    /// <summary>The standby of this id is asked now.</summary>
    public bool IsAsked(int nodeId)
    {
        lock (_lock)
            return _standbys.TryGetValue(nodeId, out var watch) && watch.IsConnected;
    }

    public void Start()
    {
        OnClusterChanged(ClusterView.Empty, _context.Cluster());
        _loops = Task.Run(_primary.RunAsync);
    }

    /// <summary>
    /// Before the first client is let in: until each standby has what was committed before the start, or cannot be asked, so that the first reads need
    /// not run on the primary.
    /// </summary>
    public async Task WaitForFirstAnswersAsync(TimeSpan limit)
    {
        var started = Stopwatch.GetTimestamp();
        while (!IsSettled() && Stopwatch.GetElapsedTime(started) < limit)
            await Task.Delay(FirstPoll, _stop.Token);
    }

    private bool IsSettled()
    {
        lock (_lock)
            return _primary.IsSettled && _standbys.Values.All(standby => standby.IsSettled);
    }

    /// <summary>Another primary begins another epoch; a node that came is asked from now on.</summary>
    public void OnClusterChanged(ClusterView before, ClusterView after)
    {
        lock (_lock)
        {
            var primary = after.Primary?.Id ?? -1;
            if (primary >= 0 && primary != _primaryId)
            {
                _primaryId = primary;
                _context.Book.BeginEpoch();
            }
            foreach (var node in after.Nodes)
            {
                if (node.Index == after.PrimaryIndex || _standbys.ContainsKey(node.Id))
                    continue;
                var watch = new StandbyWatch(node.Id, _context, _stop.Token);
                _standbys.Add(node.Id, watch);
                watch.Start();
            }
        }
        WakeStandbys();
    }

    private void Ask(int nodeId)
    {
        lock (_lock)
        {
            if (_standbys.TryGetValue(nodeId, out var watch))
                watch.AskNow();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loops;
        StandbyWatch[] standbys;
        lock (_lock)
            standbys = [.. _standbys.Values];
        foreach (var standby in standbys)
            await standby.Ended;
        _stop.Dispose();
    }

    private void WakeStandbys()
    {
        lock (_lock)
        {
            foreach (var standby in _standbys.Values)
                standby.Wake();
        }
    }
}

/// <summary>A loop that has a side connection to one node, and waits when there is nothing to ask.</summary>
internal abstract class NodeWatchLoop(TickContext context, CancellationToken stop)
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _wake = new(0, 1);
    private SideConnection? _connection;
    private (int Id, string Host, int Port) _of;
    private TimeSpan _retry = FirstRetry;
    private volatile bool _isLost;

    protected TickContext Context => context;

    protected ConsistencyBook Book => context.Book;

    protected CancellationToken Stopping => stop;

    public bool IsConnected => Volatile.Read(ref _connection) is not null;

    /// <summary>It knows what it can know now.</summary>
    public bool IsSettled => Node() is null || _isLost || HasAnswered;

    /// <summary>It has said what counts since the last epoch began.</summary>
    protected abstract bool HasAnswered { get; }

    /// <summary>There may be something to ask.</summary>
    public void Wake()
    {
        try
        {
            _wake.Release();
        }
        catch (SemaphoreFullException)
        {
            // It is awake, or will be.
        }
    }

    public async Task RunAsync()
    {
        try
        {
            while (!stop.IsCancellationRequested)
                await RoundAsync();
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The end.
        }
        finally
        {
            await DropAsync();
        }
    }

    /// <summary>The node to ask now, null when there is none.</summary>
    protected abstract NodeView? Node();

    protected abstract bool AsksPrimary { get; }

    /// <summary>Is there something to ask?</summary>
    protected abstract bool IsNeeded { get; }

    /// <summary>How long to wait at most for something to ask.</summary>
    protected abstract TimeSpan Idle { get; }

    /// <summary>Asks once. False: nothing has changed, and the next question may wait a little longer.</summary>
    protected abstract Task<bool> AskAsync(SideConnection connection, NodeView node);

    /// <summary>The connection is lost: what was known counts no more.</summary>
    protected abstract void Forget();

    private async Task RoundAsync()
    {
        if (!IsNeeded)
        {
            await _wake.WaitAsync(Idle, stop);
            _pause = TimeSpan.Zero;
        }
        if (Node() is not { } node)
        {
            await DropAsync();
            await _wake.WaitAsync(LongestRetry, stop);
            return;
        }
        try
        {
            var connection = await ConnectAsync(node);
            var started = Stopwatch.GetTimestamp();
            var hasMoved = await AskAsync(connection, node);
            _retry = FirstRetry;
            await PauseAsync(started, hasMoved);
        }
        catch (SideException e)
        {
            await LoseAsync(node, e);
        }
    }

    private TimeSpan _pause = Pace;

    /// <summary>A standby that stands still is asked more and more seldom, and at once when it is wanted.</summary>
    private async Task PauseAsync(long started, bool hasMoved)
    {
        _pause = hasMoved || _pause < Pace ? Pace : _pause * 2 < MaxPause ? _pause * 2 : MaxPause;
        var rest = _pause - Stopwatch.GetElapsedTime(started);
        if (rest > TimeSpan.Zero)
            await Task.Delay(rest, stop);
    }

    protected virtual TimeSpan MaxPause => Pace;

    private async Task<SideConnection> ConnectAsync(NodeView node)
    {
        var of = (node.Id, node.Config.Host, node.Config.Port);
        if (_connection is { } known && _of == of)
            return known;
        await DropAsync();
        _of = of;
        var connection = await SideConnection.OpenAsync(node.Config, context, AsksPrimary, stop);
        Volatile.Write(ref _connection, connection);
        if (_isLost)
            ConsistencyLog.Found(context.Logger, node.Id);
        _isLost = false;
        return connection;
    }

    private async Task LoseAsync(NodeView node, SideException e)
    {
        await DropAsync();
        if (!_isLost)
            ConsistencyLog.Lost(context.Logger, node.Id, e.Message);
        _isLost = true;
        await _wake.WaitAsync(_retry, stop);
        _retry = _retry * 2 < LongestRetry ? _retry * 2 : LongestRetry;
    }

    private async Task DropAsync()
    {
        Forget();
        if (_connection is not { } connection)
            return;
        Volatile.Write(ref _connection, null);
        await connection.DisposeAsync();
    }
}

/// <summary>Asks the primary.</summary>
internal sealed class PrimaryWatch(TickContext context, Action onTick, CancellationToken stop) : NodeWatchLoop(context, stop)
{
    private static readonly TimeSpan LostPace = TimeSpan.FromMilliseconds(50);

    private uint _timeline;

    protected override bool AsksPrimary => true;

    protected override bool HasAnswered => Book.Ticks.Newest > Book.Epoch;

    protected override bool IsNeeded => Book.IsWanted;

    protected override TimeSpan Idle => Book.Lost.HasAny ? LostPace : Timeout.InfiniteTimeSpan;

    protected override NodeView? Node() => Context.Cluster().Primary;

    protected override async Task<bool> AskAsync(SideConnection connection, NodeView node)
    {
        if (Book.Lost.HasAny)
        {
            var pids = Book.Lost.Pids;
            Book.Lost.Settle(pids, await connection.AliveAsync(pids, Stopping), ConsistencyBook.Now);
        }
        var generation = Book.Ticks.Generation;
        Book.TakeWish();
        var stamp = ConsistencyBook.Now;
        var position = await connection.AskAsync(Stopping) ?? throw new SideException("it is in recovery");
        if (_timeline != 0 && position.Timeline != _timeline)
        {
            _timeline = position.Timeline;
            Book.BeginEpoch(); // The same node on another timeline: promoted again.
            return true;
        }
        _timeline = position.Timeline;
        // When there has been another primary since the question, its answer says nothing.
        if (Context.Cluster().Primary?.Id == node.Id)
            Book.Ticks.Add(stamp, position, generation);
        onTick();
        Book.NotifyWaiters();
        return true;
    }

    /// <summary>What was wanted is wanted of the next connection.</summary>
    protected override void Forget()
    {
        _timeline = 0;
        Book.Want();
    }
}

/// <summary>Asks one standby.</summary>
internal sealed class StandbyWatch(int nodeId, TickContext context, CancellationToken stop) : NodeWatchLoop(context, stop)
{
    /// <summary>Often enough that servers that were opened lately are known to be of the same life of the node.</summary>
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(1);

    private readonly NodeClock _clock = context.Book.NodeOf(nodeId);
    private volatile bool _isAsked;

    public Task Ended { get; private set; } = Task.CompletedTask;

    public void Start() => Ended = Task.Run(RunAsync);

    public void AskNow()
    {
        _isAsked = true;
        Wake();
    }

    protected override bool AsksPrimary => false;

    protected override bool HasAnswered => _clock.Clean > Book.Epoch;

    protected override bool IsNeeded => _isAsked || _clock.Clean < Book.Ticks.Newest;

    protected override TimeSpan Idle => KeepAlive;

    protected override TimeSpan MaxPause => Book.HasWaiters ? TimeSpan.FromMilliseconds(1) : TimeSpan.FromMilliseconds(32);

    /// <summary>None while it is not configured, is the primary, or cannot be used for reads.</summary>
    protected override NodeView? Node()
    {
        var cluster = Context.Cluster();
        return cluster.Find(nodeId) is { IsUsable: true } node && node.State.Role == NodeRole.Standby ? node : null;
    }

    protected override async Task<bool> AskAsync(SideConnection connection, NodeView node)
    {
        _isAsked = false;
        var asked = ConsistencyBook.Now;
        var position = await connection.AskAsync(Stopping) ?? throw new SideException("it is not in recovery");
        var hasMoved = position != _clock.Replayed;
        var clean = Book.Ticks.CleanAt(position);
        _clock.Note(Math.Max(clean, KeptClean(position)), position, asked);
        Book.NotifyWaiters();
        return hasMoved || clean >= Book.Ticks.Newest;
    }

    /// <summary>What it had it still has: ticks of before may have been forgotten. Of another epoch it does not count.</summary>
    private long KeptClean(WalPosition position) => position.Timeline != 0 && position.Timeline == Book.Ticks.NewestPosition.Timeline ? _clock.Clean : 0;

    protected override void Forget() => _clock.Forget();
}
