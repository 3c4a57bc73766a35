using System.Text;
using NUnit.Framework;
using PgRouter.Sql;

namespace PgRouter.Tests.Sql;

[TestFixture]
public sealed class ExplainedStatementTests
{
    [TestCase("EXPLAIN ROUTE SELECT 1", "SELECT 1")]
    [TestCase("explain /* a */ Route\n  /* pgrouter: primary */ SELECT 'x' ", "/* pgrouter: primary */ SELECT 'x'")]
    [TestCase("EXPLAIN ROUTE", "")]
    [TestCase("SHOW POOL_NODES", null)]
    [TestCase("EXPLAIN SELECT route", null)]
    [TestCase("", null)]
    public void The_statement_behind_the_two_words(string command, string? expected) =>
        Assert.That(ExplainedStatement.In(command) is { } sql ? Encoding.UTF8.GetString(sql) : null, Is.EqualTo(expected));

    [TestCase("SELECT 1", 0)]
    [TestCase("SELECT $2, $1", 2)]
    [TestCase("SELECT '$3', \"$4\" /* $5 */", 0)]
    public void Parameters_are_counted(string sql, int expected) =>
        Assert.That(ExplainedStatement.CountParameters(Encoding.UTF8.GetBytes(sql)), Is.EqualTo(expected));
}
