using PgRouter.Sql;

namespace PgRouter.Core.Catalog;

/// <summary>Makes a <see cref="DatabaseCatalog"/> of the rows of one load: reads the bodies, connects what calls what, sums up. Pure but for the
/// memory of bodies read before.</summary>
internal sealed class CatalogBuilder
{
    private readonly CatalogRows _rows;
    private readonly BodyMemory _bodies;
    private readonly CatalogGraph _graph = new();
    private readonly Dictionary<uint, int> _routines = [];
    private readonly Dictionary<ObjectName, List<RoutineNode>> _routinesByName = [];
    private readonly Dictionary<uint, RelationNode> _relations = [];
    private readonly Dictionary<ObjectName, List<RelationNode>> _relationsByName = [];
    private readonly Dictionary<ObjectName, int> _callNames = [];
    private readonly Dictionary<(string Name, bool Writes), int> _relationNames = [];
    private readonly List<(int Node, RoutineBody Body)> _read = [];
    private readonly List<RoutineRow> _rowFunctions = [];
    private readonly int _ambient;
    private readonly int _ddl;
    private readonly int _everything;

    private CatalogBuilder(CatalogRows rows, BodyMemory bodies)
    {
        _rows = rows;
        _bodies = bodies;
        _ambient = _graph.Add(CatalogNodeKind.Group);
        _ddl = _graph.Add(CatalogNodeKind.Group);
        _everything = _graph.Add(CatalogNodeKind.Everything);
    }

    public static DatabaseCatalog Build(CatalogRows rows, long generation, BodyMemory bodies)
    {
        var builder = new CatalogBuilder(rows, bodies);
        builder.AddNodes();
        builder.AddEdges();
        builder._graph.Close();
        return builder.ToCatalog(generation);
    }

    private void AddNodes()
    {
        foreach (var row in _rows.Routines)
            AddRoutine(row);
        foreach (var row in _rows.Relations)
            AddRelation(row);
    }

    private void AddRelation(RelationRow row)
    {
        var node = new RelationNode(
            row,
            _graph.Add(CatalogNodeKind.Read, row.IsOfPrimary ? SessionTraits.ReadsNode : SessionTraits.None, row.Schema, row.Oid),
            _graph.Add(CatalogNodeKind.Write, SessionTraits.None, row.Schema, row.Oid));
        _relations[row.Oid] = node;
        _graph.Connect(node.WriteNode, node.ReadNode);
        _graph.Connect(_everything, node.WriteNode);
        Name(_relationsByName, new ObjectName(null, row.Name), node);
        Name(_relationsByName, new ObjectName(row.Schema, row.Name), node);
    }

    private void AddRoutine(RoutineRow row)
    {
        var body = BodyOf(row);
        var node = _graph.Add(
            new CatalogNode(row.Kind == 'a' ? CatalogNodeKind.Aggregate : CatalogNodeKind.Routine, row.Schema, row.Oid)
            {
                IsVolatile = row.Kind != 'a' && row.VolatilityClass == Volatility.Volatile && !IsHarmless(row),
                HasOwnNames = body.MayChangeNames || (row.Settings?.Contains(RoutineBody.SearchPath, StringComparison.Ordinal) ?? false),
                ChangesNames = body.MayChangeNames,
            },
            body.Traits);
        _read.Add((node, body));
        // Those of information_schema only read the catalogs, which whoever calls them is told of by their name.
        if (row.IsOfUser || body.Traits.HasFlag(SessionTraits.IsOpaque))
            _graph.Connect(_everything, node);
        _routines[row.Oid] = node;
        Name(_routinesByName, new ObjectName(null, row.Name), new RoutineNode(row, node));
        Name(_routinesByName, new ObjectName(row.Schema, row.Name), new RoutineNode(row, node));
        if (row.TakesRow)
            _rowFunctions.Add(row);
        // Its name hides a built-in one, so that statements that call it do not list it.
        if (BuiltinTraits.IsBuiltin(row.Name))
            _graph.Connect(_ambient, node);
    }

    private static void Name<T>(Dictionary<ObjectName, List<T>> names, ObjectName name, T node)
    {
        if (!names.TryGetValue(name, out var nodes))
            names.Add(name, nodes = []);
        nodes.Add(node);
    }

