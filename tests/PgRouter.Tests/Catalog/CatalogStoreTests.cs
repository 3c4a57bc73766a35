using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;
using PgRouter.Core.Catalog;
using PgRouter.Testing;
using PgRouter.Tests.Health;

namespace PgRouter.Tests.Catalog;

[TestFixture]
public sealed class CatalogStoreTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private ManualTimeProvider _time = null!;
    private FakeLoader _loader = null!;
    private CatalogDirectory _directory = null!;

    [SetUp]
    public void Start()
    {
        _time = new ManualTimeProvider();
        _loader = new FakeLoader();
        _directory = new CatalogDirectory(_loader, () => TimeSpan.FromSeconds(60), _time, NullLogger.Instance);
    }

    [TearDown]
    public void Stop() => _directory.Dispose();

    [Test]
    public async Task A_database_is_read_at_first_use_and_then_known()
    {
        var store = _directory.For("d", "u");
        Assert.That(store.State, Is.EqualTo(CatalogState.Unknown));
        Assert.That(store.Current.IsKnown, Is.False);
        (await _loader.Next()).SetResult(new CatalogRows());
        await BecomesAsync(store, CatalogState.Loaded);
        Assert.That(store.Current.IsKnown);
        Assert.That(_directory.For("d", "v"), Is.SameAs(store));
        Assert.That(_loader.Count, Is.EqualTo(1));
    }

    [Test]
    public async Task DDL_makes_it_unknown_at_once_and_it_is_read_again_within_a_second()
    {
        var store = await LoadedAsync();
        var before = store.Current.Generation;
        store.NoteDdl();
        Assert.That(store.State, Is.EqualTo(CatalogState.Stale));
        Assert.That(store.Current.IsKnown, Is.False);
        Assert.That(store.Current.Generation, Is.GreaterThan(before));
        Assert.That(_loader.Count, Is.EqualTo(1), "not twice in one second");
        _time.Advance(Second);
        (await _loader.Next()).SetResult(new CatalogRows());
        await BecomesAsync(store, CatalogState.Loaded);
        Assert.That(store.Current.Generation, Is.GreaterThan(before + 1));
    }

    [Test]
    public async Task What_changed_while_it_was_read_is_read_once_more()
    {
        var store = _directory.For("d", "u");
        var first = await _loader.Next();
        store.NoteDdl();
        first.SetResult(new CatalogRows());
        await Eventually.TrueAsync(
            () =>
            {
                _time.Advance(Second);
                return _loader.Count == 2;
            },
            "a second load");
        Assert.That(store.Current.IsKnown, Is.False);
        (await _loader.Next()).SetResult(new CatalogRows());
        await BecomesAsync(store, CatalogState.Loaded);
    }

    [Test]
    public async Task A_hundred_changes_are_one_load_at_a_time()
    {
        var store = await LoadedAsync();
        _time.Advance(Second);
        for (var i = 0; i < 100; i++)
        {
            store.NoteDdl();
            _time.Advance(TimeSpan.FromMilliseconds(100));
        }

        Assert.That(await _loader.Next(), Is.Not.Null);
        Assert.That(_loader.Count, Is.EqualTo(2));
        Assert.That(store.Current.IsKnown, Is.False);
    }

    [Test]
    public async Task It_is_read_again_by_age_while_it_is_used_and_stays_known_meanwhile()
    {
        var store = await LoadedAsync();
        Assert.That(store.Current.IsKnown);
        _time.Advance(TimeSpan.FromSeconds(61));
        var load = await _loader.Next();
        Assert.That(store.Current.IsKnown);
        load.SetResult(new CatalogRows { Relations = [new RelationRow(1, "public", "s", 'S', 'p')] });
        await Eventually.TrueAsync(() => store.Current.HasSequences, "the new catalog");
    }

    [Test]
    public async Task Nobody_asks_so_it_is_forgotten_by_age_and_read_again_when_somebody_asks()
    {
        var store = await LoadedAsync();
        _time.Advance(TimeSpan.FromSeconds(61));
        Assert.That(store.State, Is.EqualTo(CatalogState.Unknown));
        _time.Advance(TimeSpan.FromSeconds(600));
        Assert.That(_loader.Count, Is.EqualTo(1));
        Assert.That(store.Current.IsKnown, Is.False);
        _time.Advance(Second);
        (await _loader.Next()).SetResult(new CatalogRows());
        await BecomesAsync(store, CatalogState.Loaded);
    }

    [Test]
    public async Task Failures_leave_it_unknown_and_are_repeated_ever_more_seldom()
    {
        var store = _directory.For("d", "u");
        var waits = new List<int>();
        for (var failures = 0; failures < 8; failures++)
        {
            var before = store.Current.Generation;
            (await _loader.Next()).SetException(failures == 0 ? new CatalogException("no account") : new InvalidOperationException("broken"));
            await Eventually.TrueAsync(() => store.Current.Generation > before + 1, "the failure to be noted");
            Assert.That(store.State, Is.EqualTo(CatalogState.Unknown));
            _ = store.Current;
            var seconds = 0;
            for (; !store.IsExpected; seconds++)
                _time.Advance(Second);

            waits.Add(seconds);
        }

        Assert.That(waits, Is.EqualTo(new[] { 2, 4, 8, 16, 32, 60, 60, 60 }));
    }

    [Test]
    public async Task Another_primary_makes_all_of_it_doubtful()
    {
        var store = await LoadedAsync();
        _ = store.Current;
        _loader.Source = 1;
        _time.Advance(Second);
        Assert.That(store.State, Is.EqualTo(CatalogState.Stale));
        (await _loader.Next()).SetResult(new CatalogRows());
        await BecomesAsync(store, CatalogState.Loaded);
    }

    [Test]
    public async Task A_primary_that_was_away_for_a_while_is_no_other()
    {
        var store = await LoadedAsync();
        _loader.Source = null;
        _time.Advance(Second);
        _loader.Source = 0;
        _time.Advance(Second);
        Assert.That((store.State, _loader.Count), Is.EqualTo((CatalogState.Loaded, 1)));
        _loader.Source = null;
        _time.Advance(Second);
        _loader.Source = 1;
        _time.Advance(Second);
        Assert.That(store.State, Is.EqualTo(CatalogState.Stale));
    }

    [Test]
    public async Task A_name_that_is_not_in_it_has_it_read_again_soon_and_what_is_known_counts_until_then()
    {
        var store = await LoadedAsync();
        store.NoteWish();
        Assert.That(_loader.Count, Is.EqualTo(1), "not twice in one second");
        Assert.That(store.Current.IsKnown);
        _time.Advance(Second);
        var load = await _loader.Next();
        Assert.That(store.Current.IsKnown);
        load.SetResult(new CatalogRows { Relations = [new RelationRow(1, "public", "s", 'S', 'p')] });
        await Eventually.TrueAsync(() => store.Current.HasSequences, "the new catalog");
    }

    [Test]
    public async Task A_name_that_is_never_there_has_it_read_ever_more_seldom_until_a_standby_refuses_something()
    {
        var store = await LoadedAsync();
        var waits = new List<int>();
        for (var i = 0; i < 4; i++)
            waits.Add(await SecondsToReloadAsync(store, store.NoteWish));
        Assert.That(waits, Is.EqualTo(new[] { 1, 2, 4, 8 }));
        Assert.That(await SecondsToReloadAsync(store, store.NoteRefusal), Is.EqualTo(1));
    }

    private async Task<int> SecondsToReloadAsync(CatalogStore store, Action ask)
    {
        var before = _loader.Count;
        var generation = store.Current.Generation;
        ask();
        var seconds = 0;
        while (!store.IsLoading)
        {
            _time.Advance(Second);
            seconds++;
        }
        await Eventually.TrueAsync(() => _loader.Count > before, "a load");
        (await _loader.Next()).SetResult(new CatalogRows());
        await Eventually.TrueAsync(() => store.Current.Generation > generation && !store.IsLoading, "the catalog");
        return seconds;
    }

    private async Task<CatalogStore> LoadedAsync()
    {
        var store = _directory.For("d", "u");
        (await _loader.Next()).SetResult(new CatalogRows());
        await BecomesAsync(store, CatalogState.Loaded);
        return store;
    }

    private static Task BecomesAsync(CatalogStore store, CatalogState state) => Eventually.TrueAsync(() => store.State == state, $"state {state}");

    private sealed class FakeLoader : ICatalogLoader
    {
        private readonly Queue<TaskCompletionSource<CatalogRows>> _loads = [];

        public int Count { get; private set; }

        public int? Source { get; set; } = 0;

        public Task<CatalogRows> LoadAsync(string database, IReadOnlyList<string> users, CancellationToken stop)
        {
            var load = new TaskCompletionSource<CatalogRows>();
            lock (_loads)
            {
                Count++;
                _loads.Enqueue(load);
            }

            return load.Task;
        }

        public TaskCompletionSource<CatalogRows>? TryNext()
        {
            lock (_loads)
                return _loads.TryDequeue(out var load) ? load : null;
        }

        public async Task<TaskCompletionSource<CatalogRows>> Next()
        {
            TaskCompletionSource<CatalogRows>? load = null;
            await Eventually.TrueAsync(() => (load = TryNext()) is not null, "a load");
            return load!;
        }
    }
}
