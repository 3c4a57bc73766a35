using Microsoft.Extensions.Logging;
using PgRouter.Core.Admin;
using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;
using PgRouter.Core.Telemetry;
using Polly;
using Polly.Retry;
using Polly.Timeout;

namespace PgRouter.Core.Health;

/// <summary>What all loops of a monitor share.</summary>
internal sealed record WatchContext(
    ClusterUpdater Updater, Func<RouterConfig> Config, ReplicationPositions Positions, TimeProvider Time, long Start, ILogger Logger)
{
    /// <summary>Monotonic time since the start of the monitor.</summary>
    public TimeSpan Now => Time.GetElapsedTime(Start);
}

/// <summary>
/// The loop of one node: probe, let the policy decide, write, wait. It ends only when it is disposed. All fields but the wake-up belong
/// to the loop; <see cref="Wake"/> and <see cref="Statistics"/> are for any thread.
/// </summary>
internal sealed class NodeWatch : IAsyncDisposable
{
    private readonly int _nodeId;
    private readonly INodeProbe _probe;
    private readonly WatchContext _context;
    private readonly HealthCounters _counters;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _firstAttempt = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _wake = NewSignal();
    private Task _loop = Task.CompletedTask;

    private HealthCheckConfig? _pipelineConfig;
    private ResiliencePipeline<ProbeResult> _pipeline = ResiliencePipeline<ProbeResult>.Empty;
    private NodeHistory _history;
    private TimeSpan _lastStart;
    private int _attempts;

    public NodeWatch(int nodeId, INodeProbe probe, WatchContext context)
    {
        _nodeId = nodeId;
        _probe = probe;
        _context = context;
        _counters = new HealthCounters(nodeId);
    }

    /// <summary>Completes when the first attempt, good or bad, is written.</summary>
    public Task FirstAttempt => _firstAttempt.Task;

    public void Start() => _loop = Task.Run(RunAsync);

    /// <summary>Probe now, or as soon as the pace of faults allows. Calls in between are one call.</summary>
    public void Wake() => Volatile.Read(ref _wake).TrySetResult();

    public HealthStatistics Statistics() => _counters.Snapshot();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        await _probe.DisposeAsync();
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await CheckAsync();
                await WaitAsync();
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // A listener of the view threw, or there is a bug here: whatever it is, this node must go on being watched.
                HealthLog.CheckFailed(_context.Logger, _nodeId, e);
                await PauseAsync(HealthPolicy.PaceWithoutPrimary);
            }
        }
    }

    private async Task CheckAsync()
    {
        _lastStart = _context.Now;
        _attempts = 0;
        var result = await PipelineFor(_context.Config().HealthFor(_nodeId))
            .ExecuteAsync(static (watch, limit) => watch.AttemptAsync(limit), this, _stop.Token);
        _counters.Record(result.IsGood, _attempts - 1, _context.Now - _lastStart, _context.Time.GetUtcNow());
    }

    private async ValueTask<ProbeResult> AttemptAsync(CancellationToken limit)
    {
        _attempts++;
        var started = _context.Now;
        var result = await AskAsync(limit);
        _stop.Token.ThrowIfCancellationRequested();
        Write(result, started);
        _firstAttempt.TrySetResult();
        return result;
    }

    private async ValueTask<ProbeResult> AskAsync(CancellationToken limit)
    {
        try
        {
            return await _probe.ProbeAsync(ProbeSettings.For(_context.Config(), _nodeId), limit);
        }
        catch (Exception e)
        {
            return ProbeResult.Failed($"the probe failed: {e.Message}");
        }
    }

    private void Write(ProbeResult result, TimeSpan started)
    {
        if (_context.Updater.View.Find(_nodeId) is not { } node)
            return;
        var now = _context.Now;
        var health = _context.Config().HealthFor(_nodeId);
        _history = _history.After(result.IsGood, started);
        if (result.Facts is { } facts)
            _context.Positions.Record(_nodeId, facts, now);
        else
            _context.Positions.Forget(_nodeId);
        _context.Updater.Update(_nodeId, state => HealthPolicy.Decide(state, _history, result, health, node.Config.Flags, now));
        _context.Updater.UpdateAll(_context.Positions.Figure);
    }

    private async Task WaitAsync()
    {
        var view = _context.Updater.View;
        var status = view.Find(_nodeId)?.State.Status ?? NodeStatus.Detached;
        var config = _context.Config();
        CountSkipped(config.HealthFor(_nodeId).Period);
        var wake = Volatile.Read(ref _wake);
        var pause = HealthPolicy.Pause(config, _nodeId, status, _history, view.PrimaryIndex >= 0, _context.Now);
        await wake.Task.WaitAsync(pause, _context.Time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!wake.Task.IsCompleted)
            return;
        Volatile.Write(ref _wake, NewSignal());
        var rest = HealthPolicy.FaultPace - (_context.Now - _lastStart);
        if (rest > TimeSpan.Zero)
            await PauseAsync(rest);
    }

    private void CountSkipped(TimeSpan period)
    {
        if (period > TimeSpan.Zero)
            _counters.RecordSkipped((long)((_context.Now - _lastStart) / period), _context.Time.GetUtcNow());
    }

    private Task PauseAsync(TimeSpan pause) => Task.Delay(pause, _context.Time, _stop.Token);

    // Retrying is Polly's, whether to retry is the policy's. The limit of an attempt is inside the retry, so each has its own.
    private ResiliencePipeline<ProbeResult> PipelineFor(HealthCheckConfig health)
    {
        if (health == _pipelineConfig)
            return _pipeline;
        var builder = new ResiliencePipelineBuilder<ProbeResult> { TimeProvider = _context.Time };
        if (health.MaxRetries > 0)
            builder.AddRetry(RetryOf(health));
        builder.AddTimeout(new TimeoutStrategyOptions
        {
            TimeoutGenerator = _ => ValueTask.FromResult(HealthPolicy.AttemptLimit(_history, health, _context.Now)),
        });
        _pipeline = builder.Build();
        _pipelineConfig = health;
        return _pipeline;
    }

    private RetryStrategyOptions<ProbeResult> RetryOf(HealthCheckConfig health) => new()
    {
        MaxRetryAttempts = health.MaxRetries,
        Delay = health.RetryDelay,
        BackoffType = DelayBackoffType.Constant,
        ShouldHandle = args => ValueTask.FromResult(
            args.Outcome.Result is { IsGood: false } && !HealthPolicy.IsExhausted(_history, health, _context.Now)),
    };

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