    /// <summary>
    /// C code that its author calls immutable or stable is taken at its word, as the planner takes it; volatile C code is trusted only when its
    /// extension is known.
    /// </summary>
    private RoutineBody BodyOf(RoutineRow row)
    {
        if (row.Kind == 'a')
            return RoutineBody.Harmless; // It is what its parts are.
        if (row.Language is "c" or "internal")
            return row.Volatility != 'v' || IsTrusted(row) ? RoutineBody.Harmless : RoutineBody.Opaque;
        return row.Body is not null && BodyReader.LanguageOf(row.Language) is { } language
            ? _bodies.Read(language, row.Body)
            : RoutineBody.Opaque;
    }

    private static bool IsTrusted(RoutineRow row) => row.Extension is not null && TrustedExtensions.Contains(row.Extension);

    /// <summary>Volatile only because it answers differently each time, like random().</summary>
    private static bool IsHarmless(RoutineRow row) =>
        row.Language == "c" && row.Extension is not null && TrustedExtensions.OnlyComputes(row.Extension);

    private void AddEdges()
    {
        foreach (var row in _rows.Aggregates)
            ConnectFunction(_routines.GetValueOrDefault(row.Aggregate, _ambient), row.Function);
        foreach (var function in _rows.Implicit)
            ConnectFunction(_ambient, function);
        foreach (var text in _rows.ImplicitTexts)
            _read.Add((_ambient, _bodies.Read(BodyLanguage.Expression, text)));
        foreach (var function in _rows.EventTriggers)
            ConnectFunction(_ddl, function);
        foreach (var text in _rows.Texts)
            AddText(text);
        foreach (var dependency in _rows.Dependencies)
            AddDependency(dependency);
        foreach (var trigger in _rows.Triggers)
        {
            if (_relations.TryGetValue(trigger.Relation, out var relation))
                ConnectFunction(relation.WriteNode, trigger.Function);
        }

        foreach (var edge in _rows.Edges)
        {
            if (_relations.TryGetValue(edge.From, out var from) && _relations.TryGetValue(edge.To, out var to))
            {
                _graph.Connect(from.WriteNode, to.WriteNode);
                _graph.Connect(from.ReadNode, to.ReadNode);
            }
        }

        foreach (var (node, body) in _read)
            ConnectBody(node, body);
        _graph.Connect(_everything, _ambient);
        _graph.Connect(_everything, _ddl);
    }

    /// <summary>What the code of a relation does by PostgreSQL's own functions and statements; what else it names, its dependencies say.</summary>
    private void AddText(RelationText text)
    {
        if (!_relations.TryGetValue(text.Relation, out var relation))
            return;
        var (language, node) = text.Kind switch
        {
            RelationTextKind.View => (BodyLanguage.Sql, relation.ReadNode),
            RelationTextKind.Policy => (BodyLanguage.Expression, relation.ReadNode),
            RelationTextKind.Rule => (BodyLanguage.Sql, relation.WriteNode),
            _ => (BodyLanguage.Expression, relation.WriteNode),
        };
        _graph.Raise(node, _bodies.Read(language, text.Kind == RelationTextKind.Rule ? ActionsOf(text.Text) : text.Text).Traits);
    }

    /// <summary>CREATE RULE name AS ON event TO table [WHERE ..] DO [INSTEAD] actions: not the CREATE.</summary>
    private static string ActionsOf(string rule)
    {
        var start = rule.IndexOf("ON ", StringComparison.Ordinal);
        return start < 0 ? rule : rule[start..];
    }

    private void AddDependency(RelationDependency dependency)
    {
        if (!_relations.TryGetValue(dependency.Relation, out var relation))
            return;
        var isRead = dependency.Kind is RelationTextKind.View or RelationTextKind.Policy;
        if (dependency.IsFunction)
        {
            if (_routines.TryGetValue(dependency.Object, out var routine))
                _graph.Connect(isRead ? relation.ReadNode : relation.WriteNode, routine);
            return;
        }

        if (!_relations.TryGetValue(dependency.Object, out var other))
            return;
        if (isRead)
            _graph.Connect(relation.ReadNode, other.ReadNode);
        // An INSERT into a view writes what the view names.
        if (dependency.Kind is RelationTextKind.View or RelationTextKind.Rule)
            _graph.Connect(relation.WriteNode, other.WriteNode);
    }

