using System.Globalization;
using System.Text;
using NUnit.Framework;
using PgRouter.Sql;
using PgRouter.Testing.Corpus;

namespace PgRouter.Tests.Sql.Shapes;

/// <summary>
/// What the memory of shapes says of a text is what a fresh parse says of it. <c>PGROUTER_SHAPE_TEXTS=1000000</c> tries more texts,
/// <c>PGROUTER_SHAPE_SEED</c> others.
/// </summary>
[TestFixture]
public sealed class ShapePropertyTests
{
    private const int LongestText = 3000;

    private readonly StatementShapes _shapes = new();
    private StatementParser _parser = null!;
    private string[] _texts = [];

    [OneTimeSetUp]
    public void Start()
    {
        _parser = new StatementParser();
        _texts =
        [
            .. StatementTable.Cases().Select(row => row.Sql),
            .. CorpusBook.All.Where(statement => statement.Sql.Length < LongestText).Select(statement => Encoding.UTF8.GetString(statement.Sql)),
        ];
    }

    [OneTimeTearDown]
    public void Stop() => _parser.Dispose();

    [Test]
    public void The_texts_themselves() => AssertNone(_texts.SelectMany(Faults));

    [Test]
    public void Texts_changed_by_chance()
    {
        var seed = Setting("PGROUTER_SHAPE_SEED", 20261121);
        var random = new Random(seed);
        var mutator = new TextMutator(random);
        var mutated = Enumerable.Range(0, Setting("PGROUTER_SHAPE_TEXTS", 8000)).Select(_ => mutator.Mutate(_texts[random.Next(_texts.Length)]));
        AssertNone(mutated.SelectMany(Faults), $"seed {seed}");
    }

    /// <summary>A text and its change in turn, in a memory that knows nothing else: whichever comes first must not decide for the other.</summary>
    [Test]
    public void A_text_and_its_change_in_either_order()
    {
        var random = new Random(Setting("PGROUTER_SHAPE_SEED", 20261122));
        var mutator = new TextMutator(random);
        var faults = new List<string>();
        for (var i = Setting("PGROUTER_SHAPE_TEXTS", 8000) / 4; i > 0; i--)
        {
            var text = _texts[random.Next(_texts.Length)];
            var other = mutator.Mutate(text);
            foreach (var (first, second) in new[] { (text, other), (other, text) })
            {
                var shapes = new StatementShapes();
                Check(shapes, first, standardConformingStrings: true);
                if (Check(shapes, second, standardConformingStrings: true) is { } fault)
                    faults.Add($"after {first}\n{fault}");
            }
        }

        AssertNone(faults);
    }

    private IEnumerable<string> Faults(string text)
    {
        foreach (var standard in new[] { true, false })
        {
            if (Check(_shapes, text, standard) is { } fault)
                yield return fault;
        }
    }

    /// <summary>What differs; null when nothing does. A text whose shape is not known is learnt.</summary>
    private string? Check(StatementShapes shapes, string text, bool standardConformingStrings)
    {
        var sql = Encoding.UTF8.GetBytes(text);
        var parsed = _parser.Analyze(sql, standardConformingStrings);
        var found = shapes.Find(sql, standardConformingStrings);
        if (found is null)
        {
            shapes.Learn(sql, standardConformingStrings, parsed);
            found = shapes.Find(sql, standardConformingStrings);
        }

        if (found is null)
            return shapes.Bytes < StatementShapes.DefaultMaxBytes / 2 ? $"{text}\n  is not remembered" : null;
        if (parsed.Cause == "unreadable parse tree" && !text.Contains('\\'))
            return $"{text}\n  cannot be read";
        var (expected, actual) = (Describe(parsed), Describe(found));
        return expected == actual ? null : $"{text}\n  parsed {expected}\n  known  {actual}";
    }

    private static void AssertNone(IEnumerable<string> faults, string about = "")
    {
        var list = faults.ToList();
        if (list.Count > 0)
            Assert.Fail($"{list.Count} {about}:\n{string.Join('\n', list.Take(20))}");
    }

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : otherwise;

    /// <summary>All that anybody asks of a verdict.</summary>
    private static string Describe(StatementInfo info)
    {
        var pids = info.PidCalls is null ? "" : string.Join(',', info.PidCalls);
        return $"{info.Class} '{info.Cause}' {info.Effects} {info.Verb} {info.HasDdl} {info.HasTransactionVerb} {info.LiteralsMatter} {info.Hint} "
            + $"{info.LocalCommand} {pids} | {string.Join(" | ", info.Statements.Select(Describe))}";
    }

    private static string Describe(Statement s) =>
        $"{s.Kind} {s.Class} '{s.Cause}' {s.Effects} {s.Verb} {s.Name} {s.Value} {s.IsLocal} {s.ReadOnly} {s.Isolation} {s.Chains} {s.ChangesSchema} "
        + $"{s.IsTemporary} {s.HasPlainArguments} {string.Join(',', s.Settings)} {string.Join(',', s.Functions)} {string.Join(',', s.Tables)} "
        + $"{s.Attributes.Bits} {(s.Block is null ? "" : $"{s.Block.Traits} {string.Join(',', s.Block.Calls)} {string.Join(',', s.Block.Names)}")}";
}
