using System.Collections.Concurrent;

namespace PgRouter.Core.Users;

/// <summary>
/// Answers about users, kept for a time. Who asks for the same user meanwhile waits for the same answer; the number of questions under way and of
/// answers kept is bounded, so that a flood of invented names costs neither memory nor connections. Failures are not kept. Any thread.
/// </summary>
internal sealed class LookupCache<T>(Func<string, Task<T>> ask, Func<TimeSpan> age, TimeProvider time) : IDisposable
{
    /// <summary>Connections to the database for this at once.</summary>
    private const int MostAtOnce = 4;
    private const int MostKept = 10_000;

    private static readonly TimeSpan DoubtPause = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _slots = new(MostAtOnce);

    public int Count => _entries.Count;

    public Task<T> GetAsync(string user)
    {
        var now = time.GetTimestamp();
        if (_entries.TryGetValue(user, out var known) && !known.IsOver(time, now, age()))
            return known.Answer.Value;
        if (_entries.Count >= MostKept)
            Sweep(now);
        var entry = new Entry(now, new Lazy<Task<T>>(() => Task.Run(() => AskAsync(user))));
        entry = _entries.AddOrUpdate(user, entry, (_, other) => ReferenceEquals(other, known) ? entry : other);
        return entry.Answer.Value;
    }

    /// <summary>The next question is asked anew, when the answer is old enough that somebody may have changed it.</summary>
    public void Doubt(string user)
    {
        if (_entries.TryGetValue(user, out var known) && time.GetElapsedTime(known.Since) >= DoubtPause)
            _entries.TryRemove(KeyValuePair.Create(user, known));
    }

    public void Clear() => _entries.Clear();

    public void Dispose() => _slots.Dispose();

    private async Task<T> AskAsync(string user)
    {
        await _slots.WaitAsync().ConfigureAwait(false);
        try
        {
            return await ask(user).ConfigureAwait(false);
        }
        finally
        {
            _slots.Release();
        }
    }

    private void Sweep(long now)
    {
        foreach (var (user, entry) in _entries)
        {
            if (entry.IsOver(time, now, age()))
                _entries.TryRemove(KeyValuePair.Create(user, entry));
        }
        if (_entries.Count >= MostKept)
            _entries.Clear();
    }

    private sealed record Entry(long Since, Lazy<Task<T>> Answer)
    {
        public bool IsOver(TimeProvider time, long now, TimeSpan age) =>
            (Answer.IsValueCreated && Answer.Value is { IsCompleted: true, IsCompletedSuccessfully: false })
            || (time.GetElapsedTime(Since, now) >= age && (!Answer.IsValueCreated || Answer.Value.IsCompleted));
    }
}
