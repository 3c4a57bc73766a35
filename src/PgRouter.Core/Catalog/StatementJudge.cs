using PgRouter.Sql;

namespace PgRouter.Core.Catalog;

/// <summary>
/// Judges one text by one catalog under one search_path: binds the names in it, follows them through the graph, and says where the text may run, what
/// it reads and what it writes. Everything that is not certain counts as the worst.
/// </summary>
internal sealed class StatementJudge
{
    private readonly DatabaseCatalog _catalog;
    private readonly SearchPath _path;
    private readonly bool _hasTemporary;
    private readonly CatalogReach _reach;
    private bool _readsAll;
    private bool _writesAll;
    private bool _changesSchema;
    private bool _changesNames;
    private bool _hasUnknownNames;
    private bool _callsVolatile;
    private string _why = "";

    private StatementJudge(DatabaseCatalog catalog, SearchPath path, bool hasTemporary)
    {
        _catalog = catalog;
        _path = path;
        _hasTemporary = hasTemporary;
        _reach = new CatalogReach(catalog.Graph, path);
    }

    /// <param name="catalog">A catalog that is known.</param>
    /// <param name="info">The text.</param>
    /// <param name="path">Where its names are looked for.</param>
    /// <param name="hasTemporary">The session may have temporary objects: a name that the catalog does not have may be one of them.</param>
    public static CatalogAnswer Judge(DatabaseCatalog catalog, StatementInfo info, SearchPath path, bool hasTemporary)
    {
        var judge = new StatementJudge(catalog, ChangesNamesItself(info) ? SearchPath.Any : path, hasTemporary);
        if (!IsConstant(info))
            judge._reach.Follow(catalog.Ambient);
        foreach (var statement in info.Statements)
            judge.Add(statement);
        if (info.Class == StatementClass.Unknown)
            judge._readsAll = judge._writesAll = judge._changesNames = true;
        return judge.ToAnswer(info);
    }

    /// <summary>Nothing is known of the database: whatever names something in it may mean anything.</summary>
    public static CatalogAnswer JudgeBlindly(StatementInfo info)
    {
        if (IsConstant(info))
            return new CatalogAnswer(info.Class, "", TableSet.Nothing, TableSet.Nothing);
        var namesSomething = info.Class == StatementClass.NeedsCatalog || info.Statements.Any(statement => statement.Tables.Count > 0);
        return new CatalogAnswer(
            info.Class,
            namesSomething ? "the catalog of the database has not been read" : "",
            TableSet.All,
            info.Statements.All(statement => IsHarmless(statement)) && info.Class != StatementClass.Unknown ? TableSet.Nothing : TableSet.All)
        {
            IsUncertain = namesSomething,
            ChangesNames = true,
            ChangesSchema = info.Statements.Any(statement => statement is { ChangesSchema: true, IsTemporary: false }),
        };
    }

    private static bool IsConstant(StatementInfo info) => info.Class == StatementClass.Read && info.Statements.All(statement => statement.IsConstant);

    /// <summary>Writes nothing whatever the database is like. A plain SELECT may call code by an operator or a view.</summary>
    private static bool IsHarmless(Statement statement) => statement.Kind
        is StatementKind.Transaction or StatementKind.Set or StatementKind.Reset or StatementKind.Show or StatementKind.Discard
            or StatementKind.Deallocate or StatementKind.Listen or StatementKind.Unlisten or StatementKind.Notify or StatementKind.Lock
            or StatementKind.ClosePortal or StatementKind.Local
        && statement.Verb != TransactionVerb.CommitPrepared;

    /// <summary>A statement of the text sets the search_path for those behind it, or whose "$user" it is.</summary>
    private static bool ChangesNamesItself(StatementInfo info)
    {
        const SessionEffects Changes = SessionEffects.SetsParameter | SessionEffects.ResetsParameter | SessionEffects.SetsRole
            | SessionEffects.DiscardsAll | SessionEffects.ChangesSessionOpaquely;
        return info.Statements.Count > 1 && (info.Effects & Changes) != 0;
    }

    private void Add(Statement statement)
    {
        if (statement is { ChangesSchema: true, IsTemporary: false } && !(_hasTemporary && NamesOnlyTemporary(statement)))
            _changesSchema = _writesAll = _readsAll = true;
        switch (statement.Kind)
        {
            case StatementKind.Execute or StatementKind.Fetch or StatementKind.Other or StatementKind.Load:
                _readsAll = _writesAll = true;
                break;
            case StatementKind.Transaction when statement.Verb == TransactionVerb.CommitPrepared:
                _writesAll = true;
                break;
        }
        _writesAll |= statement.WritesUnseen;
        if (statement.ChangesSchema)
            _reach.Follow(_catalog.DdlCode);
        if (DatabaseCatalog.RunsItsCalls(statement))
        {
            foreach (var function in statement.Functions)
                AddFunction(function);
        }
        foreach (var table in statement.Tables)
            AddTable(table, statement);
        foreach (var (name, node) in _catalog.RowFunctionNodes)
        {
            if (statement.Attributes.MayContain(name))
                _reach.Add(node);
        }
        if (statement.Block is { } block)
            AddBlock(block);
    }

