using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using PgRouter.Core.Telemetry;

namespace PgRouter.Core.Catalog;

/// <summary>How much is known of a database.</summary>
internal enum CatalogState : byte
{
    /// <summary>Never read, or not readable.</summary>
    Unknown,

    /// <summary>Read, and no change seen since.</summary>
    Loaded,

    /// <summary>Read, but changed since: counts as unknown until it is read again.</summary>
    Stale,
}

/// <summary>
/// The catalog of one database: the snapshot in force and its renewal. Sessions keep the store and read <see cref="Current"/>; any thread may
/// call any member and none blocks. At most one load runs at a time, at most one begins a second.
/// </summary>
internal sealed class CatalogStore
{
    private const int MaxUsers = 4;
    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestBackOff = TimeSpan.FromSeconds(60);

    private readonly CatalogContext _context;
    private readonly BodyMemory _bodies = new();
    private readonly Lock _lock = new();
    private volatile DatabaseCatalog _current = DatabaseCatalog.Unknown(0);
    private volatile bool _isUsed = true;
    private volatile bool _isWanted;
    private TimeSpan _wishPause = Pace;
    private DatabaseCatalog? _latest;
    private long _latestChanges;
    private ImmutableArray<string> _users = [];
    private CatalogState _state;
    private long _generation;
    private long _changes;
    private long? _started;
    private long _loaded;
    private int _failures;
    private long _loads;
    private bool _isLoading;

    public CatalogStore(string database, CatalogContext context)
    {
        Database = database;
        _context = context;
    }

    public string Database { get; }

    /// <summary>Users that have logged in lately.</summary>
    public IReadOnlyList<string> Users
    {
        get
        {
            lock (_lock)
                return _users;
        }
    }

    /// <summary>Those of this database, from all sessions.</summary>
    public PreparedTransactions PreparedTransactions { get; } = new();

    /// <summary>What is known now; never null. One volatile read.</summary>
    public DatabaseCatalog Current
    {
        get
        {
            if (!_isUsed)
                _isUsed = true;
            return _current;
        }
    }

    /// <summary>How often the database has been read. Any thread.</summary>
    public long Loads => Volatile.Read(ref _loads);

    /// <summary>Changes that were seen until now; see <see cref="ReadAfter"/>.</summary>
    public long Changes
    {
        get
        {
            lock (_lock)
                return _changes;
        }
    }

    /// <summary>It will be read, or read again, soon: it is being read, has changed, or could be read before.</summary>
    public bool IsExpected
    {
        get
        {
            lock (_lock)
                return _isLoading || _state != CatalogState.Unknown || _latest is not null;
        }
    }

    /// <summary>It is being read.</summary>
    public bool IsLoading
    {
        get
        {
            lock (_lock)
                return _isLoading;
        }
    }

    public CatalogState State
    {
        get
        {
            lock (_lock)
                return _state;
        }
    }

    /// <summary>
    /// What was read last, if it was read after so many <see cref="Changes"/>: what a statement met that ran then, whatever has changed since. Null:
    /// not read yet.
    /// </summary>
    public DatabaseCatalog? ReadAfter(long changes)
    {
        lock (_lock)
            return _latestChanges >= changes ? _latest : null;
    }

    /// <summary>A user has logged in to the database: its account may serve to read the catalog.</summary>
    public void NoteUser(string user)
    {
        lock (_lock)
        {
            if (_users.Contains(user))
                return;
            _users = _users.Insert(0, user);
            if (_users.Length > MaxUsers)
                _users = _users.RemoveAt(MaxUsers);
            if (_state == CatalogState.Unknown && _failures > 0)
                _failures = 1; // It may be let in where the others were not.
        }

        Renew();
    }

    /// <summary>
    /// The database has changed, or may have: what is known does not count any more, from now on until it is read again. Cheap enough for
    /// each statement of a migration.
    /// </summary>
    public void NoteDdl()
    {
        lock (_lock)
        {
            _changes++;
            if (_state == CatalogState.Loaded)
            {
                _state = CatalogState.Stale;
                _current = DatabaseCatalog.Unknown(++_generation);
            }
        }

        Renew();
    }

