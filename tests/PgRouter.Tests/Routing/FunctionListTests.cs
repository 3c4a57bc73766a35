using NUnit.Framework;
using PgRouter.Core.Configuration;
using PgRouter.Core.Routing;
using PgRouter.Core.Sessions;
using PgRouter.Sql;

namespace PgRouter.Tests.Routing;

/// <summary>read_only_function_list and write_function_list over the functions of a text.</summary>
[TestFixture]
internal sealed class FunctionListTests
{
    private readonly StatementParser _parser = new();

    [OneTimeTearDown]
    public void Stop() => _parser.Dispose();

    [TestCase("SELECT f()", "", "", "NeedsCatalog")]
    [TestCase("SELECT f()", "f", "", "Read")]
    [TestCase("SELECT public.f()", "f", "", "primary", Description = "compared as it is written")]
    [TestCase("SELECT public.f()", @"f,public\.f", "", "Read")]
    [TestCase("SELECT f(), g()", "f", "", "primary")]
    [TestCase("SELECT count(*), now() FROM t", "f", "", "Read", Description = "PostgreSQL's own are known")]
    [TestCase("SELECT f(g(h(1)))", "[f-h]", "", "Read")]
    [TestCase("SELECT nextval('s'), f()", "f,nextval", "", "Write", Description = "no list makes a read of a write")]
    [TestCase("INSERT INTO t SELECT f()", "f", "", "Write")]
    [TestCase("SELECT pg_is_in_recovery(), f()", "f,pg_is_in_recovery", "", "PrimaryRead")]
    [TestCase("SELECT f()", "", "f", "primary")]
    [TestCase("SELECT g()", "", "f", "NeedsCatalog", Description = "not listed is not judged")]
    [TestCase("SELECT f()", "f", "f", "primary", Description = "the primary counts first")]
    [TestCase("SELECT 1 WHERE random() > 0", "", "random", "primary")]
    [TestCase("SELECT 1; SELECT f()", "f", "", "Read")]
    [TestCase("SELECT 1; SELECT f()", "", "f", "primary")]
    [TestCase("COPY (SELECT f()) TO STDOUT", "f", "", "Read")]
    [TestCase("SELECT \"F\"()", "f", "", "Read", Description = "letter case is ignored")]
    public void Lists_decide_by_the_names_in_the_text(string sql, string readOnly, string write, string expected)
    {
        var lists = new RoutingLists { ReadOnlyFunctions = Patterns(readOnly), WriteFunctions = Patterns(write) };
        var (judged, isForPrimary) = FunctionLists.Judge(_parser.Analyze(sql), lists);
        Assert.That(isForPrimary ? "primary" : judged.Class.ToString(), Is.EqualTo(expected));
    }

    [Test]
    public void Verdicts_hold_for_their_lists_only_and_cost_nothing_when_known()
    {
        var verdicts = new ListVerdicts();
        var info = _parser.Analyze("SELECT f()");
        var text = "SELECT * FROM log WHERE a = 1"u8.ToArray();
        var other = "SELECT * FROM log WHERE a = 2"u8.ToArray();
        var first = new RoutingLists { ReadOnlyFunctions = Patterns("f"), PrimaryStatements = Patterns(".*a = 1") };
        var second = new RoutingLists { WriteFunctions = Patterns("f"), PrimaryStatements = Patterns(".*a = 2") };
        Ask(100);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var right = Ask(1000);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        Assert.That(right, Is.EqualTo(1000));
        Assert.That(verdicts.OfFunctions(info, second).IsForPrimary, Is.True);
        Assert.That(verdicts.NamesStatement(other, second), Is.True);
        Assert.That(verdicts.NamesStatement(text, second), Is.False);

        int Ask(int count)
        {
            var good = 0;
            for (var i = 0; i < count; i++)
            {
                if (verdicts.OfFunctions(info, first).Judged.Class == StatementClass.Read && verdicts.NamesStatement(text, first)
                    && !verdicts.NamesStatement(other, first))
                    good++;
            }
            return good;
        }
    }

    [Test]
    public void Thousands_of_texts_and_long_ones_are_told_apart()
    {
        var verdicts = new ListVerdicts();
        var lists = new RoutingLists { PrimaryStatements = Patterns(".*[02468]") };
        for (var i = 0; i < 5000; i++)
        {
            var sql = System.Text.Encoding.ASCII.GetBytes($"SELECT {(i % 100 == 0 ? new string(' ', 2000) : "")}{i}");
            Assert.That(verdicts.NamesStatement(sql, lists), Is.EqualTo(i % 2 == 0));
        }
    }

    private static PatternList Patterns(string list) => PatternList.Of(list.Split(',', StringSplitOptions.RemoveEmptyEntries));
}
