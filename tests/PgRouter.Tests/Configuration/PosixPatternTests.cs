using NUnit.Framework;
using PgRouter.Core.Configuration;

namespace PgRouter.Tests.Configuration;

/// <summary>POSIX extended regular expressions as pgpool uses them; each row was checked against regcomp() of the GNU C library.</summary>
[TestFixture]
internal sealed class PosixPatternTests
{
    [TestCase("get_.*", "get_name", true)]
    [TestCase("get_.*", "forget_name", false)]
    [TestCase("get", "get_name", false)]
    [TestCase("^get.*$", "get_name", true)]
    [TestCase("GET", "get", true)]
    [TestCase("a|b", "ax", true, Description = "it is ^a|b$")]
    [TestCase("a|b", "xb", true)]
    [TestCase("(a|b)", "ax", false)]
    [TestCase("[[:digit:]]+", "2026", true)]
    [TestCase("[[:digit:]]+", "2o26", false)]
    [TestCase("[[:alpha:]_]+", "snake_case", true)]
    [TestCase("[^[:space:]]+", "a b", false)]
    [TestCase("[[:alnum:][:punct:]]+", "a1!", true)]
    [TestCase("[]x]+", "]x]", true)]
    [TestCase("[^]x]+", "]", false)]
    [TestCase(@"[\d]+", @"\d", true, Description = "a backslash in brackets is itself")]
    [TestCase(@"[\d]+", "7", false)]
    [TestCase("[a-c-]+", "a-c", true)]
    [TestCase("[-a]+", "-a", true)]
    [TestCase("[a^]+", "^", true)]
    [TestCase("[[.-.]]", "-", true)]
    [TestCase("[[=a=]]", "a", true)]
    [TestCase(@"SELECT \* FROM t", "select * from t", true)]
    [TestCase(@"f\(\)", "f()", true)]
    [TestCase("a{2,3}", "aa", true)]
    [TestCase("a{2,3}", "aaaa", false)]
    [TestCase("(ab)+c?", "ababc", true)]
    [TestCase(".*x.*", "one\nx\ntwo", true, Description = "a line feed is a character like others")]
    [TestCase("a", "a\n", false)]
    [TestCase("a$b", "a$b", false, Description = "a $ is the end wherever it stands")]
    [TestCase(@"a\$b", "a$b", true)]
    [TestCase(@".*\<log\>.*", "from log where", true)]
    [TestCase(@".*\<log\>.*", "from logs where", false)]
    [TestCase(@"a\", "a$", true, Description = "the $ put behind it is escaped")]
    [TestCase(@"\w+", "word", true)]
    [TestCase("a #b", "a #b", true)]
    [TestCase("", "", true)]
    [TestCase("", "x", false)]
    [TestCase("grün.*", "GRÜNE", true)]
    public void A_pattern_matches_as_in_the_C_library(string pattern, string text, bool expected)
    {
        Assert.That(PosixPattern.TryCompile(pattern, out var regex, out var problem), Is.True, problem);
        Assert.That(regex!.IsMatch(text), Is.EqualTo(expected));
    }

    [TestCase("a[b", "a [ is not closed")]
    [TestCase("(a", "it is no regular expression")]
    [TestCase(@"(a)\1", "back-references are not available")]
    [TestCase("[[:letter:]]", "there is no class [:letter:]")]
    [TestCase("[[.ab.]]", "there is no element [.ab.]")]
    [TestCase("(?:a)", "\"?\" repeats nothing")]
    [TestCase("(((a{900}){900}){900})", "its repetitions are too many")]
    public void What_is_no_pattern_is_told(string pattern, string expected)
    {
        Assert.That(PosixPattern.TryCompile(pattern, out _, out var problem), Is.False);
        Assert.That(problem, Is.EqualTo(expected));
    }

    [Test]
    public void Matching_takes_time_linear_in_the_text()
    {
        var list = PatternList.Of(["(x+x+)+y"]);
        Assert.That(list.Matches(new string('x', 50_000)), Is.False);
    }

    [TestCase("SELECT * FROM \"Log\"", true)]
    [TestCase("select * from log", true)]
    [TestCase("SELECT * FROM logs", false)]
    public void A_statement_is_matched_without_its_double_quotes(string sql, bool expected) =>
        Assert.That(PatternList.Of([@"SELECT \* FROM log"]).MatchesStatement(System.Text.Encoding.UTF8.GetBytes(sql)), Is.EqualTo(expected));

    [Test]
    public void Bytes_of_another_encoding_and_long_texts_are_matched_too()
    {
        var list = PatternList.Of([@".*FROM log.*"]);
        Assert.That(list.MatchesStatement([.. "SELECT '"u8, 0xe4, 0xf6, .. "' FROM log"u8]), Is.True);
        Assert.That(list.MatchesStatement([.. "SELECT '"u8, .. new byte[100_000], .. "' FROM log"u8]), Is.True);
        Assert.That(list.MatchesStatement([.. "SELECT '"u8, .. new byte[100_000], .. "'"u8]), Is.False);
    }

    [Test]
    public void Matching_allocates_nothing()
    {
        var list = PatternList.Of([@".*FROM log.*", "UPDATE.*", "[[:digit:]]+"]);
        var sql = "SELECT * FROM pgbench_accounts WHERE aid = 12345"u8.ToArray();
        Match(1000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Match(1000);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);

        void Match(int count)
        {
            for (var i = 0; i < count; i++)
                list.MatchesStatement(sql);
        }
    }
}
