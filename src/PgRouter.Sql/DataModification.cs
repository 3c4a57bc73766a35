namespace PgRouter.Sql;

/// <summary>The node types that change rows, wherever they stand in a tree.</summary>
internal static class DataModification
{
    /// <summary>The verb, or null for every other node.</summary>
    public static string? CauseOf(ReadOnlySpan<byte> nodeType)
    {
        if (nodeType.SequenceEqual("InsertStmt"u8))
            return "INSERT";
        if (nodeType.SequenceEqual("UpdateStmt"u8))
            return "UPDATE";
        if (nodeType.SequenceEqual("DeleteStmt"u8))
            return "DELETE";
        return nodeType.SequenceEqual("MergeStmt"u8) ? "MERGE" : null;
    }
}
