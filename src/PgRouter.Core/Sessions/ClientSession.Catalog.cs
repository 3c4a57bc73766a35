using PgRouter.Core.Catalog;
using PgRouter.Core.Routing;
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
        {
            _catalog = _services.Catalogs.For(Identity.Database, Identity.User);
            _clock = Book.ClockOf(Identity.Database);
        }
    }

    /// <summary>What the catalog says now; null when it says nothing, or not of this session.</summary>
    private DatabaseCatalog? KnownCatalog => _catalogChanged || _catalog?.Current is not { IsKnown: true } current ? null : current;

    /// <summary>
    /// Where a text may run, by its grammar and by what the catalog knows of the functions, views and tables in it. What a standby
    /// has refused is taken for a write.
    /// </summary>
    /// <param name="info">The text.</param>
    /// <param name="before">What stands in front of it in the same request, and is not in the journal yet.</param>
    private TextVerdict Judge(StatementInfo info, SessionEffects before = SessionEffects.None)
    {
        if (info.Class is StatementClass.Empty or StatementClass.Local or StatementClass.Transaction || _catalog is null)
            return new TextVerdict(info.Class, RequestMarks.None, TableSet.Nothing, TableSet.Nothing, ChangesSchema: false);
        if (RefusalOf(info) is not null)
            return new TextVerdict(StatementClass.Write, RequestMarks.None, TableSet.All, TableSet.All, ChangesSchema: false);
        if (_catalogChanged)
            return VerdictOf(info.Class, _host.Answers.Get(info, NothingKnown, SearchPath.Any, hasTemporary: true)) with { Marks = RequestMarks.None };
        var catalog = _catalog.Current;
        var path = (before & ChangesPath) == 0 ? PathNow(catalog) : SearchPath.Any;
        var answer = _host.Answers.Get(info, catalog, path, MayHaveTemporary);
        if (answer.HasUnknownNames)
            _catalog.NoteWish();
        if (_services.Config().Lists is not { ListsFunctions: true } lists || _host.Lists.OfFunctions(info, lists).Judged is var judged && ReferenceEquals(judged, info))
            return VerdictOf(answer.Class, answer);
        // Functions that are listed as read-only are not asked about, but what they read counts.
        var listed = _host.Answers.Get(judged, catalog, path, MayHaveTemporary);
        return VerdictOf(listed.Class, answer) with { Marks = listed.IsUncertain ? RequestMarks.Uncertain : RequestMarks.None };
    }

    private static readonly DatabaseCatalog NothingKnown = DatabaseCatalog.Unknown(0);

    private static TextVerdict VerdictOf(StatementClass statementClass, CatalogAnswer answer) => new(
        statementClass, answer.IsUncertain ? RequestMarks.Uncertain : RequestMarks.None, answer.Reads, answer.Writes, answer.ChangesSchema);

    /// <summary>What the catalog makes of a text.</summary>
    private readonly record struct TextVerdict(StatementClass Class, RequestMarks Marks, TableSet Reads, TableSet Writes, bool ChangesSchema)
    {
        /// <summary>In a block that is READ ONLY what is uncertain is for the primary too.</summary>
        public StatementClass ClassForBlock =>
            (Marks & RequestMarks.Uncertain) != 0 && Class < StatementClass.PrimaryRead ? StatementClass.PrimaryRead : Class;
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
        if ((catalog.AnyTraits & NotedTraits) == 0 && !catalog.HasNameChangers && (info.Effects & SessionEffects.RunsOpaqueCode) == 0)
            return;
        var traits = catalog.TraitsOf(info);
        DoubtFor(traits);
        if ((traits & SessionTraits.Notifies) != 0)
            NoteNotify(server);
        if ((traits & SessionTraits.RunsDdl) != 0)
            NoteCodeWithDdl(traits);
        _pathIsOpen |= catalog.HasNameChangers && _host.Answers.Get(info, catalog, PathNow(catalog), MayHaveTemporary).ChangesNames;
    }

    /// <summary>
    /// DDL inside a function: of temporary objects, or of others, as far as its body says; where it cannot be read the catalog is read again and counts
    /// until then.
    /// </summary>
    private void NoteCodeWithDdl(SessionTraits traits)
    {
        _madeTemporary = true;
        if ((traits & SessionTraits.IsOpaque) != 0)
            _catalog!.NoteWish();
        else if ((traits & SessionTraits.ChangesSchema) != 0)
            NoteSchemaChange();
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

    private const SessionTraits NotedTraits = SessionTraits.LeavesState | SessionTraits.Notifies | SessionTraits.RunsDdl;

    /// <summary>DDL was carried out; of temporary objects it concerns nobody else, and the catalog does not have them.</summary>
    private void NoteCatalogChange(StatementInfo info)
    {
        if (IsOnlyOfTemporary(info))
        {
            _madeTemporary = true;
            return;
        }
        _catalogChanged = true;
        _catalog?.NoteDdl();
    }

    private bool IsOnlyOfTemporary(StatementInfo info)
    {
        if (info.Statements.All(s => !s.ChangesSchema || s.IsTemporary || (s.Effects & SessionEffects.CreatesTemporary) != 0))
            return true;
        return MayHaveTemporary && KnownCatalog is { } catalog && !_host.Answers.Get(info, catalog, PathNow(catalog), hasTemporary: true).ChangesSchema;
    }

    /// <summary>The server is lost or left: DDL, or the COMMIT behind it, may be carried out all the same.</summary>
    private void NoteSchemaInDoubt(ServerConnection server)
    {
        if (MayChangeSchema(server))
            NoteSchemaChange();
        _schemaChanged = _catalogChanged = false;
    }

    private bool MayChangeSchema(ServerConnection server)
    {
        var changes = _catalogChanged;
        for (var i = 0; i < server.Owed.Count; i++)
            changes |= server.Owed[i].Subject is StatementInfo { HasDdl: true };
        return changes;
    }

    /// <summary>COMMIT PREPARED shows to others what the transaction has done, whichever session began it.</summary>
    private void NotePreparedEnd(Statement statement)
    {
        if (_catalog is null || !_catalog.PreparedTransactions.End(statement.Name!) || statement.Verb != TransactionVerb.CommitPrepared)
            return;
        _services.Statements.NoteSchemaChange();
        _catalog.NoteDdl();
    }

    private void NoteCatalogChangeAtEnd()
    {
        if (!_catalogChanged)
            return;
        _catalogChanged = false;
        _catalog?.NoteDdl();
    }
}