    private void AddFunction(FunctionUse function)
    {
        var isKnown = false;
        foreach (var (row, node) in _catalog.Find(function))
        {
            if (!row.Takes(function.ArgumentCount) || (function.Schema is null && !_path.Contains(row.Schema) && row.Schema != "pg_catalog"))
                continue;
            isKnown = true;
            _reach.Add(node);
            if (_catalog.Graph[node].IsVolatile)
            {
                _callsVolatile = true;
                Explain($"function {row.Schema}.{row.Name}({row.Arguments}) is volatile");
            }
        }
        if (isKnown)
            return;
        _readsAll = _writesAll = _hasUnknownNames = _callsVolatile = _changesNames = true;
        Explain($"function {function.Name}() is not known");
    }

    private void AddTable(TableUse table, Statement statement)
    {
        var isKnown = false;
        foreach (var relation in _catalog.Find(table))
        {
            if (table.Schema is null && !_path.Contains(relation.Row.Schema))
                continue;
            isKnown = true;
            _reach.Add(table.IsWritten ? relation.WriteNode : relation.ReadNode);
            if (statement.Kind == StatementKind.Truncate)
                AddReferencing(relation.Row.Oid);
            if (relation.Row.Kind == 'f' && table.IsWritten)
                _writesAll = true; // Nobody knows where it leads; perhaps back into this database.
        }
        if (isKnown || (table.Schema is null && (_hasTemporary || (table.IsWritten && statement.IsTemporary))))
            return;
        _readsAll = true;
        _writesAll |= table.IsWritten;
        if (IsOfSystem(table))
            return;
        _hasUnknownNames = true;
        Explain($"relation {table.Name} is not known");
    }

    /// <summary>TRUNCATE CASCADE reaches every table whose foreign key leads here.</summary>
    private void AddReferencing(uint oid)
    {
        foreach (var node in _catalog.WritesReferencing(oid))
            _reach.Add(node);
    }

    private static bool IsOfSystem(TableUse table) => table.Schema is { } schema
        ? schema is "information_schema" || schema.StartsWith("pg_", StringComparison.Ordinal)
        : table.Name.StartsWith("pg_", StringComparison.Ordinal);

    /// <summary>DDL of a session with temporary objects that names none but those: nothing of these names is permanent.</summary>
    private bool NamesOnlyTemporary(Statement statement) =>
        statement.Tables.Count > 0 && statement.Tables.All(table => table.Schema is null && _catalog.Find(table).Count == 0);

    /// <summary>A DO block is read like a body.</summary>
    private void AddBlock(RoutineBody body)
    {
        foreach (var node in _catalog.NodesOf(body))
            _reach.Add(node);
        _changesNames |= body.MayChangeNames;
        if (body.HasUnknownNames || (body.Traits & SessionTraits.IsOpaque) != 0)
            _readsAll = _writesAll = true;
        if ((body.Traits & SessionTraits.ChangesSchema) != 0)
            _changesSchema = _writesAll = true;
        if ((body.Traits & SessionTraits.RunsDdl) != 0)
            _reach.Follow(_catalog.DdlCode);
    }

    private void Explain(string why)
    {
        if (_why.Length == 0)
            _why = why;
    }

    private CatalogAnswer ToAnswer(StatementInfo info)
    {
        var traits = _reach.Traits;
        var opaque = (traits & SessionTraits.IsOpaque) != 0 || _reach.IsEverything;
        var schema = _changesSchema || ((traits & (SessionTraits.ChangesSchema | SessionTraits.IsOpaque)) == SessionTraits.ChangesSchema);
        var statementClass = ClassOf(info.Class, traits);
        return new CatalogAnswer(
            statementClass,
            statementClass > info.Class || statementClass == StatementClass.NeedsCatalog || _hasUnknownNames ? _why : "",
            _readsAll || opaque ? TableSet.All : TableSet.Of(_reach.Reads.Concat(_reach.Writes)),
            _writesAll || opaque || schema ? TableSet.All : TableSet.Of(_reach.Writes))
        {
            ChangesSchema = schema,
            ChangesNames = _changesNames || _reach.ChangesNames || (traits & SessionTraits.IsOpaque) != 0,
            HasUnknownNames = _hasUnknownNames,
            IsUncertain = _hasUnknownNames,
        };
    }

    private StatementClass ClassOf(StatementClass grammar, SessionTraits traits)
    {
        if (grammar is not (StatementClass.Read or StatementClass.State or StatementClass.NeedsCatalog))
            return grammar;
        var needsPrimary = (traits & DatabaseCatalog.NeedsPrimary) != 0;
        if ((traits & DatabaseCatalog.NeedsPrimary) != 0)
            Explain($"code in it: {traits & DatabaseCatalog.NeedsPrimary}");
        if (!needsPrimary && _reach.LeadsToVolatile())
        {
            needsPrimary = true;
            Explain("a view or a policy in it calls a volatile function");
        }
        if (grammar == StatementClass.NeedsCatalog)
            return needsPrimary || _callsVolatile ? StatementClass.NeedsCatalog : StatementClass.Read;
        return needsPrimary ? StatementClass.PrimaryRead : grammar;
    }
}
