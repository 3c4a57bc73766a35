using PgRouter.Core.Servers;

namespace PgRouter.Core.Sessions;

/// <summary>
/// The prepared statements of one client by the client's own names; names are bytes, as the protocol has them. Loop thread only.
/// </summary>
internal sealed class StatementMap(PreparedStatementCache cache)
{
    private readonly Dictionary<byte[], PreparedStatement> _byName = new(ByteArrayComparer.Instance);

    public int Count => _byName.Count;

    /// <summary>Bytes of names and texts.</summary>
    public long Bytes { get; private set; }

    /// <summary>PostgreSQL knows a statement by the first bytes of its name (NAMEDATALEN - 1).</summary>
    private const int SignificantBytes = 63;

    public PreparedStatement? Find(ReadOnlySpan<byte> name)
    {
        _byName.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(Significant(name), out var statement);
        return statement;
    }

    public void Add(byte[] name, PreparedStatement statement)
    {
        _byName[name.Length <= SignificantBytes ? name : name[..SignificantBytes]] = statement;
        Bytes += SizeOf(name, statement);
    }

    /// <summary>Every name and what it stands for.</summary>
    public IEnumerable<KeyValuePair<byte[], PreparedStatement>> All => _byName;

    /// <summary>The client's name for what servers know by this name, null when it has none.</summary>
    public byte[]? NameOf(ReadOnlySpan<byte> serverName)
    {
        foreach (var (name, statement) in _byName)
        {
            if (serverName.SequenceEqual(statement.ServerName))
                return name;
        }
        return null;
    }

    public PreparedStatement? Remove(ReadOnlySpan<byte> name)
    {
        if (_byName.GetAlternateLookup<ReadOnlySpan<byte>>().Remove(Significant(name), out var known, out var statement))
        {
            Bytes -= SizeOf(known, statement);
            cache.Release(statement);
        }
        return statement;
    }

    private static long SizeOf(byte[] name, PreparedStatement statement) => Math.Min(name.Length, SignificantBytes) + statement.Definition.Length;

    private static ReadOnlySpan<byte> Significant(ReadOnlySpan<byte> name) => name.Length <= SignificantBytes ? name : name[..SignificantBytes];

    public void Clear()
    {
        foreach (var statement in _byName.Values)
            cache.Release(statement);
        _byName.Clear();
        Bytes = 0;
    }
}
