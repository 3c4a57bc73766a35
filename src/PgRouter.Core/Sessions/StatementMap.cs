using PgRouter.Core.Servers;

namespace PgRouter.Core.Sessions;

/// <summary>
/// The prepared statements of one client by the client's own names; names are bytes, as the protocol has them. Loop thread only.
/// </summary>
internal sealed class StatementMap(PreparedStatementCache cache)
{
    private readonly Dictionary<byte[], PreparedStatement> _byName = new(ByteArrayComparer.Instance);

    public int Count => _byName.Count;

    public PreparedStatement? Find(ReadOnlySpan<byte> name)
    {
        _byName.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(name, out var statement);
        return statement;
    }

    public void Add(byte[] name, PreparedStatement statement) => _byName[name] = statement;

    public PreparedStatement? Remove(ReadOnlySpan<byte> name)
    {
        if (_byName.GetAlternateLookup<ReadOnlySpan<byte>>().Remove(name, out _, out var statement))
            cache.Release(statement);
        return statement;
    }

    public void Clear()
    {
        foreach (var statement in _byName.Values)
            cache.Release(statement);
        _byName.Clear();
    }
}
