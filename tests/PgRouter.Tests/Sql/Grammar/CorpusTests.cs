using System.Text;
using System.Text.RegularExpressions;
using NUnit.Framework;
using PgRouter.Sql;
using PgRouter.Testing.Corpus;

namespace PgRouter.Tests.Sql.Grammar;

/// <summary>The class of every statement of the corpus, as far as the grammar and the table of functions tell it; and what the corpus covers.</summary>
[TestFixture]
public sealed class CorpusTests
{
    private StatementParser _parser = null!;

    [OneTimeSetUp]
    public void StartParser() => _parser = new StatementParser();

    [OneTimeTearDown]
    public void StopParser() => _parser.Dispose();

    [Test]
    public void Every_statement_has_the_class_that_is_written() =>
        Assert.That(
            string.Join('\n', CorpusBook.All.Select(statement => (statement, info: Judge(statement))).Where(pair => pair.info.Class != pair.statement.Class)
                .Select(pair => $"{pair.statement}\n    {pair.info.Class}: {pair.info.Cause}")),
            Is.Empty);

    [Test]
    public void There_are_more_than_1500_statements_and_none_twice()
    {
        Assert.That(CorpusBook.All, Has.Count.GreaterThan(1500));
        Assert.That(
            CorpusBook.All.GroupBy(statement => (Convert.ToHexString(statement.Sql), string.Join('\n', statement.Before), string.Join(' ', statement.Settings), statement.Parameters is null))
                .Where(group => group.Count() > 1).Select(group => string.Join(" and ", group)),
            Is.Empty);
    }

    [Test]
    public void Every_command_of_the_reference_has_a_group() =>
        Assert.That(Commands().Except(CorpusBook.All.Select(statement => statement.Group)), Is.Empty);

    [Test]
    public void Every_class_and_every_node_occurs()
    {
        Assert.That(CorpusBook.All.Select(statement => statement.Class).Distinct(), Is.EquivalentTo(Enum.GetValues<StatementClass>()));
        Assert.That(CorpusBook.All.Select(statement => statement.Node).Distinct(), Is.EquivalentTo(Enum.GetValues<CorpusNode>()));
    }

    [Test]
    public void Every_kind_of_statement_occurs() =>
        Assert.That(
            Enum.GetValues<StatementKind>().Except(
                CorpusBook.All.SelectMany(statement => _parser.Analyze(statement.Sql, statement.StandardConformingStrings).Statements).Select(statement => statement.Kind)),
            Is.Empty);

    /// <summary>So that each decision on a node is one that real statements have tried.</summary>
    [Test]
    public void Every_node_that_the_grammar_makes_occurs()
    {
        var found = new HashSet<string>();
        foreach (var statement in CorpusBook.All.Where(statement => statement.Sql.Length < 5000))
        {
            LibPgQuery.Parse(
                ParserInput.Create(statement.Sql, statement.StandardConformingStrings),
                tree => found.Count + Regex.Matches(Encoding.UTF8.GetString(tree), "\"([A-Z][A-Za-z_]+)\":\\{").Count(match => found.Add(match.Groups[1].Value)),
                _ => 0);
        }

        Assert.That(
            string.Join(' ', GrammarNodeTests.ReadNodes().Where(node => node.Value).Select(node => node.Key).Except(found).Order(StringComparer.Ordinal)),
            Is.EqualTo(NotNamedInTrees));
    }

    /// <summary>They stand in fields that are of their type alone, where the tree does not name it; or only in the code of PL/pgSQL.</summary>
    private const string NotNamedInTrees =
        "Alias BitString CTECycleClause CTESearchClause InferClause IntoClause OnConflictClause PLAssignStmt PartitionBoundSpec PartitionSpec"
        + " PublicationTable RawStmt WithClause";

    /// <summary>The pages of PostgreSQL's reference, part "SQL Commands".</summary>
    private static IEnumerable<string> Commands()
    {
        using var stream = typeof(CorpusTests).Assembly.GetManifestResourceStream("Commands.txt")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().Split('\n').Where(line => line.Length > 0 && !line.StartsWith('#')).ToList();
    }

    /// <summary>As a session does.</summary>
    private StatementInfo Judge(CorpusStatement statement) =>
        (HiddenAscii.IsIn(statement.Encoding) ? HiddenAscii.Judge(statement.Sql, statement.StandardConformingStrings) : null)
        ?? _parser.Analyze(statement.Sql, statement.StandardConformingStrings);
}
