using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace PgRouter.Core.Catalog;

/// <summary>What the stores share.</summary>
/// <param name="Loader">Reads a database.</param>
/// <param name="Expire">relcache_expire: the age at which a catalog is read again; zero = never by age.</param>
/// <param name="Time">The clock.</param>
/// <param name="Logger">For catalogs read and not readable.</param>
/// <param name="Stop">Ends the loads under way.</param>
internal sealed record CatalogContext(ICatalogLoader Loader, Func<TimeSpan> Expire, TimeProvider Time, ILogger Logger, CancellationToken Stop);

/// <summary>The catalogs of all databases that clients use. Any thread may call any member; none blocks.</summary>
internal sealed class CatalogDirectory : IDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, CatalogStore> _stores = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stop = new();
    private readonly CatalogContext _context;
    private readonly ITimer _timer;
    private int? _lastSource;
    private bool _hasSource;

    public CatalogDirectory(ICatalogLoader loader, Func<TimeSpan> expire, TimeProvider time, ILogger logger)
    {
        _context = new CatalogContext(loader, expire, time, logger, _stop.Token);
        _lastSource = loader.Source;
        _hasSource = _lastSource is not null;
        _timer = time.CreateTimer(_ => Upkeep(), null, Tick, Tick);
    }

    /// <summary>
    /// The catalog of a database that a user was let into; read in the background when it is new. The session keeps it.
    /// </summary>
    public CatalogStore For(string database, string user)
    {
        var store = _stores.GetOrAdd(database, static (name, context) => new CatalogStore(name, context), _context);
        store.NoteUser(user);
        return store;
    }

    /// <summary>Some of the users that have been let in, with the databases.</summary>
    public IEnumerable<(string Database, string User)> Logins => _stores.Values.SelectMany(store => store.Users.Select(user => (store.Database, user)));

    /// <summary>Ends the loads under way; the stores answer with what they have.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        _stop.Cancel();
        _stop.Dispose();
    }

    /// <summary>Another primary may lack what the last one had done at the end; the same one, back again, does not.</summary>
    private void Upkeep()
    {
        var source = _context.Loader.Source;
        var isOther = source is not null && _lastSource is not null && source != _lastSource;
        var isBack = source is not null && !_hasSource;
        _hasSource = source is not null;
        _lastSource = source ?? _lastSource;
        foreach (var store in _stores.Values)
        {
            if (isOther)
                store.NoteSource();
            else if (isBack)
                store.Retry();
            else
                store.Renew();
        }
    }
}
