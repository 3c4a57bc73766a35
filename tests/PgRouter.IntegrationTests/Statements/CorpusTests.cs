using PgRouter.Sql;
using PgRouter.Testing.Corpus;

namespace PgRouter.IntegrationTests.Statements;

/// <summary>The corpus run for real, see docs/testing.md.</summary>
[TestFixture]
public sealed class CorpusTests
{
    private IReadOnlyList<CorpusResult> _results = [];

    [OneTimeSetUp]
    public async Task RunAsync()
    {
        await CorpusRun.PrepareAsync();
        await using var run = new CorpusRun();
        _results = await run.RunAsync();
    }

    [Test]
    public void Every_statement_runs_on_the_node_that_is_written() =>
        AssertNone(
            _results.Where(result => !IsAsWritten(result)).Select(result => $"{result}\n    on {string.Join(", ", result.Nodes)}, not on {result.Statement.Node}"));

    [Test]
    public void Every_statement_succeeds_or_ends_with_the_error_that_is_written() =>
        AssertNone(
            _results.Where(result => result.Answer.SqlState != result.Statement.SqlState).Select(result => $"{result}\n    {result.Answer.Text}"));

    [Test]
    public void Reads_on_a_standby_have_the_answer_of_the_primary() =>
        AssertNone(
            _results.Where(result => result.OnPrimary is { } primary && !AreAlike(result, primary))
                .Select(result => $"{result}\n    {result.Answer.Text}\n    {result.OnPrimary!.Text}"));

    /// <summary>It would be so though the router had sent them to the primary.</summary>
    [Test]
    public void What_is_sent_to_a_standby_has_the_same_answer_there_by_itself() =>
        AssertNone(
            _results.Where(result => result.OnStandby is { } standby && !AreAlike(result, standby)).Select(result => $"{result}\n    {result.OnStandby!.Text}"));

    [Test]
    public void No_standby_has_ever_seen_what_writes() =>
        AssertNone(
            _results.Where(result => result.Statement.Class >= StatementClass.Write && result.Nodes.Any(node => node != 0)).Select(result => result.ToString()));

    /// <summary>Shows all of them.</summary>
    private static void AssertNone(IEnumerable<string> faults)
    {
        var list = faults.ToList();
        if (list.Count > 0)
            Assert.Fail($"{list.Count}:\n{string.Join('\n', list)}");
    }

    private static bool IsAsWritten(CorpusResult result) => result.Statement.Node switch
    {
        CorpusNode.None => result.Nodes.Count == 0,
        CorpusNode.Primary => result.Nodes is [0],
        _ => result.Nodes is [not 0],
    };

    private static bool AreAlike(CorpusResult result, CorpusAnswer answer) =>
        result.Statement.Varies ? answer.Shape == result.Answer.Shape : answer.Text == result.Answer.Text;
}
