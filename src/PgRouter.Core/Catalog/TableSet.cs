namespace PgRouter.Core.Catalog;

/// <summary>Relations by oid, or all of the database where they cannot be known. Immutable.</summary>
internal sealed class TableSet
{
    public static readonly TableSet Nothing = new([]);

    /// <summary>It cannot be known: any relation of the database.</summary>
    public static readonly TableSet All = new([]) { IsAll = true };

    private readonly uint[] _oids;

    private TableSet(uint[] sorted) => _oids = sorted;

    public bool IsAll { get; private init; }

    public bool IsEmpty => !IsAll && _oids.Length == 0;

    /// <summary>In ascending order; empty when it is all of them.</summary>
    public ReadOnlySpan<uint> Oids => _oids;

    public static TableSet Of(IEnumerable<uint> oids)
    {
        var sorted = oids.Distinct().Order().ToArray();
        return sorted.Length == 0 ? Nothing : new TableSet(sorted);
    }

    public bool Contains(uint oid) => IsAll || Array.BinarySearch(_oids, oid) >= 0;

    public bool Overlaps(TableSet other)
    {
        if (IsEmpty || other.IsEmpty)
            return false;
        if (IsAll || other.IsAll)
            return true;
        foreach (var oid in _oids)
        {
            if (other.Contains(oid))
                return true;
        }
        return false;
    }

    public TableSet With(TableSet other)
    {
        if (IsAll || other.IsAll)
            return All;
        if (other.IsEmpty || ReferenceEquals(this, other))
            return this;
        return IsEmpty ? other : Of([.. _oids, .. other._oids]);
    }

    /// <inheritdoc/>
    public override string ToString() => IsAll ? "all" : string.Join(", ", _oids);
}
