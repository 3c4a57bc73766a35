using PgRouter.Sql;

namespace PgRouter.Core.Catalog;

/// <summary>
/// What is known of one database at one moment. Immutable: loops read it without a lock and may keep answers as long as
/// <see cref="Generation"/> stays. Every answer errs towards too much.
/// </summary>
internal sealed class DatabaseCatalog
{
    private static readonly ILookup<uint, uint> NoReferences = Array.Empty<uint>().ToLookup(oid => oid);

    internal DatabaseCatalog(long generation, CatalogGraph graph)
    {
        Generation = generation;
        Graph = graph;
    }

    /// <summary>Changes whenever an answer may change, also when the database becomes unknown. Unique within one database.</summary>
    public long Generation { get; }

    /// <summary>False: nothing is known, and every answer is the worst.</summary>
    public required bool IsKnown { get; init; }

    /// <summary>
    /// What any statement whatever may bring about by code of this database, beyond its own text: the one field to ask first. None, or none
    /// of interest, in most databases.
    /// </summary>
    public required SessionTraits AnyTraits { get; init; }

    /// <summary>Code that runs without being named in a statement: operators, casts, types, domains. Part of every answer.</summary>
    public required SessionTraits AmbientTraits { get; init; }

    /// <summary>Union over all that a write to a table, whichever, may fire.</summary>
    public required SessionTraits TraitsOfWrites { get; init; }

    /// <summary>Union over the event triggers, which DDL fires.</summary>
    public required SessionTraits TraitsOfDdl { get; init; }

    /// <summary>False: nothing here ever has a currval() or a lastval(), but for temporary sequences.</summary>
    public required bool HasSequences { get; init; }

    /// <summary>Differs, with near certainty, when the functions and relations of the database do.</summary>
    public long Signature { get; init; }

    /// <summary>There is code after which names may mean other objects: set_config('search_path', ..) in a function.</summary>
    public bool HasNameChangers { get; init; }

    /// <summary>The routines, for explanations and by name; empty when unknown.</summary>
    public IReadOnlyList<Routine> Routines { get; init; } = [];

    /// <summary>The functions that <c>row.name</c> may call.</summary>
    public IReadOnlyList<Routine> RowFunctions { get; init; } = [];

    /// <summary>What sessions begin with.</summary>
    public SessionDefaults Defaults { get; init; } = new([], "");

    internal CatalogGraph Graph { get; }

    internal int Ambient { get; init; }

    internal int DdlCode { get; init; }

    internal Dictionary<ObjectName, List<RoutineNode>> Functions { get; init; } = [];

    internal Dictionary<ObjectName, List<RelationNode>> Relations { get; init; } = [];

    internal Dictionary<uint, RelationNode> RelationsByOid { get; init; } = [];

    internal IReadOnlyList<(string Name, int Node)> RowFunctionNodes { get; init; } = [];

    /// <summary>Foreign keys: what they refer to, and where they are.</summary>
    internal ILookup<uint, uint> References { get; init; } = NoReferences;

    public static DatabaseCatalog Unknown(long generation)
    {
        var graph = new CatalogGraph();
        graph.Close();
        return new DatabaseCatalog(generation, graph)
        {
            IsKnown = false,
            AnyTraits = SessionTraits.Anything,
            AmbientTraits = SessionTraits.Anything,
            TraitsOfWrites = SessionTraits.Anything,
            TraitsOfDdl = SessionTraits.Anything,
            HasSequences = true,
        };
    }

    /// <summary>Where a text may run, what it reads and what it writes, by what its names mean under a search_path.</summary>
    /// <param name="info">The text.</param>
    /// <param name="path">Where its names are looked for.</param>
    /// <param name="hasTemporary">The session may have temporary objects.</param>
    public CatalogAnswer Judge(StatementInfo info, SearchPath path, bool hasTemporary = false) =>
        IsKnown ? StatementJudge.Judge(this, info, path, hasTemporary) : StatementJudge.JudgeBlindly(info);

    /// <summary>The relation of an oid, for explanations; null when there is none.</summary>
    public RelationRow? RelationOf(uint oid) => RelationsByOid.TryGetValue(oid, out var relation) ? relation.Row : null;

    /// <summary>
    /// What the statements of a text may bring about beyond their own text (<see cref="Statement.Effects"/>): through functions they call,
    /// views they read, triggers, rules and defaults of tables they write, DO blocks. Whatever the search_path. Ask <see cref="AnyTraits"/> first. A
    /// session whose open transaction has run DDL, or that has temporary objects, must not ask: its own changes are not in here.
    /// </summary>
    public SessionTraits TraitsOf(StatementInfo info)
    {
        if (!IsKnown)
            return info.Statements.Count == 0 ? SessionTraits.None : SessionTraits.Anything;
        var traits = SessionTraits.None;
        for (var i = 0; i < info.Statements.Count; i++)
            traits |= TraitsOf(info.Statements[i]);
        return traits;
    }