    private void ConnectFunction(int node, FunctionRef function)
    {
        if (_routines.TryGetValue(function.Oid, out var routine))
            _graph.Connect(node, routine);
        else
            _graph.Raise(node, function.Oid < RoutineRow.FirstUserOid ? BuiltinTraits.Of(function.Name) : SessionTraits.Anything);
    }

    private void ConnectBody(int node, RoutineBody body)
    {
        _graph.Raise(node, body.Traits);
        if (body.HasUnknownNames || body.Traits.HasFlag(SessionTraits.IsOpaque))
            _graph.Connect(node, _everything);
        if (body.Traits.HasFlag(SessionTraits.RunsDdl))
            _graph.Connect(node, _ddl);
        foreach (var call in body.Calls)
            ConnectCall(node, new ObjectName(call.Schema, call.Name));
        foreach (var row in _rowFunctions)
        {
            if (body.Names.Contains(row.Name))
                ConnectCall(node, new ObjectName(null, row.Name));
        }

        var writes = body.Traits.HasFlag(SessionTraits.Writes);
        foreach (var name in body.Names)
        {
            if (NodeOfRelationName(name, writes) is { } named)
                _graph.Connect(node, named);
        }
    }

    private void ConnectCall(int node, ObjectName name)
    {
        if (!_routinesByName.TryGetValue(name, out var routines))
            return;
        if (!_callNames.TryGetValue(name, out var named))
        {
            _callNames.Add(name, named = _graph.Add(name.Schema is null ? CatalogNodeKind.Name : CatalogNodeKind.Group));
            foreach (var routine in routines)
                _graph.Connect(named, routine.Node);
        }
        _graph.Connect(node, named);
    }

    /// <summary>One node for all relations of a name, so that a thousand schemas of the same tables and functions are not a million edges.</summary>
    private int? NodeOfRelationName(string name, bool writes)
    {
        if (_relationNames.TryGetValue((name, writes), out var known))
            return known;
        if (!_relationsByName.TryGetValue(new ObjectName(null, name), out var relations))
            return null;
        var named = _graph.Add(CatalogNodeKind.Name);
        _relationNames.Add((name, writes), named);
        foreach (var relation in relations)
            _graph.Connect(named, writes ? relation.WriteNode : relation.ReadNode);
        return named;
    }

    private DatabaseCatalog ToCatalog(long generation)
    {
        var writes = SessionTraits.None;
        foreach (var relation in _relations.Values)
            writes |= _graph.AllTraits(relation.WriteNode);
        return new DatabaseCatalog(generation, _graph)
        {
            IsKnown = true,
            Functions = _routinesByName,
            Relations = _relationsByName,
            RelationsByOid = _relations,
            References = _rows.References.ToLookup(edge => edge.From, edge => edge.To),
            Ambient = _ambient,
            DdlCode = _ddl,
            AnyTraits = _graph.AllTraits(_everything),
            AmbientTraits = _graph.AllTraits(_ambient),
            TraitsOfWrites = writes | _graph.AllTraits(_ambient),
            TraitsOfDdl = _graph.AllTraits(_ddl),
            HasSequences = _rows.Relations.Any(row => row.Kind == 'S'),
            Signature = Sign(),
            HasNameChangers = _read.Any(entry => entry.Body.MayChangeNames),
            Routines = [.. _rows.Routines.Select(RoutineOf)],
            RowFunctions = [.. _rowFunctions.Select(RoutineOf)],
            RowFunctionNodes = [.. _rowFunctions.Select(row => (row.Name, _routines[row.Oid]))],
            Defaults = new SessionDefaults(_rows.Defaults, _rows.Reader),
        };
    }

    private long Sign()
    {
        var signature = 0L;
        foreach (var row in _rows.Relations)
            signature += HashCode.Combine(row.Oid, row.Schema, row.Name, row.Kind, row.Persistence);
        foreach (var row in _rows.Routines)
            signature += HashCode.Combine(row.Oid, row.Schema, row.Name, row.Volatility, row.Body);
        return signature;
    }

    private Routine RoutineOf(RoutineRow row) => new(row, _graph.AllTraits(_routines[row.Oid]));
}
