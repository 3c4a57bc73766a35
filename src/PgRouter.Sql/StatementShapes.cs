namespace PgRouter.Sql;

/// <summary>
/// Remembers verdicts by the shape of the text, so that a statement seen before costs one pass over its bytes and no allocation. Entries
/// compare by their whole folded text, never by hash alone. One instance per loop; not thread-safe. When full, entries that were not
/// used since the last round go first.
/// </summary>
public sealed class StatementShapes
{
    /// <summary>Longer texts are neither folded nor remembered.</summary>
    public const int MaxTextBytes = 64 * 1024;

    public const long DefaultMaxBytes = 16 * 1024 * 1024;

    private const int EntryBytes = 160;
    private const int StatementBytes = 250;

    private readonly ShapeFolder _folder = new(MaxTextBytes);
    private readonly long _maxBytes;
    private readonly List<Entry> _clock = [];
    private Entry?[] _buckets = new Entry?[256];
    private int _hand;

    /// <param name="maxBytes">About how much memory the entries may take.</param>
    public StatementShapes(long maxBytes = DefaultMaxBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxBytes);
        _maxBytes = maxBytes;
    }

    public int Count => _clock.Count;

    /// <summary>About how much memory the entries take.</summary>
    public long Bytes { get; private set; }

    /// <summary>The verdict for a text whose shape is known, else null. Allocates nothing.</summary>
    /// <param name="sql">The text without its closing zero.</param>
    /// <param name="standardConformingStrings">The setting of the session that sent it.</param>
    public StatementInfo? Find(ReadOnlySpan<byte> sql, bool standardConformingStrings)
    {
        if (sql.Length > MaxTextBytes)
            return null;
        _folder.Fold(sql, standardConformingStrings);
        var entry = Lookup();
        if (entry is null || entry.Info is not null)
            return entry?.Info;
        _folder.UseExactText(sql, standardConformingStrings);
        return Lookup()?.Info;
    }

    /// <summary>Remembers what the parser said of a text. Too long texts and verdicts for the moment are passed over.</summary>
    public void Learn(ReadOnlySpan<byte> sql, bool standardConformingStrings, StatementInfo info)
    {
        if (sql.Length > MaxTextBytes || !info.IsLasting)
            return;
        _folder.Fold(sql, standardConformingStrings);
        if (info.LiteralsMatter && !_folder.IsExact)
        {
            Put(null);
            _folder.UseExactText(sql, standardConformingStrings);
        }

        Put(info);
    }

    /// <summary>
    /// The shapes of some verdicts, for people: <c>?</c> stands for each constant, and no constant is shown. Looks at every entry. A verdict that is not
    /// remembered any more is left out.
    /// </summary>
    public IEnumerable<KeyValuePair<StatementInfo, string>> TextsOf(IReadOnlySet<StatementInfo> infos)
    {
        foreach (var entry in _clock)
        {
            if (entry.Info is { } info && infos.Contains(info))
                yield return KeyValuePair.Create(info, _folder.Readable(entry.Shape));
        }
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        _clock.Clear();
        Array.Clear(_buckets);
        Bytes = 0;
        _hand = 0;
    }

    private Entry? Lookup()
    {
        var shape = _folder.Shape;
        var hash = ShapeHash.Of(shape);
        for (var entry = _buckets[hash.Low & (uint)(_buckets.Length - 1)]; entry is not null; entry = entry.Next)
        {
            if (entry.Hash.Low != hash.Low || entry.Hash.High != hash.High || !shape.SequenceEqual(entry.Shape))
                continue;
            entry.WasUsed = true;
            return entry;
        }

        return null;
    }

    /// <summary>Keeps a verdict under the folder's current text; null says that the exact text must be asked for.</summary>
    private void Put(StatementInfo? info)
    {
        var known = Lookup();
        if (known is not null)
        {
            // A marker stays a marker unless this is a text kept as it stands, and a verdict gives way to the marker of its shape.
            if (info is null || known.Info is not null)
                known.Info = info;
            return;
        }

        var size = SizeOf(info, _folder.Shape.Length);
        if (size > _maxBytes)
            return;
        MakeRoom(size);
        var shape = _folder.Shape.ToArray();
        // A marker must outlive the room that is made for the first text it stands for.
        var entry = new Entry(shape, ShapeHash.Of(shape), info, size) { WasUsed = info is null };
        Bytes += size;
        _clock.Add(entry);
        if (_clock.Count > _buckets.Length)
            Grow();
        else
            Link(entry);
    }

    private static int SizeOf(StatementInfo? info, int shapeLength) =>
        EntryBytes + shapeLength + StatementBytes * (info?.Statements.Count ?? 0);

    private void MakeRoom(int size)
    {
        while (Bytes + size > _maxBytes && _clock.Count > 0)
        {
            if (_hand >= _clock.Count)
                _hand = 0;
            var entry = _clock[_hand];
            if (entry.WasUsed)
            {
                entry.WasUsed = false;
                _hand++;
                continue;
            }

            Unlink(entry);
            Bytes -= entry.Size;
            _clock[_hand] = _clock[^1];
            _clock.RemoveAt(_clock.Count - 1);
        }
    }

    private void Link(Entry entry)
    {
        ref var bucket = ref _buckets[entry.Hash.Low & (uint)(_buckets.Length - 1)];
        entry.Next = bucket;
        bucket = entry;
    }

    private void Unlink(Entry entry)
    {
        ref var link = ref _buckets[entry.Hash.Low & (uint)(_buckets.Length - 1)];
        while (link != entry)
            link = ref link!.Next;
        link = entry.Next;
    }

    private void Grow()
    {
        _buckets = new Entry?[_buckets.Length * 2];
        foreach (var entry in _clock)
            Link(entry);
    }

    private sealed class Entry(byte[] shape, ShapeHash hash, StatementInfo? info, int size)
    {
        public readonly byte[] Shape = shape;
        public readonly ShapeHash Hash = hash;
        public readonly int Size = size;
        public Entry? Next;
        public StatementInfo? Info = info;
        public bool WasUsed;
    }
}
