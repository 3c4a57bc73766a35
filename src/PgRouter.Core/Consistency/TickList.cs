namespace PgRouter.Core.Consistency;

/// <summary>
/// Moments at which the primary was asked for its position, with the answers: whatever was committed before the moment stands in front of the position.
/// A standby that has replayed up to a position has everything that was committed before its moment. Any thread.
/// </summary>
internal sealed class TickList
{
    private const int Most = 8192;

    private readonly Lock _lock = new();
    private readonly List<Tick> _ticks = [];
    private uint _timeline;
    private int _generation;

    /// <summary>Grows with each <see cref="Clear"/>.</summary>
    public int Generation
    {
        get
        {
            lock (_lock)
                return _generation;
        }
    }

    /// <summary>The last moment; 0 = there is none.</summary>
    public long Newest
    {
        get
        {
            lock (_lock)
                return _ticks.Count == 0 ? 0 : _ticks[^1].Stamp;
        }
    }

    /// <summary>The position of the last one.</summary>
    public WalPosition NewestPosition
    {
        get
        {
            lock (_lock)
                return _ticks.Count == 0 ? default : new WalPosition(_timeline, _ticks[^1].Lsn);
        }
    }

    /// <param name="stamp">A moment before the question was sent.</param>
    /// <param name="position">The answer. On another timeline than before, all that was known counts no more.</param>
    /// <param name="generation">The generation when it was asked; of an earlier one it does not count.</param>
    public void Add(long stamp, WalPosition position, int generation)
    {
        lock (_lock)
        {
            if (generation != _generation)
                return;
            if (position.Timeline != _timeline)
                _ticks.Clear();
            _timeline = position.Timeline;
            // A position stands for all moments up to the last one at which it was the answer.
            if (_ticks.Count > 0 && _ticks[^1].Lsn >= position.Lsn)
                _ticks[^1] = new Tick(stamp, _ticks[^1].Lsn);
            else
                _ticks.Add(new Tick(stamp, position.Lsn));
            if (_ticks.Count > Most)
                ThinOut();
        }
    }

    /// <summary>The last moment before which everything committed is on a standby that has replayed so far; 0 = it cannot be said.</summary>
    public long CleanAt(WalPosition replayed)
    {
        lock (_lock)
        {
            if (replayed.Timeline == 0 || replayed.Timeline != _timeline)
                return 0;
            var (low, high) = (0, _ticks.Count);
            while (low < high)
            {
                var middle = (low + high) / 2;
                if (_ticks[middle].Lsn <= replayed.Lsn)
                    low = middle + 1;
                else
                    high = middle;
            }
            return low == 0 ? 0 : _ticks[low - 1].Stamp;
        }
    }

    /// <summary>The position that covers a moment; null while there is none.</summary>
    public WalPosition? PositionAfter(long stamp)
    {
        lock (_lock)
        {
            var first = _ticks.Count;
            while (first > 0 && _ticks[first - 1].Stamp > stamp)
                first--;
            return first < _ticks.Count ? new WalPosition(_timeline, _ticks[first].Lsn) : null;
        }
    }

    public void Clear()
    {
        lock (_lock)
        {
            _ticks.Clear();
            _timeline = 0;
            _generation++;
        }
    }

    /// <summary>A standby that stands still for hours: every other of the old ones goes, which makes it clean a little later.</summary>
    private void ThinOut()
    {
        var kept = 0;
        for (var i = 1; i < _ticks.Count; i += 2)
            _ticks[kept++] = _ticks[i];
        if (_ticks.Count % 2 == 1)
            _ticks[kept++] = _ticks[^1];
        _ticks.RemoveRange(kept, _ticks.Count - kept);
    }

    private readonly record struct Tick(long Stamp, ulong Lsn);
}
