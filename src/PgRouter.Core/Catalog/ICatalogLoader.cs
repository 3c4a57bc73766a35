namespace PgRouter.Core.Catalog;

/// <summary>Reads the rows of one database from the primary.</summary>
internal interface ICatalogLoader
{
    /// <param name="database">The database.</param>
    /// <param name="users">Users that have logged in to it, whose passwords may be known.</param>
    /// <param name="stop">Ends the load.</param>
    /// <exception cref="CatalogException">It cannot be read now; the message says why and what would help.</exception>
    Task<CatalogRows> LoadAsync(string database, IReadOnlyList<string> users, CancellationToken stop);

    /// <summary>Which node would be asked; a change makes all that is known doubtful. Null = none.</summary>
    int? Source { get; }
}

/// <summary>The catalog of a database cannot be read now.</summary>
internal sealed class CatalogException(string message, Exception? inner = null) : Exception(message, inner);
