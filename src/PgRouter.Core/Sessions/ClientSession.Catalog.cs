using PgRouter.Core.Catalog;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>What the session tells the catalog of its database, and where it asks it (docs/catalog.md).</summary>
internal sealed partial class ClientSession
{
    /// <summary>Null on the virtual database, which has none.</summary>
    private CatalogStore? _catalog;

    /// <summary>
    /// DDL in the open transaction: others do not see it yet, and the catalog does not either. Until it ends nothing that the catalog says holds
    /// for this session.
    /// </summary>
    private bool _catalogChanged;

    private void UseCatalog()
    {
        if (!Identity.IsConsole)
            _catalog = _services.Catalogs.For(Identity.Database, Identity.User);
    }

    private void NoteCatalogChange(StatementInfo info) => _catalogChanged |= _services.Catalogs.NoteDdl(Identity.Database, info);

    private void NoteCatalogChangeAtEnd()
    {
        if (!_catalogChanged)
            return;
        _catalogChanged = false;
        _catalog?.NoteDdl();
    }
}
