using PgRouter.Core.Admin;

namespace PgRouter.Core.Health;

/// <summary>Counts the checks of one node. Written by its loop, read by any thread; a lock keeps the figures of one row together.</summary>
internal sealed class HealthCounters(int nodeId)
{
    private readonly Lock _lock = new();
    private HealthStatistics _totals = new() { NodeId = nodeId };
    private TimeSpan _duration;

    /// <summary>A check ended: all its attempts together, <paramref name="retries"/> of them after the first.</summary>
    public void Record(bool good, int retries, TimeSpan duration, DateTimeOffset at)
    {
        lock (_lock)
        {
            _duration += duration;
            var total = _totals.Total + 1;
            var retry = _totals.Retry + retries;
            _totals = _totals with
            {
                Total = total,
                Success = _totals.Success + (good ? 1 : 0),
                Fail = _totals.Fail + (good ? 0 : 1),
                Retry = retry,
                AverageRetry = (double)retry / total,
                MaxRetry = Math.Max(_totals.MaxRetry, retries),
                MinDuration = _totals.Total == 0 || duration < _totals.MinDuration ? duration : _totals.MinDuration,
                MaxDuration = duration > _totals.MaxDuration ? duration : _totals.MaxDuration,
                AverageDuration = _duration / total,
                LastCheck = at,
                LastSuccess = good ? at : _totals.LastSuccess,
                LastFail = good ? _totals.LastFail : at,
            };
        }
    }

    /// <summary><paramref name="count"/> checks did not take place because an earlier one still ran when they were due.</summary>
    public void RecordSkipped(long count, DateTimeOffset at)
    {
        if (count <= 0)
            return;
        lock (_lock)
            _totals = _totals with { Skip = _totals.Skip + count, LastSkip = at };
    }

    public HealthStatistics Snapshot()
    {
        lock (_lock)
            return _totals;
    }
}
