using System.Collections.Immutable;
using NUnit.Framework;
using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;
using PgRouter.Core.Explaining;
using PgRouter.Core.Routing;

namespace PgRouter.Tests.Explaining;

/// <summary>What <c>pgrouter explain</c> says: the same rules, without a server.</summary>
[TestFixture]
internal sealed class OfflineExplanationTests
{
    private static readonly RouterConfig Config = new()
    {
        Nodes =
        [
            new NodeConfig { Id = 0, Host = "db0", Port = 5432, Weight = 0 },
            new NodeConfig { Id = 1, Host = "db1", Port = 5433 },
        ],
    };

    [TestCase("SELECT 1", "Read", "1", "balanced")]
    [TestCase("INSERT INTO t VALUES (1)", "Write", "0", "write")]
    [TestCase("SELECT nextval('s')", "Write", "0", "write")]
    [TestCase("SELECT own(1)", "NeedsCatalog", "0", "volatile function")]
    [TestCase("SELECT pg_is_in_recovery()", "PrimaryRead", "0", "catalog")]
    [TestCase("BEGIN", "Transaction", "0", "transaction")]
    [TestCase("BEGIN READ ONLY", "Transaction", "1", "balanced")]
    [TestCase("/* pgrouter: primary */ SELECT 1", "Read", "0", "hint")]
    [TestCase("SELEC 1", "Unknown", "0", "write")]
    [TestCase("SHOW POOL_NODES", "Local", null, "local")]
    [TestCase("", "Empty", null, "local")]
    public void The_decision_comes_first(string sql, string statementClass, string? node, string reason)
    {
        var rows = OfflineExplanation.Of(sql, Config);
        Assert.That(rows.Take(3).Select(row => (row[0], row[1], row[2])), Is.EqualTo(new[]
        {
            ("decision", "class", statementClass), ("decision", "node", node), ("decision", "reason", reason),
        }));
    }

    [Test]
    public void Each_rule_answers_until_one_decides()
    {
        var rules = OfflineExplanation.Of("SELECT own(1)", Config).Where(row => row[0] == "rule").ToList();
        Assert.That(rules.Select(row => row[1]), Is.EqualTo(Router.Rules.Select(rule => rule.Reason.Word())));
        var answers = rules.ToDictionary(row => row[1]!, row => row[2]);
        Assert.That(
            (answers["local"], answers["write"], answers["volatile function"], answers["balanced"]),
            Is.EqualTo(("does not apply", "does not apply", "node 0", "not asked")));
    }

    [Test]
    public void Functions_tables_and_nodes_are_named()
    {
        var rows = OfflineExplanation.Of("SELECT lower(a), s.own(1, 2) FROM t JOIN s.\"U\" ON random() < 1", Config);
        Assert.That(Lines(rows, "function"), Is.EquivalentTo(new[]
        {
            "lower built-in runs anywhere", "random built-in runs anywhere", "s.own/2 unknown the catalog is not known: it may do anything",
        }));
        Assert.That(Lines(rows, "table"), Is.EquivalentTo(new[] { "t read the catalog is not known", "s.U read the catalog is not known" }));
        Assert.That(Lines(rows, "node"), Is.EqualTo(new[]
        {
            "0 serves no reads its weight is 0: db0:5432, primary, weight 0",
            "1 may serve reads db1:5433, standby, weight 1, 0 bytes and 0 ms behind",
        }));
        Assert.That(Lines(rows, "session").First(), Is.EqualTo("assumed a new session, all nodes up node 0 is the primary"));
    }

    [TestCase("SELECT nextval('s'), inet_server_port(), pg_is_in_recovery(), currval('s')")]
    public void Functions_of_PostgreSQL_are_told_by_their_kind(string sql) => Assert.That(
        Lines(OfflineExplanation.Of(sql, Config), "function"), Is.EquivalentTo(new[]
        {
            "nextval built-in writes, or is refused by a standby: primary", "inet_server_port built-in runs anywhere, and tells of the node",
            "pg_is_in_recovery built-in answers differ between nodes: primary", "currval built-in state of the session: primary",
        }));

    [TestCase("SELECT own(1)", "Read", "balanced", "own", "")]
    [TestCase("SELECT lower('X')", "Read", "list", "", "lower")]
    public void Lists_of_functions_count(string sql, string statementClass, string reason, string readOnly, string write)
    {
        var config = Load($"read_only_function_list = '{readOnly}'", $"write_function_list = '{write}'");
        var rows = OfflineExplanation.Of(sql, config);
        Assert.That((rows[0][2], rows[2][2]), Is.EqualTo((statementClass, reason)));
    }

    private static RouterConfig Load(params string[] lines)
    {
        using var files = new Configuration.ConfigFiles();
        var path = files.Write(
            "pgpool.conf", ["backend_hostname0 = 'db0'", "backend_hostname1 = 'db1'", "backend_weight0 = 0", "sr_check_user = 'u'", .. lines]);
        return ConfigLoader.Load(path, Configuration.ConfigFiles.NoEnvironment).Config!;
    }

    [Test]
    public void Each_statement_of_several_is_listed_and_the_strictest_counts()
    {
        var rows = OfflineExplanation.Of("SELECT 1; DELETE FROM t; SELECT 2", Config);
        Assert.That(rows[0][2], Is.EqualTo("Write"));
        Assert.That(rows.Where(row => row[0] == "statement").Select(row => $"{row[1]} {row[2]}"), Is.EqualTo(new[] { "1 Read", "2 Write", "3 Read" }));
    }

    [Test]
    public void Without_nodes_it_says_so() =>
        Assert.That(
            OfflineExplanation.Of("SELECT 1", new RouterConfig { Nodes = ImmutableArray<NodeConfig>.Empty })[2][2], Is.EqualTo("no primary"));

    private static IEnumerable<string> Lines(IEnumerable<string?[]> rows, string section) =>
        rows.Where(row => row[0] == section).Select(row => string.Join(' ', row.Skip(1)));
}
