namespace PgRouter.Core.Transport;

/// <summary>
/// One deadline on a loop's wheel: arms, re-arms and disarms in constant time, fires once. Loop thread only. It may fire up to one
/// wheel step (<see cref="TimerWheel.StepMs"/>) late, never early.
/// </summary>
internal sealed class LoopTimer
{
    private readonly Action<object?> _callback;
    private readonly object? _state;
    internal LoopTimer? Next;
    internal LoopTimer? Previous;
    internal int Slot = -1;
    internal long DueMs;

    public LoopTimer(Action<object?> callback, object? state)
    {
        _callback = callback;
        _state = state;
    }

    /// <summary>Armed and not yet fired.</summary>
    public bool IsArmed => Slot >= 0;

    internal void Fire() => _callback(_state);
}
