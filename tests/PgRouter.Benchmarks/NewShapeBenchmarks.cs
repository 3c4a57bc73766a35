using System.Text;
using BenchmarkDotNet.Attributes;
using PgRouter.Sql;

namespace PgRouter.Benchmarks;

/// <summary>
/// What a statement costs whose shape was never seen: the look into the memory, the way to the parser's thread, the parse, and the learning. Every
/// text is a new one. Budget: 60 us.
/// </summary>
[MemoryDiagnoser]
public class NewShapeBenchmarks
{
    private readonly StatementShapes _shapes = new();
    private readonly StatementParser _parser = new();
    private int _number;

    [GlobalCleanup]
    public void Stop() => _parser.Dispose();

    [Benchmark]
    public StatementInfo? Select() => Meet($"SELECT abalance FROM pgbench_accounts WHERE c{_number++} = 847391");

    [Benchmark]
    public StatementInfo? Update() => Meet($"UPDATE pgbench_accounts SET c{_number++} = abalance + -4711 WHERE aid = 847391");

    [Benchmark]
    public StatementInfo? Join() => Meet(
        $"SELECT c.region, count(*), sum(o.total) FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.c{_number++} >= '2024-01-01'"
        + " AND o.status IN ('new', 'paid') GROUP BY c.region HAVING count(*) > 10 ORDER BY 2 DESC LIMIT 20");

    private StatementInfo? Meet(string text)
    {
        var sql = Encoding.UTF8.GetBytes(text);
        if (_shapes.Find(sql, standardConformingStrings: true) is { } known)
            return known;
        var info = _parser.Analyze(sql, standardConformingStrings: true);
        _shapes.Learn(sql, standardConformingStrings: true, info);
        return info;
    }
}

/// <summary>
/// A hundred thousand shapes in turn, more than the memory holds: what a look and the learning cost then (per statement), and whether a statement that
/// is used all the time stays known.
/// </summary>
[MemoryDiagnoser]
public class ManyShapesBenchmarks
{
    private const int Shapes = 100_000;

    private readonly StatementShapes _shapes = new();
    private readonly byte[][] _texts = new byte[Shapes][];
    private byte[] _used = [];
    private StatementInfo _info = null!;

    [GlobalSetup]
    public void Write()
    {
        using var parser = new StatementParser();
        for (var i = 0; i < Shapes; i++)
            _texts[i] = Encoding.UTF8.GetBytes($"SELECT abalance FROM pgbench_accounts WHERE c{i} = 847391");
        _used = "SELECT abalance FROM pgbench_accounts WHERE aid = 847391"u8.ToArray();
        _info = parser.Analyze(_used, standardConformingStrings: true);
        _shapes.Learn(_used, standardConformingStrings: true, _info);
    }

    [Benchmark(OperationsPerInvoke = Shapes)]
    public long Arrive()
    {
        foreach (var text in _texts)
        {
            if (_shapes.Find(text, standardConformingStrings: true) is null)
                _shapes.Learn(text, standardConformingStrings: true, _info);
            if (_shapes.Find(_used, standardConformingStrings: true) is null)
                throw new InvalidOperationException("A statement that is used all the time was forgotten.");
        }

        return _shapes.Bytes;
    }
}
