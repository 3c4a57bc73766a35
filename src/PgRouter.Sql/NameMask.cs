namespace PgRouter.Sql;

/// <summary>
/// A set of names in 128 bits: what is in it is always found, what is not in it seldom. For questions whose answer may be too much.
/// </summary>
public readonly record struct NameMask(UInt128 Bits)
{
    public bool IsEmpty => Bits == UInt128.Zero;

    /// <summary>The mask with a name more.</summary>
    public NameMask With(string name) => new(Bits | BitsOf(name));

    /// <summary>False: the name is certainly not in it.</summary>
    public bool MayContain(string name) => (Bits & BitsOf(name)) == BitsOf(name);

    /// <summary>Two bits a name, from its FNV-1a hash.</summary>
    private static UInt128 BitsOf(string name)
    {
        var hash = 14695981039346656037UL;
        foreach (var c in name)
            hash = (hash ^ c) * 1099511628211UL;
        return (UInt128.One << (int)(hash >> 57)) | (UInt128.One << (int)((hash >> 50) & 127));
    }
}
