using System.Runtime.CompilerServices;
using PgRouter.Core.Catalog;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>
/// What a catalog said lately of the classes of texts, so that a statement in a database with functions, views and sequences costs a look into one
/// array. An answer holds for the very catalog that gave it. Of one loop; loop thread only.
/// </summary>
internal sealed class CatalogClasses
{
    private const int Size = 512;

    private readonly Answer[] _answers = new Answer[Size];

    public StatementClass ClassOf(StatementInfo info, DatabaseCatalog catalog)
    {
        ref var answer = ref _answers[RuntimeHelpers.GetHashCode(info) & (Size - 1)];
        if (!ReferenceEquals(answer.Info, info) || !ReferenceEquals(answer.Catalog, catalog))
            answer = new Answer(info, catalog, catalog.ClassOf(info));
        return answer.Class;
    }

    private readonly record struct Answer(StatementInfo Info, DatabaseCatalog Catalog, StatementClass Class);
}
