namespace PgRouter.Core.Transport;

/// <summary>
/// A hashed wheel of deadlines. No allocation to arm or disarm, no system timer: the loop asks how long it may sleep. Loop thread only.
/// </summary>
internal sealed class TimerWheel
{
    /// <summary>Milliseconds per step: how late a timer may fire.</summary>
    public const int StepMs = 16;
    private const int Slots = 2048;

    private readonly LoopTimer?[] _slots = new LoopTimer?[Slots];
    private long _doneStep;

    /// <summary>No timer is armed for a step before this one.</summary>
    private long _earliestStep = long.MaxValue;
    private int _count;

    public TimerWheel(long nowMs) => _doneStep = nowMs / StepMs;

    /// <summary>Arms or re-arms a timer for a moment on the loop's clock (milliseconds).</summary>
    public void Arm(LoopTimer timer, long dueMs)
    {
        Disarm(timer);
        var step = Math.Max((dueMs + StepMs - 1) / StepMs, _doneStep + 1);
        timer.DueMs = step * StepMs;
        var slot = (int)(step & (Slots - 1));
        timer.Slot = slot;
        timer.Previous = null;
        timer.Next = _slots[slot];
        if (timer.Next is not null)
            timer.Next.Previous = timer;
        _slots[slot] = timer;
        _count++;
        _earliestStep = Math.Min(_earliestStep, step);
    }

    public void Disarm(LoopTimer timer)
    {
        if (timer.Slot < 0)
            return;
        if (timer.Previous is null)
            _slots[timer.Slot] = timer.Next;
        else
            timer.Previous.Next = timer.Next;
        if (timer.Next is not null)
            timer.Next.Previous = timer.Previous;
        timer.Next = timer.Previous = null;
        timer.Slot = -1;
        _count--;
    }

    /// <summary>Milliseconds until something may be due, -1 when nothing is armed. May be early, never late.</summary>
    public int NextTimeoutMs(long nowMs)
    {
        if (_count == 0)
            return -1;
        if (_earliestStep <= _doneStep)
            _earliestStep = FindEarliest();
        return (int)Math.Clamp((_earliestStep * StepMs) - nowMs, 0, int.MaxValue);
    }

    /// <summary>The first step with a timer in its slot, be it of a later turn of the wheel.</summary>
    private long FindEarliest()
    {
        var step = _doneStep + 1;
        while (_slots[(int)(step & (Slots - 1))] is null)
            step++;
        return step;
    }

    /// <summary>Fires all that is due. A timer is disarmed before it fires and may arm itself again.</summary>
    public void Advance(long nowMs)
    {
        var nowStep = nowMs / StepMs;
        if (_count == 0)
        {
            _doneStep = nowStep;
            return;
        }
        if (nowStep - _doneStep > Slots)
            _doneStep = nowStep - Slots;
        while (_doneStep < nowStep)
        {
            _doneStep++;
            FireSlot((int)(_doneStep & (Slots - 1)), nowMs);
        }
    }

    private void FireSlot(int slot, long nowMs)
    {
        var timer = _slots[slot];
        while (timer is not null)
        {
            if (timer.DueMs <= nowMs)
            {
                Disarm(timer);
                timer.Fire();
                timer = _slots[slot]; // The callback may have changed the list.
            }
            else
            {
                timer = timer.Next;
            }
        }
    }
}
