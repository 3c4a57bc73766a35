namespace PgRouter.Core.Routing;

/// <summary>What keeps a request that only reads on the primary, though its class would let it run anywhere.</summary>
[Flags]
internal enum RequestMarks : byte
{
    None = 0,

    /// <summary>A list names the statement, or a function in it, for the primary.</summary>
    Listed = 1 << 0,

    /// <summary>It names what the catalog does not have, or the catalog has not been read: it may be anything.</summary>
    Uncertain = 1 << 1,
}
