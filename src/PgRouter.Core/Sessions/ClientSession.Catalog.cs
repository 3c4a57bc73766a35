using PgRouter.Core.Catalog;
using PgRouter.Core.Servers;
using PgRouter.Core.Transport;
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

    /// <summary>What the catalog says now; null when it says nothing, or not of this session.</summary>
    private DatabaseCatalog? KnownCatalog => _catalogChanged || _catalog?.Current is not { IsKnown: true } current ? null : current;

    /// <summary>
    /// Where a text may run, by its grammar and by what the catalog knows of the functions, views and tables in it. A session with temporary
    /// objects has a server of its own and is not asked about.
    /// </summary>
    private StatementClass ClassOf(StatementInfo info)
    {
        if (info.Class is not (StatementClass.Read or StatementClass.State or StatementClass.NeedsCatalog))
            return info.Class;
        if (_services.Config().Lists is { ListsFunctions: true } lists)
            info = _host.Lists.OfFunctions(info, lists).Judged;
        return KnownCatalog is { } catalog ? _host.Classes.ClassOf(info, catalog) : info.Class;
    }

    /// <summary>
    /// What a text that was carried out may have left in the session beyond what it says itself: by its functions, triggers, views, or a DO block.
    /// Without a catalog, functions that are called by name are in doubt.
    /// </summary>
    private void NoteTraits(ServerConnection server, StatementInfo info)
    {
        if (KnownCatalog is not { } catalog)
        {
            if ((info.Effects & SessionEffects.RunsOpaqueCode) != 0)
                JudgeLater(info);
            return;
        }
        if ((catalog.AnyTraits & NotedTraits) == 0 && (info.Effects & SessionEffects.RunsOpaqueCode) == 0)
            return;
        var traits = catalog.TraitsOf(info);
        DoubtFor(traits);
        if ((traits & SessionTraits.Notifies) != 0)
            NoteNotify(server);
    }

    /// <summary>
    /// It may have left anything that the server can be asked about; what it did to settings the catalog will say when it has been read, after DDL
    /// within a second. The body of a DO block tells by itself.
    /// </summary>
    private void JudgeLater(StatementInfo info)
    {
        DoubtFor(SessionTraits.Anything & ~SessionTraits.ChangesSettings);
        if (_requestFailed)
            return;
        if (info.Statements.Any(statement => statement.Block is { Traits: var traits } && (traits & SessionTraits.ChangesSettings) != 0))
            Pin(PinReasons.Settings);
        else if ((_unjudged ??= []).Count < MostUnjudged)
            _unjudged.Add((info, _catalog?.Changes ?? 0));
    }

    private const int MostUnjudged = 100;
    private static readonly TimeSpan CatalogWait = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan CatalogPoll = TimeSpan.FromMilliseconds(20);

    /// <summary>Texts, and how many changes the catalog had seen when they ran.</summary>
    private List<(StatementInfo Info, long Changes)>? _unjudged;

    /// <summary>
    /// Before the server is given back: waits until the catalog has been read as it was when the statements ran, and asks it. One that does not come
    /// is taken to say the worst. Where there is none at all (no account to read it with, said in a warning), what functions do to settings is not
    /// noticed.
    /// </summary>
    private async Task JudgeAsync()
    {
        if (_unjudged is not { Count: > 0 } unjudged)
            return;
        var changes = unjudged.Max(text => text.Changes);
        var until = Loop.NowMs + (long)CatalogWait.TotalMilliseconds;
        while (_catalog is { IsExpected: true } catalog && catalog.ReadAfter(changes) is null && Loop.NowMs < until && !_ended)
        {
            using var pause = new Deadline(_signal);
            pause.Start(CatalogPoll);
            while (!pause.HasPassed)
                await _signal;
        }
        var read = _catalog?.ReadAfter(changes);
        var traits = read is null && _catalog is { IsExpected: true } ? SessionTraits.ChangesSettings : SessionTraits.None;
        foreach (var (info, _) in unjudged)
            traits |= read?.TraitsOf(info) ?? SessionTraits.None;
        unjudged.Clear();
        if ((traits & SessionTraits.ChangesSettings) != 0)
            Pin(PinReasons.Settings);
    }

    private const SessionTraits NotedTraits = SessionTraits.LeavesState | SessionTraits.Notifies;

    private void NoteCatalogChange(StatementInfo info) => _catalogChanged |= _services.Catalogs.NoteDdl(Identity.Database, info);

    private void NoteCatalogChangeAtEnd()
    {
        if (!_catalogChanged)
            return;
        _catalogChanged = false;
        _catalog?.NoteDdl();
    }
}
