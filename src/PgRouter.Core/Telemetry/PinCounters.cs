namespace PgRouter.Core.Telemetry;

/// <summary>How often clients of one database have been pinned, by reason; the meter is told, too. One loop writes, others read a moment late.</summary>
internal sealed class PinCounters
{
    private readonly Dictionary<string, long> _byReason = [];

    /// <summary>Loop thread.</summary>
    public IReadOnlyDictionary<string, long> ByReason => _byReason;

    /// <summary>Counts one. Loop thread; once per pin, not per statement.</summary>
    public void Count(string reason)
    {
        _byReason[reason] = _byReason.GetValueOrDefault(reason) + 1;
        RouterMeter.CountPin(reason);
    }
}
