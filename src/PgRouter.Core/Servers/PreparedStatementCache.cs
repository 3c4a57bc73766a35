using PgRouter.Sql;

namespace PgRouter.Core.Servers;

/// <summary>
/// All prepared statements of the process by their full definition, so that clients that prepare the same text share one name on each
/// server. Definitions that no client uses any more are kept up to a limit of bytes, oldest out first. Any thread.
/// </summary>
internal sealed class PreparedStatementCache(long unusedBytesLimit = 16 * 1024 * 1024)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<byte[], PreparedStatement> _statements = new(ByteArrayComparer.Instance);
    private readonly Queue<PreparedStatement> _unused = new();
    private long _unusedBytes;
    private long _lastId;

    public int Count
    {
        get
        {
            lock (_lock)
                return _statements.Count;
        }
    }

    /// <summary>The statement with this definition, made when it is new. The caller holds one reference until <see cref="Release"/>.</summary>
    public PreparedStatement Acquire(ReadOnlySpan<byte> definition, StatementInfo info)
    {
        lock (_lock)
        {
            var lookup = _statements.GetAlternateLookup<ReadOnlySpan<byte>>();
            if (!lookup.TryGetValue(definition, out var statement))
            {
                statement = new PreparedStatement(++_lastId, definition.ToArray(), info);
                _statements.Add(statement.Definition, statement);
            }
            statement.References++;
            return statement;
        }
    }

    /// <summary>A statement whose text is too large to be kept: known on one server only, shared with nobody.</summary>
    public PreparedStatement AcquireLarge(StatementInfo info)
    {
        lock (_lock)
            return new PreparedStatement(++_lastId, [], info) { References = 1 };
    }

    public void Release(PreparedStatement statement)
    {
        lock (_lock)
        {
            if (--statement.References > 0 || statement.Definition.Length == 0 || statement.IsQueued)
                return;
            statement.IsQueued = true;
            _unused.Enqueue(statement);
            _unusedBytes += statement.Definition.Length;
            while (_unusedBytes > unusedBytesLimit)
                ForgetOldest();
        }
    }

    private void ForgetOldest()
    {
        var oldest = _unused.Dequeue();
        oldest.IsQueued = false;
        _unusedBytes -= oldest.Definition.Length;
        if (oldest.References == 0) // It may have found a user again since.
            _statements.Remove(oldest.Definition);
    }
}
