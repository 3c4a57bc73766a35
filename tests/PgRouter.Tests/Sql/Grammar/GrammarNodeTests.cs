using System.Text;
using System.Text.RegularExpressions;
using NUnit.Framework;
using PgRouter.Sql;

namespace PgRouter.Tests.Sql.Grammar;

/// <summary>Every type of node that the grammar can produce has a decision, and nothing else has one.</summary>
[TestFixture]
public sealed class GrammarNodeTests
{
    /// <summary>Messages of the parser's own that are no nodes.</summary>
    private static readonly string[] Wrappers = ["node", "parseresult", "scanresult", "scantoken"];

    private static readonly IReadOnlyDictionary<string, bool> Nodes = ReadNodes();

    [Test]
    public void The_list_is_the_one_of_the_parser_library()
    {
        var description = LibPgQuery.Describe();
        Assume.That(description, Does.Contain("PostgreSQL 15"));
        var library = Regex.Match(description, "at (.+),").Groups[1].Value;
        var text = Encoding.Latin1.GetString(File.ReadAllBytes(library));
        var messages = Regex.Matches(text, "(?<=\0)pg_query__([a-z_0-9]+)__init(?=\0)").Select(match => match.Groups[1].Value.Replace("_", ""));
        Assert.That(messages.Except(Wrappers), Is.EquivalentTo(Nodes.Keys.Select(name => name.Replace("_", "").ToLowerInvariant())));
    }

    [Test]
    public void Every_node_has_a_decision() =>
        Assert.That(Nodes.Keys.Where(name => DecisionOf(name) == NodeDecision.Unknown), Is.Empty);

    [Test]
    public void What_the_grammar_never_makes_is_what_the_table_says() =>
        Assert.That(
            Nodes.Where(node => !node.Value).Select(node => node.Key),
            Is.EquivalentTo(NodeTypes.All.Where(entry => entry.Value == NodeDecision.NotOfGrammar).Select(entry => entry.Key)));

    [Test]
    public void Nothing_stands_in_the_table_that_there_is_not() =>
        Assert.That(NodeTypes.All.Keys.Except(NodeTypes.OfLaterVersions), Is.SubsetOf(Nodes.Keys));

    [Test]
    public void Every_statement_of_the_grammar_is_in_the_table_of_statements() =>
        Assert.That(
            Nodes.Where(node => node.Value && node.Key.EndsWith("Stmt", StringComparison.Ordinal)).Select(node => node.Key),
            Is.EquivalentTo(StatementTypes.All.Keys));

    [TestCase("Var")]
    [TestCase("NodeOfTheFuture")]
    [TestCase("A_name_that_is_longer_than_any_that_the_grammar_has_today")]
    public void A_node_that_nobody_has_looked_at_makes_a_write(string type)
    {
        const string Select = """{"SelectStmt":{"targetList":[{"ResTarget":{"val":{"TYPE":{"arg":{"ParamRef":{"number":1}}}}}}]}}""";
        var info = Classify(Select.Replace("TYPE", type));
        Assert.That((info.Class, info.Cause), Is.EqualTo((StatementClass.Write, type)));
    }

    [TestCase("StmtOfTheFuture")]
    [TestCase("ReturnStmt")]
    public void A_statement_that_nobody_has_looked_at_is_a_write_that_may_be_DDL(string type)
    {
        var info = Classify("""{"TYPE":{"relation":{"relname":"t"}}}""".Replace("TYPE", type));
        Assert.That((info.Class, info.Cause, info.HasDdl), Is.EqualTo((StatementClass.Write, type, true)));
        Assert.That(info.Statements[0].Tables, Is.EqualTo(new[] { new TableUse(null, "t", true) }));
    }

    private static StatementInfo Classify(string statement) =>
        Classifier.Classify(Encoding.UTF8.GetBytes($$"""{"version":150001,"stmts":[{"stmt":{{statement}} }]}"""), "x"u8);

    private static NodeDecision DecisionOf(string name) => NodeTypes.DecisionOf(Encoding.UTF8.GetBytes(name));

    /// <summary>Name, and whether the grammar makes it.</summary>
    internal static Dictionary<string, bool> ReadNodes()
    {
        using var stream = typeof(GrammarNodeTests).Assembly.GetManifestResourceStream("GrammarNodes.txt")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().Split('\n').Where(line => line.Length > 0 && !line.StartsWith('#')).Select(line => line.Split(' '))
            .ToDictionary(words => words[0], words => words[1] == "grammar");
    }
}
