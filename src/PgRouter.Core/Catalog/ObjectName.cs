namespace PgRouter.Core.Catalog;

/// <summary>A function or relation by schema and name; a null schema means whichever schema search_path finds first.</summary>
internal readonly record struct ObjectName(string? Schema, string Name);
