using System.Runtime.CompilerServices;
using PgRouter.Core.Catalog;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>
/// What a catalog said lately of texts, so that a statement costs a look into one array. An answer holds for the very catalog that gave it, and for the
/// search_path it was asked under. Of one loop; loop thread only.
/// </summary>
internal sealed class CatalogAnswers
{
    private const int Size = 4096;

    private readonly Entry[] _entries = new Entry[Size];

    public CatalogAnswer Get(StatementInfo info, DatabaseCatalog catalog, SearchPath path, bool hasTemporary)
    {
        var hash = RuntimeHelpers.GetHashCode(info) ^ path.GetHashCode() ^ (hasTemporary ? 1 : 0);
        ref var entry = ref _entries[hash & (Size - 1)];
        if (!ReferenceEquals(entry.Info, info) || !ReferenceEquals(entry.Catalog, catalog) || entry.HasTemporary != hasTemporary || !path.Equals(entry.Path))
            entry = new Entry(info, catalog, path, hasTemporary, catalog.Judge(info, path, hasTemporary));
        return entry.Answer;
    }

    private readonly record struct Entry(StatementInfo Info, DatabaseCatalog Catalog, SearchPath Path, bool HasTemporary, CatalogAnswer Answer);
}
