namespace PgRouter.Core.Admin;

/// <summary>What RowDescription needs to know of a column's type beside its OID, which is the enum's value.</summary>
internal static class AdminTypeExtensions
{
    /// <summary>pg_type.typlen: bytes of a value of fixed length, -1 for a type of variable length.</summary>
    public static short Length(this AdminType type) => type switch
    {
        AdminType.Bool => 1,
        AdminType.Int4 => 4,
        AdminType.Int8 or AdminType.Float8 or AdminType.Timestamp or AdminType.TimestampTz => 8,
        _ => -1,
    };
}
