using System.Collections.Concurrent;
using PgRouter.Core.Configuration;

namespace PgRouter.Core.Pooling;

/// <summary>Logged-in clients by database, by user and by both: for their limits, and to know which pools are in use. Any thread.</summary>
internal sealed class ClientCounts
{
    private readonly ConcurrentDictionary<(string? Database, string? User), int> _counts = new();

    /// <summary>Lets a client in unless a limit is reached, then says which: the database's or the user's.</summary>
    public ScopeKind? TryEnter(string database, string user, SessionLimits limits)
    {
        if (!TryAdd((database, null), limits.MaxDbClientConnections))
            return ScopeKind.Database;
        if (!TryAdd((null, user), limits.MaxUserClientConnections))
        {
            Subtract((database, null));
            return ScopeKind.User;
        }
        TryAdd((database, user), most: 0);
        return null;
    }

    /// <summary>A client that was let in has left.</summary>
    public void Leave(string database, string user)
    {
        Subtract((database, user)); // First: it is never above the others.
        Subtract((database, null));
        Subtract((null, user));
    }

    public int Of(string database, string user) => _counts.GetValueOrDefault((database, user));

    private bool TryAdd((string?, string?) key, int most)
    {
        while (true)
        {
            if (!_counts.TryGetValue(key, out var count))
            {
                if (_counts.TryAdd(key, 1))
                    return true;
            }
            else if (most > 0 && count >= most)
            {
                return false;
            }
            else if (_counts.TryUpdate(key, count + 1, count))
            {
                return true;
            }
        }
    }

    private void Subtract((string?, string?) key)
    {
        while (_counts.TryGetValue(key, out var count))
        {
            if (count == 1 ? _counts.TryRemove(KeyValuePair.Create(key, 1)) : _counts.TryUpdate(key, count - 1, count))
                return;
        }
    }
}
