namespace PgRouter.Core.Catalog;

/// <summary>
/// Transactions of one database that PREPARE TRANSACTION has ended and nobody has committed yet, and whether they have run DDL: others see that when
/// COMMIT PREPARED comes, perhaps from another session. Any thread.
/// </summary>
internal sealed class PreparedTransactions
{
    /// <summary>Beyond them all are forgotten, and so count as changed.</summary>
    public const int Most = 10_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, bool> _changed = new(StringComparer.Ordinal);

    public void Prepared(string id, bool hasDdl)
    {
        lock (_lock)
        {
            if (_changed.Count >= Most)
                _changed.Clear();
            _changed[id] = hasDdl;
        }
    }

    /// <summary>It is committed or rolled back. May it have run DDL? One that was prepared elsewhere, or before the router began, may.</summary>
    public bool End(string id)
    {
        lock (_lock)
            return !_changed.Remove(id, out var hasDdl) || hasDdl;
    }
}
