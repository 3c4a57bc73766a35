using PgRouter.Sql;

namespace PgRouter.Core.Catalog;

/// <summary>What a catalog says of one text under one search_path. Immutable; may be kept as long as the catalog is in force.</summary>
/// <param name="Class">Where it may run.</param>
/// <param name="Why">What made the class stricter than the grammar's, for people; empty when nothing did.</param>
/// <param name="Reads">The relations on whose rows, or whose definition, its answer may depend.</param>
/// <param name="Writes">The relations whose rows it may change, by all that it fires.</param>
internal sealed record CatalogAnswer(StatementClass Class, string Why, TableSet Reads, TableSet Writes)
{
    /// <summary>It changes what others find: DDL that is not of temporary objects. Its <see cref="Writes"/> are all.</summary>
    public bool ChangesSchema { get; init; }

    /// <summary>What runs behind it in the same transaction may find other objects by the same names.</summary>
    public bool ChangesNames { get; init; }

    /// <summary>It names what the catalog does not have: made a moment ago, or not there at all.</summary>
    public bool HasUnknownNames { get; init; }

    /// <summary>What it reads may be anything, also what a standby cannot read: the catalog is not known, or does not have it.</summary>
    public bool IsUncertain { get; init; }
}