    /// <summary>
    /// A statement named what is not in the catalog, or code was run that may have changed anything: it is read again soon, and what is known counts
    /// until then. When that finds nothing new, the next such wish waits longer.
    /// </summary>
    public void NoteWish()
    {
        if (_isWanted)
            return;
        _isWanted = true;
        Renew();
    }

    /// <summary>
    /// A standby has refused what the catalog had sent to it (SQLSTATE 25006 and its kind): it is read again at once, as the pace allows.
    /// </summary>
    public void NoteRefusal()
    {
        lock (_lock)
            _wishPause = Pace;
        NoteWish();
    }

    /// <summary>Another node is the primary now: what is known may not hold there, and what failed may succeed.</summary>
    public void NoteSource()
    {
        lock (_lock)
            _failures = 0;
        NoteDdl();
    }

    /// <summary>The primary can be reached again: what failed may succeed.</summary>
    public void Retry()
    {
        lock (_lock)
            _failures = 0;
        Renew();
    }

    /// <summary>Begins a load when one is due. Called at each change and once a second.</summary>
    public void Renew()
    {
        lock (_lock)
        {
            if (_isLoading || !IsDue())
                return;
            _isLoading = true;
            _started = _context.Time.GetTimestamp();
        }

        _ = Task.Run(LoadAsync);
    }

    private bool IsDue()
    {
        if (_started is { } started && _context.Time.GetElapsedTime(started) < BackOff())
            return false;
        if (_state != CatalogState.Loaded)
            return _isUsed || _state == CatalogState.Stale;
        if (_isWanted && _context.Time.GetElapsedTime(_loaded) >= _wishPause)
            return true;
        var age = _context.Expire();
        if (age <= TimeSpan.Zero || _context.Time.GetElapsedTime(_loaded) < age)
            return false;
        if (_isUsed)
            return true;
        // Nobody has asked since it was read: forgotten, and read again when somebody asks.
        _state = CatalogState.Unknown;
        _current = DatabaseCatalog.Unknown(++_generation);
        return false;
    }

    private static TimeSpan LongerThan(TimeSpan pause) => pause * 2 < LongestBackOff ? pause * 2 : LongestBackOff;

    private TimeSpan BackOff()
    {
        var seconds = Pace.TotalSeconds * Math.Pow(2, Math.Min(_failures, 6));
        return seconds < LongestBackOff.TotalSeconds ? TimeSpan.FromSeconds(seconds) : LongestBackOff;
    }

    private async Task LoadAsync()
    {
        long changes;
        long generation;
        bool isWanted;
        IReadOnlyList<string> users;
        lock (_lock)
        {
            changes = _changes;
            isWanted = _isWanted;
            generation = ++_generation;
            users = _users;
            _isUsed = _isWanted = false;
        }

        try
        {
            var rows = await _context.Loader.LoadAsync(Database, users, _context.Stop);
            _bodies.Begin();
            Accept(CatalogBuilder.Build(rows, generation, _bodies), changes, isWanted);
        }
        catch (Exception e)
        {
            Fail(e);
        }
    }

    private void Accept(DatabaseCatalog catalog, long changes, bool isWanted)
    {
        lock (_lock)
        {
            _isLoading = false;
            _failures = 0;
            if (isWanted)
                _wishPause = catalog.Signature == _latest?.Signature ? LongerThan(_wishPause) : Pace;
            _latest = catalog;
            _latestChanges = changes;
            // Whatever changed meanwhile is perhaps not in it: the next load tells.
            if (changes != _changes)
            {
                _state = CatalogState.Stale;
                return;
            }

            _loads++;
            _loaded = _context.Time.GetTimestamp();
            _state = CatalogState.Loaded;
            _current = catalog;
        }

        CatalogLog.Loaded(_context.Logger, Database, catalog.Routines.Count(routine => routine.Row.IsOfUser), catalog.AnyTraits.ToString());
    }

    private void Fail(Exception e)
    {
        bool isFirst;
        lock (_lock)
        {
            _isLoading = false;
            isFirst = _failures++ == 0;
            _state = CatalogState.Unknown;
            _current = DatabaseCatalog.Unknown(++_generation);
        }

        if (_context.Stop.IsCancellationRequested || !isFirst)
            return;
        if (e is CatalogException)
            CatalogLog.NotLoaded(_context.Logger, Database, e.Message);
        else
            CatalogLog.LoadFailed(_context.Logger, e, Database);
    }
}
