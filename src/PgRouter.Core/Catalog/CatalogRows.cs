namespace PgRouter.Core.Catalog;

/// <summary>The rows of one load, as the queries of <see cref="CatalogQueries"/> give them. Values only.</summary>
internal sealed record CatalogRows
{
    public IReadOnlyList<RoutineRow> Routines { get; init; } = [];

    /// <summary>What an aggregate, an operator and their kind call: by the function's oid and name.</summary>
    public IReadOnlyList<AggregateRow> Aggregates { get; init; } = [];

    public IReadOnlyList<FunctionRef> Implicit { get; init; } = [];

    /// <summary>Checks and defaults of domains, which any cast can run.</summary>
    public IReadOnlyList<string> ImplicitTexts { get; init; } = [];

    public IReadOnlyList<RelationRow> Relations { get; init; } = [];

    public IReadOnlyList<RelationText> Texts { get; init; } = [];

    public IReadOnlyList<TriggerRow> Triggers { get; init; } = [];

    /// <summary>A write to the first relation may write the second: partitions, children, foreign keys that cascade.</summary>
    public IReadOnlyList<RelationEdge> Edges { get; init; } = [];

    public IReadOnlyList<FunctionRef> EventTriggers { get; init; } = [];

    /// <summary>What the code of relations names, as PostgreSQL has noted it: exact, whatever the search_path was.</summary>
    public IReadOnlyList<RelationDependency> Dependencies { get; init; } = [];

    /// <summary>Every foreign key: TRUNCATE CASCADE of the first reaches the second.</summary>
    public IReadOnlyList<RelationEdge> References { get; init; } = [];

    /// <summary>Settings that sessions begin with.</summary>
    public IReadOnlyList<DefaultRow> Defaults { get; init; } = [];

    /// <summary>Who has read all this.</summary>
    public string Reader { get; init; } = "";
}

/// <summary>The code of a relation names a function, or another relation.</summary>
/// <param name="Relation">Whose code.</param>
/// <param name="Kind">Which code, which says when it runs.</param>
/// <param name="IsFunction">What is named is in pg_proc, else in pg_class.</param>
/// <param name="Object">Its oid.</param>
internal readonly record struct RelationDependency(uint Relation, RelationTextKind Kind, bool IsFunction, uint Object);

/// <summary>One function, procedure, aggregate or window function that PostgreSQL does not come with.</summary>
/// <param name="Oid">pg_proc.oid.</param>
/// <param name="Schema">Its schema.</param>
/// <param name="Name">Its name.</param>
/// <param name="Arguments">Types of its input arguments, for people.</param>
/// <param name="ArgumentCount">How many.</param>
/// <param name="DefaultCount">How many of them have a default.</param>
/// <param name="IsVariadic">Takes any number more.</param>
/// <param name="Language">pg_language.lanname.</param>
/// <param name="Kind">pg_proc.prokind: f, p, a, w.</param>
/// <param name="Volatility">pg_proc.provolatile: i, s, v.</param>
/// <param name="IsSecurityDefiner">pg_proc.prosecdef.</param>
/// <param name="Settings">pg_proc.proconfig as text, null if there is none.</param>
/// <param name="TakesRow">Its one argument is a composite type, so that <c>row.name</c> may call it.</param>
/// <param name="Extension">The extension it belongs to, null if none.</param>
/// <param name="Body">Its text, for languages that are read.</param>
internal sealed record RoutineRow(
    uint Oid,
    string Schema,
    string Name,
    string Arguments,
    int ArgumentCount,
    int DefaultCount,
    bool IsVariadic,
    string Language,
    char Kind,
    char Volatility,
    bool IsSecurityDefiner,
    string? Settings,
    bool TakesRow,
    string? Extension,
    string? Body)
{
    /// <summary>The first oid that is not of initdb (FirstNormalObjectId).</summary>
    public const uint FirstUserOid = 16384;

    public Volatility VolatilityClass => Volatility switch
    {
        'i' => Catalog.Volatility.Immutable,
        's' => Catalog.Volatility.Stable,
        _ => Catalog.Volatility.Volatile,
    };

    /// <summary>Can it be called with so many arguments?</summary>
    public bool Takes(int arguments) =>
        arguments >= ArgumentCount - DefaultCount - (IsVariadic ? 1 : 0) && (arguments <= ArgumentCount || IsVariadic);

    /// <summary>Made by a user or an extension, and not by initdb.</summary>
    public bool IsOfUser => Oid >= FirstUserOid;
}

/// <summary>A function by oid and name; the oid of PostgreSQL's own is below 16384.</summary>
internal readonly record struct FunctionRef(uint Oid, string Name);

/// <summary>A function that an aggregate is made of.</summary>
internal readonly record struct AggregateRow(uint Aggregate, FunctionRef Function);

/// <summary>A table, view, materialised view, partitioned or foreign table, or a sequence.</summary>
/// <param name="Oid">pg_class.oid.</param>
/// <param name="Schema">Its schema.</param>
/// <param name="Name">Its name.</param>
/// <param name="Kind">pg_class.relkind: r, p, v, m, f, S.</param>
/// <param name="Persistence">pg_class.relpersistence: p, u, t.</param>
internal sealed record RelationRow(uint Oid, string Schema, string Name, char Kind, char Persistence)
{
    /// <summary>
    /// A standby cannot read unlogged tables and has none that are temporary; of a sequence it knows the value logged in advance; what a foreign table
    /// holds may be a file of the node.
    /// </summary>
    public bool IsOfPrimary => Kind is 'S' or 'f' || Persistence != 'p';
}

/// <summary>Code that belongs to a relation.</summary>
/// <param name="Relation">pg_class.oid.</param>
/// <param name="Kind">What it is, which says when it runs.</param>
/// <param name="Text">A query, a rule's actions, an expression or a definition around one.</param>
internal readonly record struct RelationText(uint Relation, RelationTextKind Kind, string Text);

/// <summary>What a <see cref="RelationText"/> is.</summary>
internal enum RelationTextKind : byte
{
    /// <summary>The query of a view or a materialised view: whenever it is named.</summary>
    View,

    /// <summary>A row-level policy: whenever it is named.</summary>
    Policy,

    /// <summary>Actions of a rule: when it is written.</summary>
    Rule,

    /// <summary>Defaults, generated columns, checks, index expressions, conditions of triggers: when it is written.</summary>
    OnWrite,
}

/// <summary>A trigger on a table.</summary>
internal readonly record struct TriggerRow(uint Relation, FunctionRef Function);

/// <summary>See <see cref="CatalogRows.Edges"/>.</summary>
internal readonly record struct RelationEdge(uint From, uint To);
