using System.Collections.Frozen;
using System.Runtime.CompilerServices;
using System.Text;

namespace PgRouter.Sql;

/// <summary>What a node that stands inside a statement means for where the statement may run.</summary>
internal enum NodeDecision : byte
{
    /// <summary>Not in the table: a node of a grammar that nobody has looked at. The statement counts as a write.</summary>
    Unknown,

    /// <summary>Only PostgreSQL's analysis and planner make it, never the grammar. Counts as a write, too.</summary>
    NotOfGrammar,

    /// <summary>Harmless by itself; what stands in it decides.</summary>
    Walk,

    /// <summary>Holds nothing that could run: constants, parameters, names.</summary>
    Leaf,

    /// <summary>A column, or a function of one row written like one.</summary>
    Column,

    /// <summary>A call, judged by the table of functions.</summary>
    Function,

    /// <summary>An output column or an assignment.</summary>
    OutputColumn,

    /// <summary>A function as an item of FROM.</summary>
    FromItem,

    /// <summary>A subquery.</summary>
    Query,

    /// <summary>FOR UPDATE and its kind: takes row locks, which is a write.</summary>
    Locking,

    /// <summary>TABLESAMPLE: calls the function of its method.</summary>
    Sample,

    /// <summary>INSERT, UPDATE, DELETE, MERGE inside a statement.</summary>
    Modification,

    /// <summary>Any other statement inside a statement (CREATE SCHEMA, CREATE RULE, bodies of functions), and INTO. Writes.</summary>
    Statement,
}

/// <summary>
/// The decision for every type of node that stands below the top of libpg_query's tree. A type that is not in here raises the statement to a write,
/// so nothing of a later grammar can reach a standby unseen. Statements by themselves are in <see cref="StatementTypes"/>.
/// </summary>
internal static class NodeTypes
{
    private const int LongestName = 40;

    private const string Walk = """
        A_ArrayExpr A_Expr A_Indices A_Indirection AccessPriv Alias AlterTableCmd BoolExpr BooleanTest CTECycleClause CTESearchClause CaseExpr
        CaseWhen CoalesceExpr CollateClause ColumnDef CommonTableExpr Constraint CreateOpClassItem DefElem FunctionParameter GroupingFunc
        GroupingSet IndexElem InferClause JoinExpr List MergeWhenClause MinMaxExpr MultiAssignRef NamedArgExpr NullTest ObjectWithArgs
        OnConflictClause PartitionBoundSpec PartitionCmd PartitionElem PartitionSpec PublicationObjSpec PublicationTable RangeSubselect
        RangeTableFunc RangeTableFuncCol RangeVar RowExpr SQLValueFunction SortBy StatsElem SubLink TableLikeClause TriggerTransition TypeCast
        VacuumRelation WindowDef WithClause XmlExpr XmlSerialize
        """;

    private const string Leaf = "A_Const A_Star BitString Boolean CurrentOfExpr Float Integer ParamRef RoleSpec SetToDefault String TypeName";

    /// <summary>SQL/JSON of the grammars of PostgreSQL 16 and 17: expressions of their arguments.</summary>
    private const string WalkOfLaterVersions = """
        JsonAggConstructor JsonArrayAgg JsonArrayConstructor JsonArrayQueryConstructor JsonFormat JsonIsPredicate JsonKeyValue JsonObjectAgg
        JsonObjectConstructor JsonOutput JsonReturning JsonValueExpr
        JsonArgument JsonBehavior JsonFuncExpr JsonParseExpr JsonScalarExpr JsonSerializeExpr JsonTable JsonTableColumn JsonTablePathSpec
        """;

    private const string NotOfGrammar = """
        Aggref AlternativeSubPlan ArrayCoerceExpr ArrayExpr CallContext CaseTestExpr CoerceToDomain CoerceToDomainValue CoerceViaIO CollateExpr
        ConvertRowtypeExpr DistinctExpr FieldSelect FieldStore FromExpr FuncExpr InferenceElem InlineCodeBlock IntList MergeAction NextValueExpr
        NullIfExpr OidList OnConflictExpr OpExpr Param PartitionRangeDatum Query RangeTblEntry RangeTblFunction RangeTblRef RelabelType
        RowCompareExpr RowMarkClause ScalarArrayOpExpr SetOperationStmt SortGroupClause SubPlan SubscriptingRef TableFunc TableSampleClause
        TargetEntry Var WindowClause WindowFunc WithCheckOption
        """;

    private static readonly FrozenDictionary<string, NodeDecision> Table = Build();
    private static readonly FrozenDictionary<string, NodeDecision>.AlternateLookup<ReadOnlySpan<char>> Lookup =
        Table.GetAlternateLookup<ReadOnlySpan<char>>();

    public static IReadOnlyDictionary<string, NodeDecision> All => Table;

    public static IEnumerable<string> OfLaterVersions => Split(WalkOfLaterVersions);

    /// <summary>Not inlined: its buffer would cost stack at each level of a deep tree.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static NodeDecision DecisionOf(ReadOnlySpan<byte> type)
    {
        if (type.Length > LongestName)
            return NodeDecision.Unknown;
        Span<char> name = stackalloc char[LongestName];
        return Encoding.UTF8.TryGetChars(type, name, out var length) && Lookup.TryGetValue(name[..length], out var decision)
            ? decision
            : NodeDecision.Unknown;
    }

    private static FrozenDictionary<string, NodeDecision> Build()
    {
        var table = new Dictionary<string, NodeDecision>(StringComparer.Ordinal)
        {
            ["ColumnRef"] = NodeDecision.Column,
            ["FuncCall"] = NodeDecision.Function,
            ["IntoClause"] = NodeDecision.Statement,
            ["LockingClause"] = NodeDecision.Locking,
            ["RangeFunction"] = NodeDecision.FromItem,
            ["RangeTableSample"] = NodeDecision.Sample,
            ["ResTarget"] = NodeDecision.OutputColumn,
            ["SelectStmt"] = NodeDecision.Query,
            ["InsertStmt"] = NodeDecision.Modification,
            ["UpdateStmt"] = NodeDecision.Modification,
            ["DeleteStmt"] = NodeDecision.Modification,
            ["MergeStmt"] = NodeDecision.Modification,
        };
        foreach (var statement in StatementTypes.All.Keys)
            table.TryAdd(statement, NodeDecision.Statement);
        Add(table, Walk, NodeDecision.Walk);
        Add(table, WalkOfLaterVersions, NodeDecision.Walk);
        Add(table, Leaf, NodeDecision.Leaf);
        Add(table, NotOfGrammar, NodeDecision.NotOfGrammar);
        return table.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private static void Add(Dictionary<string, NodeDecision> table, string names, NodeDecision decision)
    {
        foreach (var name in Split(names))
            table.Add(name, decision);
    }

    private static string[] Split(string names) => names.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
}
