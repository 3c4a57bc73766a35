using PgRouter.Sql;

namespace PgRouter.Core.Catalog;

/// <summary>
/// Everything that the statements of one text lead to, under one search_path: walks the graph from the nodes that the text names. Used by one thread
/// for one text.
/// </summary>
internal sealed class CatalogReach(CatalogGraph graph, SearchPath path)
{
    private readonly HashSet<(int Node, bool AnySchema)> _seen = [];
    private readonly Stack<(int Node, bool AnySchema)> _open = new();
    private readonly HashSet<int> _starts = [];

    public SessionTraits Traits { get; private set; }

    public HashSet<uint> Reads { get; } = [];

    public HashSet<uint> Writes { get; } = [];

    /// <summary>It may read and write any relation.</summary>
    public bool IsEverything { get; private set; }

    /// <summary>What runs behind it in the same transaction may find other objects by the same names.</summary>
    public bool ChangesNames { get; private set; }

    /// <summary>Follows a node that the text names.</summary>
    public void Add(int node)
    {
        if (_starts.Add(node))
            Follow(node);
    }

    /// <summary>Follows code that may run though nothing names it. By its body it counts, not by what it is declared to be.</summary>
    public void Follow(int node)
    {
        _open.Push((node, path.IsAny));
        while (_open.TryPop(out var next))
            Visit(next.Node, next.AnySchema);
    }

    private void Visit(int index, bool anySchema)
    {
        if (!_seen.Add((index, anySchema)) || (!anySchema && _seen.Contains((index, true))))
            return;
        var node = graph[index];
        Traits |= graph.OwnTraits(index);
        ChangesNames |= node.ChangesNames;
        switch (node.Kind)
        {
            case CatalogNodeKind.Read:
                Reads.Add(node.Oid);
                break;
            case CatalogNodeKind.Write:
                Writes.Add(node.Oid);
                break;
            case CatalogNodeKind.Everything:
                IsEverything = true;
                break;
        }
        anySchema |= node.HasOwnNames;
        foreach (var other in graph.Edges(index))
        {
            if (anySchema || node.Kind != CatalogNodeKind.Name || graph[other].Schema is not { } schema || path.Contains(schema))
                _open.Push((other, anySchema));
        }
    }

    /// <summary>
    /// Does a view, a policy or an aggregate that the text names call a volatile function? A function that is declared stable is taken at its word for
    /// those that it calls.
    /// </summary>
    public bool LeadsToVolatile()
    {
        var seen = new HashSet<int>();
        var open = new Stack<int>(_starts);
        while (open.TryPop(out var index))
        {
            if (!seen.Add(index))
                continue;
            var node = graph[index];
            if (node.IsVolatile)
                return true;
            if (node.Kind == CatalogNodeKind.Routine)
                continue;
            foreach (var other in graph.Edges(index))
            {
                if (node.Kind != CatalogNodeKind.Name || graph[other].Schema is not { } schema || path.Contains(schema))
                    open.Push(other);
            }
        }
        return false;
    }
}
