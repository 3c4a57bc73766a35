using PgRouter.Sql;

namespace PgRouter.Core.Servers;

/// <summary>
/// All prepared statements of the process by their full definition, so that clients that prepare the same text share one name on each
/// server. Definitions that no client uses any more are kept up to a limit of bytes, oldest out first. Any thread.
/// </summary>
internal sealed class PreparedStatementCache(long unusedBytesLimit = 16 * 1024 * 1024)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Dictionary<byte[], PreparedStatement>> _scopes = [];
    private readonly Queue<PreparedStatement> _unused = new();
    private long _unusedBytes;
    private long _lastId;
    private long _schemaVersion;

    /// <summary>Changes of schema so far. Any thread.</summary>
    public long SchemaVersion => Volatile.Read(ref _schemaVersion);

    public int Count
    {
        get
        {
            lock (_lock)
                return _scopes.Values.Sum(scope => scope.Count);
        }
    }

    /// <summary>The statement with this definition, made when it is new. The caller holds one reference until <see cref="Release"/>.</summary>
    /// <param name="definition">The body of Parse behind the name.</param>
    /// <param name="info">What the text is.</param>
    /// <param name="scope">
    /// What decides which objects the names in the text mean: the search_path. PostgreSQL plans again when it changes, but settles the types of
    /// the parameters once, at Parse: sharing across schemas would compare one tenant's values by another tenant's types.
    /// </param>
    public PreparedStatement Acquire(ReadOnlySpan<byte> definition, StatementInfo info, string scope) =>
        Acquire(definition, info, scope, isSql: false);

    /// <summary>The same for a statement made by PREPARE: the definition is what stands behind its name.</summary>
    public PreparedStatement AcquireSql(ReadOnlySpan<byte> definition, StatementInfo info, string scope) =>
        Acquire(definition, info, scope, isSql: true);

    private PreparedStatement Acquire(ReadOnlySpan<byte> definition, StatementInfo info, string scope, bool isSql)
    {
        lock (_lock)
        {
            if (!_scopes.TryGetValue(scope, out var statements))
                _scopes.Add(scope, statements = new Dictionary<byte[], PreparedStatement>(ByteArrayComparer.Instance));
            if (!statements.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(definition, out var statement)
                || statement.SchemaVersion != _schemaVersion)
            {
                statement = new PreparedStatement(++_lastId, scope, _schemaVersion, definition.ToArray(), info) { IsSql = isSql };
                statements[statement.Definition] = statement;
            }
            statement.References++;
            return statement;
        }
    }

    /// <summary>The statement with this definition if it is known and no schema change came since, else null. Takes no reference.</summary>
    public PreparedStatement? Find(ReadOnlySpan<byte> definition, string scope)
    {
        lock (_lock)
        {
            return _scopes.TryGetValue(scope, out var statements)
                && statements.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(definition, out var statement)
                && statement.SchemaVersion == _schemaVersion
                    ? statement
                    : null;
        }
    }

    /// <summary>A statement whose text is too large to be kept: known on one server only, shared with nobody.</summary>
    public PreparedStatement AcquireLarge(StatementInfo info)
    {
        lock (_lock)
            return new PreparedStatement(++_lastId, "", _schemaVersion, [], info) { References = 1 };
    }

    /// <summary>
    /// DDL was carried out: a Parse from now on may find other types than one before it, so statements made before are shared no more. Those
    /// who hold them keep them, as a session of PostgreSQL would.
    /// </summary>
    public void NoteSchemaChange()
    {
        lock (_lock)
            _schemaVersion++;
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
        // It may have found a user again since, and may stand in the queue twice.
        if (oldest.References > 0 || !_scopes.TryGetValue(oldest.Scope, out var statements)
            || !statements.TryGetValue(oldest.Definition, out var known) || !ReferenceEquals(known, oldest))
            return;
        statements.Remove(oldest.Definition);
        if (statements.Count == 0)
            _scopes.Remove(oldest.Scope);
    }
}
