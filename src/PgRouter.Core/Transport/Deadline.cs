namespace PgRouter.Core.Transport;

/// <summary>
/// A moment after which a waiting handler is woken and told so. Loop thread only; dispose to disarm.
/// </summary>
internal sealed class Deadline : IDisposable
{
    private readonly Signal _signal;
    private readonly LoopTimer _timer;

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
        HasPassed = false;
        if (after > TimeSpan.Zero)
            _signal.Loop.Timers.Arm(_timer, _signal.Loop.NowMs + (long)Math.Ceiling(after.TotalMilliseconds));
        else
            _signal.Loop.Timers.Disarm(_timer);
    }

    public void Stop()
    {
        HasPassed = false;
        _signal.Loop.Timers.Disarm(_timer);
    }

    public void Dispose() => Stop();

    private void OnPassed()
    {
        HasPassed = true;
        _signal.Set();
    }
}
