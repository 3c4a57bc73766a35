using System.Collections.Concurrent;

namespace PgRouter.IntegrationTests.Fuzzing;

/// <summary>What all clients of a run have done. Any thread.</summary>
internal sealed class FuzzCount(long wanted)
{
    private readonly ConcurrentQueue<string> _hangs = new();
    private long _sent;
    private long _connections;

    public bool GoesOn => Messages < wanted && _hangs.IsEmpty;

    public long Messages => Interlocked.Read(ref _sent);

    public long Connections => Interlocked.Read(ref _connections);

    public IReadOnlyCollection<string> Hangs => _hangs;

    public void Sent(int messages) => Interlocked.Add(ref _sent, messages);

    public void Connected() => Interlocked.Increment(ref _connections);

    public void Hung(string what) => _hangs.Enqueue(what);
}
