namespace PgRouter.Core.Servers;

/// <summary>What a server still owes for one message it was sent.</summary>
internal enum ReplyKind : byte
{
    /// <summary>Simple query: everything up to ReadyForQuery.</summary>
    Query,

    /// <summary>Fast-path call: up to ReadyForQuery.</summary>
    FunctionCall,
    Parse,
    Bind,
    Describe,
    Execute,
    Close,

    /// <summary>Sync: ReadyForQuery.</summary>
    Sync,

    /// <summary>Not a reply: marks where the client ended COPY data, so that a Sync sent during COPY can be told from one after it.</summary>
    CopyEnd,

    /// <summary>Not a reply of the server: bytes of the router's own, given to the client when everything before has been answered.</summary>
    Local,
}

/// <summary>One entry of the plan of a batch.</summary>
/// <param name="Kind">What is owed.</param>
/// <param name="Swallow">The router sent the message itself: its reply is not for the client.</param>
/// <param name="Subject">What the reply is about: <see cref="PreparedStatement"/>, statement info, or the bytes of a local entry.</param>
/// <param name="Name">For a Parse or Close of a client's own: the client's name for the statement.</param>
internal readonly record struct OwedReply(ReplyKind Kind, bool Swallow = false, object? Subject = null, byte[]? Name = null);

/// <summary>
/// The replies one server still owes, in the order it will send them (design: pooling.md, "A request and its replies"). A server goes back to
/// its pool only when this is empty. Loop thread only; grows, never shrinks, allocates nothing in the steady state.
/// </summary>
internal sealed class OwedReplies
{
    private OwedReply[] _ring = new OwedReply[16];
    private int _head;

    public int Count { get; private set; }

    /// <summary>Requests of the client that end in ReadyForQuery and have not got it yet.</summary>
    public int ReadyForQueryCount { get; private set; }

    /// <summary>Requests that have got their ReadyForQuery since the server was opened: tells one request from the next.</summary>
    public long Settled { get; private set; }

    public ref readonly OwedReply Head => ref _ring[_head];

    public void Enqueue(in OwedReply reply)
    {
        if (Count == _ring.Length)
            Grow();
        _ring[(_head + Count) & (_ring.Length - 1)] = reply;
        Count++;
        if (EndsInReadyForQuery(reply))
            ReadyForQueryCount++;
    }

    public OwedReply Dequeue()
    {
        var reply = _ring[_head];
        _ring[_head] = default;
        _head = (_head + 1) & (_ring.Length - 1);
        Count--;
        if (EndsInReadyForQuery(reply))
        {
            ReadyForQueryCount--;
            Settled++;
        }
        return reply;
    }

    /// <summary>What is owed next is not for the client any more.</summary>
    public void SwallowHead()
    {
        ref var head = ref _ring[_head];
        if (EndsInReadyForQuery(head))
            ReadyForQueryCount--;
        head = head with { Swallow = true };
    }

    /// <summary>The entry at a distance from the head.</summary>
    public OwedReply this[int index] => _ring[(_head + index) & (_ring.Length - 1)];

    /// <summary>Takes out the entry at a distance from the head, keeping the order of the others.</summary>
    public void RemoveAt(int index)
    {
        if (EndsInReadyForQuery(this[index]))
            ReadyForQueryCount--;
        var mask = _ring.Length - 1;
        for (var i = index; i < Count - 1; i++)
            _ring[(_head + i) & mask] = _ring[(_head + i + 1) & mask];
        _ring[(_head + Count - 1) & mask] = default;
        Count--;
    }

    public void Clear()
    {
        while (Count > 0)
            Dequeue();
    }

    private static bool EndsInReadyForQuery(in OwedReply reply) =>
        reply is { Swallow: false, Kind: ReplyKind.Query or ReplyKind.Sync or ReplyKind.FunctionCall };

    private void Grow()
    {
        var larger = new OwedReply[_ring.Length * 2];
        for (var i = 0; i < Count; i++)
            larger[i] = this[i];
        _ring = larger;
        _head = 0;
    }
}
