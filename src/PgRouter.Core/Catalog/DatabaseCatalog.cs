using System.Collections.Frozen;
using PgRouter.Sql;

namespace PgRouter.Core.Catalog;

/// <summary>
/// What is known of one database at one moment. Immutable: loops read it without a lock and may keep answers as long as
/// <see cref="Generation"/> stays. Every answer errs towards too much.
/// </summary>
internal sealed class DatabaseCatalog
{
    private static readonly FrozenDictionary<ObjectName, RelationTraits> NoRelations = FrozenDictionary<ObjectName, RelationTraits>.Empty;

    private readonly FrozenDictionary<ObjectName, FunctionFacts> _functions;
    private readonly FrozenDictionary<ObjectName, RelationTraits> _relations;

    internal DatabaseCatalog(
        long generation,
        FrozenDictionary<ObjectName, FunctionFacts> functions,
        FrozenDictionary<ObjectName, RelationTraits> relations)
    {
        Generation = generation;
        _functions = functions;
        _relations = relations;
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

    /// <summary>The routines, for explanations and by name; empty when unknown.</summary>
    public required IReadOnlyList<Routine> Routines { get; init; }

    /// <summary>The functions with traits that <c>row.name</c> may call.</summary>
    public required IReadOnlyList<Routine> RowFunctions { get; init; }

    public static DatabaseCatalog Unknown(long generation) => new(generation, FrozenDictionary<ObjectName, FunctionFacts>.Empty, NoRelations)
    {
        IsKnown = false,
        AnyTraits = SessionTraits.Anything,
        AmbientTraits = SessionTraits.Anything,
        TraitsOfWrites = SessionTraits.Anything,
        TraitsOfDdl = SessionTraits.Anything,
        HasSequences = true,
        Routines = [],
        RowFunctions = [],
    };

    /// <summary>
    /// What the statements of a text may bring about beyond their own text (<see cref="Statement.Effects"/>): through functions they call,
    /// views they read, triggers, rules and defaults of tables they write, DO blocks. Ask <see cref="AnyTraits"/> first. A session whose open
    /// transaction has run DDL, or that has temporary objects, must not ask: its own changes are not in here.
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
        if (statement.Kind == StatementKind.Ddl)
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
            if (statement.Attributes.MayContain(RowFunctions[i].Row.Name))
                traits |= RowFunctions[i].Traits;
        }

        return statement.Block is null ? traits : traits | TraitsOf(statement.Block);
    }

    /// <summary>
    /// The union over all functions of that name, of all schemas when none is written. A function that is not in here is not known: it may have
    /// been made a moment ago.
    /// </summary>
    public SessionTraits TraitsOf(FunctionUse function) =>
        _functions.TryGetValue(new ObjectName(function.Schema, function.Name), out var facts) ? facts.Traits : SessionTraits.Anything;

    /// <summary>
    /// The greatest volatility of all functions that a call may mean: those of its name that take as many arguments, in the schema written or in
    /// those of the search_path; null for the path means any schema. Null = there is none, or nothing is known.
    /// </summary>
    public Volatility? VolatilityOf(FunctionUse call, IReadOnlyList<string>? searchPath = null)
    {
        if (!_functions.TryGetValue(new ObjectName(call.Schema, call.Name), out var facts))
            return null;
        Volatility? greatest = null;
        foreach (var row in facts.Rows)
        {
            if (row.Takes(call.ArgumentCount) && (call.Schema is not null || searchPath is null || searchPath.Contains(row.Schema)))
                greatest = greatest > row.VolatilityClass ? greatest : row.VolatilityClass;
        }

        return greatest;
    }

    /// <summary>
    /// Where a text may run whose grammar alone says <paramref name="info"/>.Class. A read with functions of users becomes a plain read when all
    /// of them are stable or immutable and neither they nor what they call, as read, need the primary; a read of a view that calls what
    /// writes, or of a table that a standby cannot read, becomes one for the primary. Unknown databases and other classes stay as they are.
    /// </summary>
    public StatementClass ClassOf(StatementInfo info, IReadOnlyList<string>? searchPath = null)
    {
        if (!IsKnown || info.Class is not (StatementClass.Read or StatementClass.State or StatementClass.NeedsCatalog))
            return info.Class;
        if (info.Class != StatementClass.NeedsCatalog && (AnyTraits & NeedsPrimary) == 0)
            return info.Class;
        var needsPrimary = (TraitsOf(info) & NeedsPrimary) != 0;
        if (info.Class == StatementClass.NeedsCatalog)
            return !needsPrimary && CallsNothingVolatile(info, searchPath) ? StatementClass.Read : StatementClass.NeedsCatalog;
        return needsPrimary ? StatementClass.PrimaryRead : info.Class;
    }

    /// <summary>What must not happen on a standby, or would tell of it, or would stay in a server that the client does not keep.</summary>
    public const SessionTraits NeedsPrimary = SessionTraits.Anything & ~SessionTraits.UsesPids;

    private bool CallsNothingVolatile(StatementInfo info, IReadOnlyList<string>? searchPath)
    {
        foreach (var statement in info.Statements)
        {
            foreach (var function in statement.Functions)
            {
                if (VolatilityOf(function, searchPath) is not (Volatility.Immutable or Volatility.Stable))
                    return false;
            }
        }

        return true;
    }

    /// <summary>The union over all tables and views of that name; none for a name that is not in here.</summary>
    public SessionTraits TraitsOf(TableUse table)
    {
        if (!_relations.TryGetValue(new ObjectName(table.Schema, table.Name), out var traits))
            return SessionTraits.None;
        return table.IsWritten ? traits.OnWrite : traits.OnRead;
    }

    /// <summary>Code that was read apart: a DO block.</summary>
    public SessionTraits TraitsOf(RoutineBody body)
    {
        var traits = body.Traits;
        if (traits.HasFlag(SessionTraits.IsOpaque) || body.HasUnknownNames)
            traits |= AnyTraits;
        foreach (var call in body.Calls)
        {
            if (_functions.TryGetValue(new ObjectName(call.Schema, call.Name), out var facts))
                traits |= facts.Traits;
        }

        foreach (var function in RowFunctions)
        {
            if (body.Names.Contains(function.Row.Name))
                traits |= function.Traits;
        }

        var writes = traits.HasFlag(SessionTraits.Writes);
        foreach (var name in body.Names)
            traits |= TraitsOf(new TableUse(null, name, writes));
        return traits.HasFlag(SessionTraits.RunsDdl) ? traits | TraitsOfDdl : traits;
    }

    /// <summary>CREATE VIEW, CREATE FUNCTION and PREPARE only store their calls.</summary>
    private static bool RunsItsCalls(Statement statement) =>
        statement.Kind is not (StatementKind.Ddl or StatementKind.Prepare) || (statement.Effects & SessionEffects.RunsOpaqueCode) != 0;
}

/// <summary>All functions of one name.</summary>
internal sealed record FunctionFacts(SessionTraits Traits, IReadOnlyList<RoutineRow> Rows);

/// <summary>pg_proc.provolatile, in the order of what it allows.</summary>
internal enum Volatility : byte
{
    Immutable,
    Stable,
    Volatile,
}

/// <summary>What naming a relation may bring about.</summary>
internal readonly record struct RelationTraits(SessionTraits OnRead, SessionTraits OnWrite)
{
    public static RelationTraits operator |(RelationTraits a, RelationTraits b) => new(a.OnRead | b.OnRead, a.OnWrite | b.OnWrite);
}

/// <summary>One function of the database with what was found of it.</summary>
internal sealed record Routine(RoutineRow Row, SessionTraits Traits);
