using PgRouter.Sql;

namespace PgRouter.Core.Catalog;

/// <summary>
/// Who may run whose code: nodes with the traits of their own text, edges to what they call, fire or read. <see cref="Close"/> carries the traits
/// along the edges, through recursion too. Used by one thread while a catalog is built.
/// </summary>
internal sealed class CatalogGraph
{
    private readonly List<SessionTraits> _traits = [];
    private readonly List<List<int>?> _edges = [];

    public int Add(SessionTraits traits)
    {
        _traits.Add(traits);
        _edges.Add(null);
        return _traits.Count - 1;
    }

    public void Raise(int node, SessionTraits traits) => _traits[node] |= traits;

    public void Connect(int from, int to)
    {
        if (from != to)
            (_edges[from] ??= []).Add(to);
    }

    public SessionTraits this[int node] => _traits[node];

    /// <summary>Repeats until nothing changes: as many rounds as the longest chain of calls, and few in practice.</summary>
    public void Close()
    {
        var hasChanged = true;
        while (hasChanged)
        {
            hasChanged = false;
            for (var node = _traits.Count - 1; node >= 0; node--)
            {
                var traits = _traits[node];
                foreach (var other in _edges[node] ?? [])
                    traits |= _traits[other];
                hasChanged |= traits != _traits[node];
                _traits[node] = traits;
            }
        }
    }
}
