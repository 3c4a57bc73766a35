using System.Collections.Frozen;
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
    private readonly Dictionary<ObjectName, List<int>> _routinesByName = [];
    private readonly Dictionary<uint, (int Read, int Write)> _relations = [];
    private readonly Dictionary<string, List<uint>> _relationsByName = new(StringComparer.Ordinal);
    private readonly List<(int Node, RoutineBody Body)> _read = [];
    private readonly List<RoutineRow> _rowFunctions = [];
    private readonly int _ambient;
    private readonly int _ddl;
    private readonly int _everything;

    private CatalogBuilder(CatalogRows rows, BodyMemory bodies)
    {
        _rows = rows;
        _bodies = bodies;
        _ambient = _graph.Add(SessionTraits.None);
        _ddl = _graph.Add(SessionTraits.None);
        _everything = _graph.Add(SessionTraits.None);
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
        {
            var nodes = (Read: _graph.Add(row.IsOfPrimary ? SessionTraits.ReadsNode : SessionTraits.None), Write: _graph.Add(SessionTraits.None));
            _relations[row.Oid] = nodes;
            _graph.Connect(nodes.Write, nodes.Read);
            _graph.Connect(_everything, nodes.Write);
            if (!_relationsByName.TryGetValue(row.Name, out var sameName))
                _relationsByName.Add(row.Name, sameName = []);
            sameName.Add(row.Oid);
        }
    }

    private void AddRoutine(RoutineRow row)
    {
        var body = BodyOf(row);
        var node = _graph.Add(body.Traits);
        _read.Add((node, body));
        // Those of information_schema only read the catalogs, which whoever calls them is told of by their name.
        if (row.IsOfUser || body.Traits.HasFlag(SessionTraits.IsOpaque))
            _graph.Connect(_everything, node);
        _routines[row.Oid] = node;
        Name(new ObjectName(null, row.Name), node);
        Name(new ObjectName(row.Schema, row.Name), node);
        if (row.TakesRow)
            _rowFunctions.Add(row);
        // Its name hides a built-in one, so that statements that call it do not list it.
        if (BuiltinTraits.IsBuiltin(row.Name))
            _graph.Connect(_ambient, node);
    }

    private void Name(ObjectName name, int node)
    {
        if (!_routinesByName.TryGetValue(name, out var nodes))
            _routinesByName.Add(name, nodes = []);
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
        foreach (var trigger in _rows.Triggers)
        {
            if (_relations.TryGetValue(trigger.Relation, out var relation))
                ConnectFunction(relation.Write, trigger.Function);
        }

        foreach (var edge in _rows.Edges)
        {
            if (_relations.TryGetValue(edge.From, out var from) && _relations.TryGetValue(edge.To, out var to))
            {
                _graph.Connect(from.Write, to.Write);
                _graph.Connect(from.Read, to.Read);
            }
        }

        foreach (var (node, body) in _read)
            ConnectBody(node, body);
        _graph.Connect(_everything, _ambient);
        _graph.Connect(_everything, _ddl);
    }

    private void AddText(RelationText text)
    {
        if (!_relations.TryGetValue(text.Relation, out var relation))
            return;
        var (language, node) = text.Kind switch
        {
            RelationTextKind.View => (BodyLanguage.Sql, relation.Read),
            RelationTextKind.Policy => (BodyLanguage.Expression, relation.Read),
            RelationTextKind.Rule => (BodyLanguage.Sql, relation.Write),
            _ => (BodyLanguage.Expression, relation.Write),
        };
        var body = _bodies.Read(language, text.Kind == RelationTextKind.Rule ? ActionsOf(text.Text) : text.Text);
        _graph.Raise(node, body.Traits);
        _read.Add((node, body));
        // An INSERT into a view writes what the view names.
        if (text.Kind == RelationTextKind.View)
            ConnectNames(relation.Write, body, writes: true);
    }

    /// <summary>CREATE RULE name AS ON event TO table [WHERE ..] DO [INSTEAD] actions: not the CREATE.</summary>
    private static string ActionsOf(string rule)
    {
        var start = rule.IndexOf("ON ", StringComparison.Ordinal);
        return start < 0 ? rule : rule[start..];
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
        if (body.HasUnknownNames)
            _graph.Connect(node, _everything);
        if (body.Traits.HasFlag(SessionTraits.RunsDdl))
            _graph.Connect(node, _ddl);
        foreach (var call in body.Calls)
        {
            foreach (var routine in _routinesByName.GetValueOrDefault(new ObjectName(call.Schema, call.Name)) ?? [])
                _graph.Connect(node, routine);
        }

        foreach (var row in _rowFunctions)
        {
            if (body.Names.Contains(row.Name))
                _graph.Connect(node, _routines[row.Oid]);
        }

        ConnectNames(node, body, body.Traits.HasFlag(SessionTraits.Writes));
    }

    private void ConnectNames(int node, RoutineBody body, bool writes)
    {
        foreach (var name in body.Names)
        {
            foreach (var oid in _relationsByName.GetValueOrDefault(name) ?? [])
                _graph.Connect(node, writes ? _relations[oid].Write : _relations[oid].Read);
        }
    }

    private DatabaseCatalog ToCatalog(long generation)
    {
        var rows = _rows.Routines.ToDictionary(row => _routines[row.Oid]);
        var functions = _routinesByName.ToFrozenDictionary(entry => entry.Key, entry => new FunctionFacts(
            entry.Value.Aggregate(SessionTraits.None, (traits, node) => traits | _graph[node]), [.. entry.Value.Select(node => rows[node])]));
        var relations = new Dictionary<ObjectName, RelationTraits>();
        var writes = SessionTraits.None;
        foreach (var row in _rows.Relations)
        {
            var nodes = _relations[row.Oid];
            var traits = new RelationTraits(_graph[nodes.Read], _graph[nodes.Write]);
            writes |= traits.OnWrite;
            if (traits == default)
                continue;
            AddRelation(relations, new ObjectName(null, row.Name), traits);
            AddRelation(relations, new ObjectName(row.Schema, row.Name), traits);
        }

        return new DatabaseCatalog(generation, functions, relations.ToFrozenDictionary())
        {
            IsKnown = true,
            AnyTraits = _graph[_everything],
            AmbientTraits = _graph[_ambient],
            TraitsOfWrites = writes | _graph[_ambient],
            TraitsOfDdl = _graph[_ddl],
            HasSequences = _rows.Relations.Any(row => row.Kind == 'S'),
            Routines = [.. _rows.Routines.Select(RoutineOf)],
            RowFunctions = [.. _rowFunctions.Select(RoutineOf).Where(routine => routine.Traits != SessionTraits.None)],
        };
    }

    private Routine RoutineOf(RoutineRow row) => new(row, _graph[_routines[row.Oid]]);

    private static void AddRelation(Dictionary<ObjectName, RelationTraits> relations, ObjectName name, RelationTraits traits) =>
        relations[name] = relations.GetValueOrDefault(name) | traits;
}
