namespace PgRouter.Core.Servers;

/// <summary>What is prepared on one server, least recently used first out. Loop thread only; allocates nothing on a hit.</summary>
internal sealed class PreparedSet
{
    private readonly Dictionary<long, LinkedListNode<PreparedStatement>> _nodes = [];
    private readonly LinkedList<PreparedStatement> _order = [];

    public int Count => _nodes.Count;

    /// <summary>Is it prepared there? Marks it as used now.</summary>
    public bool Touch(PreparedStatement statement)
    {
        if (!_nodes.TryGetValue(statement.Id, out var node))
            return false;
        if (node.Previous is not null)
        {
            _order.Remove(node);
            _order.AddFirst(node);
        }
        return true;
    }

    /// <summary>Notes that it is being prepared; returns the one to close when there are now more than <paramref name="limit"/> (0 = no limit).</summary>
    public PreparedStatement? Add(PreparedStatement statement, int limit)
    {
        _nodes[statement.Id] = _order.AddFirst(statement);
        if (limit <= 0 || _nodes.Count <= limit)
            return null;
        var oldest = _order.Last!.Value;
        Remove(oldest);
        return oldest;
    }

    public void Remove(PreparedStatement statement)
    {
        if (_nodes.Remove(statement.Id, out var node))
            _order.Remove(node);
    }

    public void Clear()
    {
        _nodes.Clear();
        _order.Clear();
    }
}
