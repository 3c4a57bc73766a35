namespace PgRouter.Core.Transport;

/// <summary>
/// A moment after which a waiting handler is woken and told so. Starting and stopping are cheap: the timer of an earlier start is left to
/// fire, and finds then what is due when. Loop thread only; dispose to disarm.
/// </summary>
internal sealed class Deadline : IDisposable
{
    private const long Never = long.MaxValue;

    private readonly Signal _signal;
    private readonly LoopTimer _timer;
    private long _dueMs = Never;

    public Deadline(Signal signal)
    {
        _signal = signal;
        _timer = new LoopTimer(static state => ((Deadline)state!).OnPassed(), this);
    }

    /// <summary>Has it passed since it was last started?</summary>
    public bool HasPassed { get; private set; }

    /// <summary>Starts or restarts; zero or less means never.</summary>
    public void Start(TimeSpan after)
    {
        Stop();
        if (after <= TimeSpan.Zero)
            return;
        _dueMs = _signal.Loop.NowMs + (long)Math.Ceiling(after.TotalMilliseconds);
        if (!_timer.IsArmed || _timer.DueMs > _dueMs)
            _signal.Loop.Timers.Arm(_timer, _dueMs);
    }

    public void Stop()
    {
        HasPassed = false;
        _dueMs = Never;
    }

    public void Dispose()
    {
        Stop();
        _signal.Loop.Timers.Disarm(_timer);
    }

    private void OnPassed()
    {
        if (_dueMs == Never)
            return;
        if (_dueMs > _signal.Loop.NowMs)
        {
            _signal.Loop.Timers.Arm(_timer, _dueMs);
            return;
        }
        HasPassed = true;
        _dueMs = Never;
        _signal.Set();
    }
}
