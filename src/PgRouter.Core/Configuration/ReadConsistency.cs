namespace PgRouter.Core.Configuration;

/// <summary>What a read must see at least (docs/consistency.md). Ordered: a greater one sees more.</summary>
internal enum ReadConsistency : byte
{
    /// <summary>Whatever the node has.</summary>
    Eventual,

    /// <summary>What this session has written, and what it has read before.</summary>
    Session,

    /// <summary>Everything that was committed through this router before the read began.</summary>
    Global,

    /// <summary>Everything that was committed on the primary before the read began, by whomever.</summary>
    Strong,
}

/// <summary>The levels by their names.</summary>
internal static class ReadConsistencies
{
    public static readonly string[] Names = ["eventual", "session", "global", "strong"];

    /// <summary>Null when it is none.</summary>
    public static ReadConsistency? Find(string? name) => name switch
    {
        "eventual" => ReadConsistency.Eventual,
        "session" => ReadConsistency.Session,
        "global" => ReadConsistency.Global,
        "strong" => ReadConsistency.Strong,
        _ => null,
    };

    public static string Name(this ReadConsistency level) => Names[(int)level];
}
