using PgRouter.Sql;

namespace PgRouter.Core.Catalog;

/// <summary>What a node of the graph stands for.</summary>
internal enum CatalogNodeKind : byte
{
    /// <summary>Holds others together.</summary>
    Group,

    /// <summary>Whatever bears a name that is written without a schema: the search_path says which of its edges count.</summary>
    Name,

    /// <summary>A function or procedure.</summary>
    Routine,

    /// <summary>An aggregate, which is what its functions are.</summary>
    Aggregate,

    /// <summary>A relation that is read.</summary>
    Read,

    /// <summary>A relation that is written.</summary>
    Write,

    /// <summary>Any relation whatever may be read and written.</summary>
    Everything,
}

/// <summary>One node: what its own text does, not what it leads to.</summary>
/// <param name="Kind">What it stands for.</param>
/// <param name="Schema">The schema of a routine or a relation, else null.</param>
/// <param name="Oid">Of a routine or a relation, else 0.</param>
internal sealed record CatalogNode(CatalogNodeKind Kind, string? Schema, uint Oid)
{
    /// <summary>A function that pg_proc calls volatile, and that is not known to be harmless.</summary>
    public bool IsVolatile { get; init; }

    /// <summary>What runs inside it may find other objects by the same names than its caller.</summary>
    public bool HasOwnNames { get; set; }

    /// <summary>What runs behind it may, too.</summary>
    public bool ChangesNames { get; set; }
}

/// <summary>
/// Who may run whose code and touch which relation: nodes with the traits of their own text, edges to what they call, fire, read or write. Built by
/// one thread; after <see cref="Close"/> it does not change.
/// </summary>
internal sealed class CatalogGraph
{
    private static readonly int[] None = [];

    private readonly List<CatalogNode> _nodes = [];
    private readonly List<SessionTraits> _own = [];
    private readonly List<List<int>?> _building = [];
    private SessionTraits[] _closed = [];
    private int[][] _edges = [];

    public int Add(CatalogNodeKind kind, SessionTraits traits = SessionTraits.None, string? schema = null, uint oid = 0) =>
        Add(new CatalogNode(kind, schema, oid), traits);

    public int Add(CatalogNode node, SessionTraits traits)
    {
        _nodes.Add(node);
        _own.Add(traits);
        _building.Add(null);
        return _nodes.Count - 1;
    }

    public void Raise(int node, SessionTraits traits) => _own[node] |= traits;

    public void Connect(int from, int to)
    {
        if (from != to)
            (_building[from] ??= []).Add(to);
    }

    public CatalogNode this[int node] => _nodes[node];

    public SessionTraits OwnTraits(int node) => _own[node];

    /// <summary>With those of all that it leads to, whatever the search_path.</summary>
    public SessionTraits AllTraits(int node) => _closed[node];

    public ReadOnlySpan<int> Edges(int node) => _edges[node];

    /// <summary>
    /// Carries the traits along the edges, through recursion too: repeats until nothing changes, as many rounds as the longest chain of calls, and few
    /// in practice.
    /// </summary>
    public void Close()
    {
        _edges = [.. _building.Select(edges => edges is null ? None : edges.Distinct().ToArray())];
        _building.Clear();
        _closed = [.. _own];
        var hasChanged = true;
        while (hasChanged)
        {
            hasChanged = false;
            for (var node = _closed.Length - 1; node >= 0; node--)
            {
                var traits = _closed[node];
                foreach (var other in _edges[node])
                    traits |= _closed[other];
                hasChanged |= traits != _closed[node];
                _closed[node] = traits;
            }
        }
    }
}