    /// <inheritdoc cref="TraitsOf(StatementInfo)"/>
    public SessionTraits TraitsOf(Statement statement)
    {
        if (!IsKnown || statement.Class == StatementClass.Unknown)
            return IsKnown ? AnyTraits : SessionTraits.Anything;
        var traits = AmbientTraits;
        if (statement.ChangesSchema)
            traits |= TraitsOfDdl;
        if (RunsItsCalls(statement))
        {
            for (var i = 0; i < statement.Functions.Count; i++)
                traits |= TraitsOf(statement.Functions[i]);
        }

        for (var i = 0; i < statement.Tables.Count; i++)
            traits |= TraitsOf(statement.Tables[i]);
        for (var i = 0; i < RowFunctions.Count; i++)
        {
            if (RowFunctions[i].Traits != SessionTraits.None && statement.Attributes.MayContain(RowFunctions[i].Row.Name))
                traits |= RowFunctions[i].Traits;
        }

        return statement.Block is null ? traits : traits | TraitsOf(statement.Block);
    }

    /// <summary>
    /// The union over all functions of that name, of all schemas when none is written. A function that is not in here is not known: it may have
    /// been made a moment ago.
    /// </summary>
    public SessionTraits TraitsOf(FunctionUse function)
    {
        if (!Functions.TryGetValue(new ObjectName(function.Schema, function.Name), out var routines))
            return SessionTraits.Anything;
        var traits = SessionTraits.None;
        foreach (var routine in routines)
            traits |= Graph.AllTraits(routine.Node);
        return traits;
    }

    /// <summary>The union over all tables and views of that name; none for a name that is not in here.</summary>
    public SessionTraits TraitsOf(TableUse table)
    {
        var traits = SessionTraits.None;
        foreach (var relation in Find(table))
            traits |= Graph.AllTraits(table.IsWritten ? relation.WriteNode : relation.ReadNode);
        return traits;
    }

    /// <summary>Code that was read apart: a DO block.</summary>
    public SessionTraits TraitsOf(RoutineBody body)
    {
        var traits = body.Traits;
        if (traits.HasFlag(SessionTraits.IsOpaque) || body.HasUnknownNames)
            traits |= AnyTraits;
        foreach (var node in NodesOf(body))
            traits |= Graph.AllTraits(node);
        return traits.HasFlag(SessionTraits.RunsDdl) ? traits | TraitsOfDdl : traits;
    }

    /// <summary>What must not happen on a standby, or would tell of it, or would stay in a server that the client does not keep.</summary>
    public const SessionTraits NeedsPrimary = SessionTraits.Anything & ~SessionTraits.UsesPids;

    internal List<RoutineNode> Find(FunctionUse function) =>
        Functions.TryGetValue(new ObjectName(function.Schema, function.Name), out var routines) ? routines : [];

    internal List<RelationNode> Find(TableUse table) =>
        Relations.TryGetValue(new ObjectName(table.Schema, table.Name), out var relations) ? relations : [];

    /// <summary>What code that was read apart names.</summary>
    internal IEnumerable<int> NodesOf(RoutineBody body)
    {
        foreach (var call in body.Calls)
        {
            foreach (var routine in Find(new FunctionUse(call.Schema, call.Name, 0)))
                yield return routine.Node;
        }

        foreach (var (name, node) in RowFunctionNodes)
        {
            if (body.Names.Contains(name))
                yield return node;
        }

        var writes = body.Traits.HasFlag(SessionTraits.Writes);
        foreach (var name in body.Names)
        {
            foreach (var relation in Find(new TableUse(null, name, writes)))
                yield return writes ? relation.WriteNode : relation.ReadNode;
        }
    }

    /// <summary>Where TRUNCATE CASCADE goes from a relation: to all whose foreign keys lead to it, and on from there.</summary>
    internal IEnumerable<int> WritesReferencing(uint oid)
    {
        var seen = new HashSet<uint>();
        var open = new Stack<uint>([oid]);
        while (open.TryPop(out var next))
        {
            foreach (var referencing in References[next])
            {
                if (!seen.Add(referencing) || !RelationsByOid.TryGetValue(referencing, out var relation))
                    continue;
                open.Push(referencing);
                yield return relation.WriteNode;
            }
        }
    }

    /// <summary>CREATE VIEW, CREATE FUNCTION and PREPARE only store their calls.</summary>
    internal static bool RunsItsCalls(Statement statement) =>
        statement.Kind is not (StatementKind.Ddl or StatementKind.Prepare) || (statement.Effects & SessionEffects.RunsOpaqueCode) != 0;
}

/// <summary>pg_proc.provolatile, in the order of what it allows.</summary>
internal enum Volatility : byte
{
    Immutable,
    Stable,
    Volatile,
}

/// <summary>A function in the graph.</summary>
internal readonly record struct RoutineNode(RoutineRow Row, int Node);

/// <summary>A relation in the graph, read and written.</summary>
internal readonly record struct RelationNode(RelationRow Row, int ReadNode, int WriteNode);

/// <summary>One function of the database with what was found of it.</summary>
internal sealed record Routine(RoutineRow Row, SessionTraits Traits);
