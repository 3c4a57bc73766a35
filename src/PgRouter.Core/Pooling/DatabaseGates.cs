using System.Collections.Concurrent;

namespace PgRouter.Core.Pooling;

/// <summary>
/// The gates of all databases, and the rules by which the console changes them, which are PgBouncer's: what is said without a name holds for
/// all databases, those that come later too, and stands beside what is said of one by name. Any thread.
/// </summary>
internal sealed class DatabaseGates
{
    private const string AlreadyStopped = "already suspended/paused";

    private readonly ConcurrentDictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private readonly DatabaseGate _everyone = new("");
    private volatile bool _allPaused;
    private volatile bool _allSuspended;
    private long _outdatedId;

    /// <summary>Everything was paused: PAUSE or KILL without a name.</summary>
    public bool IsPaused => _allPaused;

    public bool IsSuspended => _allSuspended;

    /// <summary>Gates that were asked for or named so far.</summary>
    public IEnumerable<DatabaseGate> All => _entries.Values.Select(e => e.Gate);

    /// <summary>The gate of a database, made when first asked for. Not for names of clients that have not logged in.</summary>
    public DatabaseGate Get(string database) =>
        _entries.TryGetValue(database, out var entry) ? entry.Gate : Add(database).Gate;

    /// <summary>The same for a client that has not logged in: a name nobody knows yet costs no memory.</summary>
    public DatabaseGate Find(string database) => _entries.TryGetValue(database, out var entry) ? entry.Gate : _everyone;

    /// <summary>PAUSE, and the first step of KILL; null as name means all. Returns null, or why not.</summary>
    public string? Pause(string? database)
    {
        lock (_lock)
        {
            if (_allPaused || _allSuspended)
                return AlreadyStopped;
            if (database is null)
                _allPaused = true;
            else
                Locked(database).IsPaused = true;
            Apply();
            return null;
        }
    }

    /// <summary>RESUME: ends what was begun with the same name, or without one.</summary>
    public string? Resume(string? database)
    {
        lock (_lock)
        {
            if (database is null && !_allPaused && !_allSuspended)
                return "pooler is not paused/suspended";
            if (database is not null && !(_entries.TryGetValue(database, out var entry) && entry.IsPaused))
                return $"database \"{database}\" is not paused";
            if (database is null)
                _allPaused = _allSuspended = false;
            else
                Locked(database).IsPaused = false;
            Apply();
            return null;
        }
    }

    /// <summary>Does PAUSE still hold, said with this name, or without one?</summary>
    public bool IsPausedBy(string? database)
    {
        lock (_lock)
            return database is null ? _allPaused : _entries.TryGetValue(database, out var entry) && entry.IsPaused;
    }

    public string? Suspend()
    {
        lock (_lock)
        {
            if (_allPaused || _allSuspended)
                return AlreadyStopped;
            _allSuspended = true;
            Apply();
            return null;
        }
    }

    /// <summary>DISABLE and ENABLE; saying one twice is no mistake.</summary>
    public void Disable(string database, bool isDisabled)
    {
        lock (_lock)
        {
            Locked(database).IsDisabled = isDisabled;
            Apply();
        }
    }

    /// <summary>RECONNECT: servers up to this id are outdated.</summary>
    public void Outdate(string? database, long serverId)
    {
        lock (_lock)
        {
            if (database is not null)
            {
                Locked(database).Gate.Outdate(serverId);
                return;
            }
            _outdatedId = serverId;
            foreach (var gate in All)
                gate.Outdate(serverId);
        }
    }

    private Entry Add(string database)
    {
        lock (_lock)
        {
            var entry = Locked(database);
            Apply(entry);
            return entry;
        }
    }

    private Entry Locked(string database) => _entries.GetOrAdd(
        database,
        static (name, outdatedId) =>
        {
            var entry = new Entry(new DatabaseGate(name));
            entry.Gate.Outdate(outdatedId);
            return entry;
        },
        _outdatedId);

    private void Apply()
    {
        _everyone.Set(_allPaused, _allSuspended, isDisabled: false);
        foreach (var entry in _entries.Values)
            Apply(entry);
    }

    private void Apply(Entry entry) => entry.Gate.Set(_allPaused || entry.IsPaused, _allSuspended, entry.IsDisabled);

    /// <summary>A gate, and what was said of it by name.</summary>
    private sealed class Entry(DatabaseGate gate)
    {
        public DatabaseGate Gate { get; } = gate;

        public bool IsPaused { get; set; }

        public bool IsDisabled { get; set; }
    }
}
