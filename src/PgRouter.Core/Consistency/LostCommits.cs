using PgRouter.Core.Catalog;

namespace PgRouter.Core.Consistency;

/// <summary>
/// Writes whose outcome nobody has told: their connection was lost while they ran. They may still commit, as long as their server process lives; until
/// it is gone their tables count as written at every moment. Any thread.
/// </summary>
internal sealed class LostCommits
{
    private readonly Lock _lock = new();
    private readonly List<LostCommit> _commits = [];
    private volatile bool _hasAny;

    public bool HasAny => _hasAny;

    /// <summary>Process ids to ask the primary about.</summary>
    public int[] Pids
    {
        get
        {
            lock (_lock)
                return [.. _commits.Select(commit => commit.Pid).Distinct()];
        }
    }

    /// <summary>May one of these tables still be written by such a commit?</summary>
    public bool Has(TableClock clock, TableSet tables)
    {
        if (!_hasAny)
            return false;
        lock (_lock)
            return _commits.Exists(commit => ReferenceEquals(commit.Clock, clock) && commit.Tables.Overlaps(tables));
    }

    public void Add(TableClock clock, TableSet tables, int pid)
    {
        lock (_lock)
        {
            _commits.Add(new LostCommit(clock, tables, pid));
            _hasAny = true;
        }
    }

    /// <summary>Marks the tables of those that were alive when the primary was asked, and forgets those that were not.</summary>
    /// <param name="asked">The process ids that were asked about.</param>
    /// <param name="alive">Of them those that still were there.</param>
    /// <param name="stamp">A moment after the answer.</param>
    /// <returns>Whether any is left.</returns>
    public bool Settle(IReadOnlyCollection<int> asked, IReadOnlyCollection<int> alive, long stamp)
    {
        lock (_lock)
        {
            foreach (var commit in _commits)
                commit.Clock.Mark(commit.Tables, stamp);
            _commits.RemoveAll(commit => asked.Contains(commit.Pid) && !alive.Contains(commit.Pid));
            return _hasAny = _commits.Count > 0;
        }
    }

    /// <summary>Another primary: what the old one still does nobody sees any more, and everything counts as written anyway.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            _commits.Clear();
            _hasAny = false;
        }
    }

    private readonly record struct LostCommit(TableClock Clock, TableSet Tables, int Pid);
}
