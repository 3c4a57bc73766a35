using System.Text;
using BenchmarkDotNet.Attributes;
using PgRouter.Sql;

namespace PgRouter.Benchmarks;

/// <summary>The verdict for a statement whose shape is known: what the SQL side costs per statement. Budget: 300 ns, 0 bytes.</summary>
[MemoryDiagnoser]
public class StatementShapesBenchmarks
{
    private readonly StatementShapes _shapes = new();
    private byte[] _select = [];
    private byte[] _update = [];
    private byte[] _kilobyte = [];

    [GlobalSetup]
    public void LearnShapes()
    {
        using var parser = new StatementParser(threads: 1);
        _select = Learn(parser, "SELECT abalance FROM pgbench_accounts WHERE aid = 847391;");
        _update = Learn(parser, "UPDATE pgbench_accounts SET abalance = abalance + -4711 WHERE aid = 847391;");
        _kilobyte = Learn(parser, KilobyteOfSql());
    }

    [Benchmark]
    public StatementInfo? Select() => _shapes.Find(_select, standardConformingStrings: true);

    [Benchmark]
    public StatementInfo? Update() => _shapes.Find(_update, standardConformingStrings: true);

    [Benchmark]
    public StatementInfo? Kilobyte() => _shapes.Find(_kilobyte, standardConformingStrings: true);

    private byte[] Learn(StatementParser parser, string text)
    {
        var sql = Encoding.UTF8.GetBytes(text);
        _shapes.Learn(sql, standardConformingStrings: true, parser.Analyze(sql, standardConformingStrings: true));
        return sql;
    }

    private static string KilobyteOfSql()
    {
        var text = new StringBuilder("SELECT c.region, count(*), sum(o.amount) FROM orders o JOIN customers c ON c.id = o.customer_id WHERE ");
        for (var i = 1; text.Length < 960; i++)
            text.Append("(o.placed >= '2024-01-01' AND o.status <> 'cancelled' AND c.id > ").Append(i * 1000).Append(") OR ");
        return text.Append("false GROUP BY c.region ORDER BY 3 DESC").ToString();
    }
}
