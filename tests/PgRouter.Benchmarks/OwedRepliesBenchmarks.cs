using BenchmarkDotNet.Attributes;
using PgRouter.Core.Servers;

namespace PgRouter.Benchmarks;

/// <summary>The plan of a request, made and worked off again.</summary>
[MemoryDiagnoser]
public class OwedRepliesBenchmarks
{
    private static readonly ReplyKind[] Extended = [ReplyKind.Parse, ReplyKind.Bind, ReplyKind.Describe, ReplyKind.Execute, ReplyKind.Sync];

    private readonly OwedReplies _owed = new();

    [Benchmark]
    public int SimpleRound()
    {
        _owed.Enqueue(new OwedReply(ReplyKind.Query));
        _owed.Dequeue();
        return _owed.Count;
    }

    [Benchmark]
    public int ExtendedRound()
    {
        foreach (var kind in Extended)
            _owed.Enqueue(new OwedReply(kind));
        while (_owed.Count > 0)
            _owed.Dequeue();
        return _owed.Count;
    }
}
