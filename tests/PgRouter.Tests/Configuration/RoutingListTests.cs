using NUnit.Framework;
using PgRouter.Core.Configuration;

namespace PgRouter.Tests.Configuration;

/// <summary>pgpool's lists as they stand in a file.</summary>
[TestFixture]
internal sealed class RoutingListTests
{
    private readonly ConfigFiles _files = new();

    [OneTimeTearDown]
    public void CleanUp() => _files.Dispose();

    [Test]
    public void A_backslash_in_a_quoted_pattern_stays_and_keeps_a_separator_in_it()
    {
        var lists = _files.LoadGood(@"primary_routing_query_pattern_list = 'SELECT \* FROM a;.*\;.*; it\'s;it''s'").Lists;
        Assert.That(lists.PrimaryStatements.Matches("select * from a"), Is.True);
        Assert.That(lists.PrimaryStatements.Matches("SELECT 1; SELECT 2"), Is.True);
        Assert.That(lists.PrimaryStatements.Matches("it's"), Is.True);
        Assert.That(lists.PrimaryStatements.Matches("SELECT 1"), Is.False);
    }

    [Test]
    public void Elsewhere_a_backslash_escapes_as_before() => Assert.That(_files.LoadGood(@"log_line_prefix = 'a\tb'").LogLinePrefix, Is.EqualTo("a\tb"));

    [Test]
    public void Function_lists_are_patterns_of_whole_names()
    {
        var lists = _files.LoadGood("white_function_list = 'get_.*, public.find'", "black_function_list = 'next.*'").Lists;
        Assert.That(lists.ReadOnlyFunctions.MatchesName(null, "get_it"), Is.True);
        Assert.That(lists.ReadOnlyFunctions.MatchesName("public", "find"), Is.True);
        Assert.That(lists.ReadOnlyFunctions.MatchesName(null, "find"), Is.False);
        Assert.That(lists.WriteFunctions.MatchesName(null, "next_number"), Is.True);
        Assert.That(lists.ListsFunctions, Is.True);
        Assert.That(_files.LoadGood().Lists.ListsFunctions, Is.False);
    }

    [TestCase("postgres:primary", "postgres", PreferredKind.Primary, -1, 1.0)]
    [TestCase("db[0-4]:1(0.25)", "db3", PreferredKind.Node, 1, 0.25)]
    [TestCase("db[0-4]:1, .*:STANDBY(0)", "shop", PreferredKind.Standby, -1, 0.0)]
    [TestCase("shop:1,shop:standby", "shop", PreferredKind.Node, 1, 1.0, Description = "the first counts")]
    [TestCase("[[:alpha:]]+: standby ( 0.5 )", "shop", PreferredKind.Standby, -1, 0.5)]
    public void A_redirect_names_a_node_and_a_ratio(string list, string name, PreferredKind kind, int node, double ratio)
    {
        var lists = _files.LoadGood("backend_hostname1 = 'db1'", $"database_redirect_preference_list = '{list}'").Lists;
        Assert.That(lists.Databases.Find(name), Is.EqualTo(new NodePreference(kind, node, ratio)));
        Assert.That(lists.Databases.Find(name + "!"), Is.EqualTo(list.Contains(".*") ? new NodePreference(kind, node, ratio) : default(NodePreference?)));
    }

    [TestCase("psql", "shop", "me", PreferredKind.Primary)]
    [TestCase("other", "shop", "me", PreferredKind.Standby)]
    [TestCase("other", "else", "me", PreferredKind.Node)]
    [TestCase("", "else", "me", PreferredKind.Node)]
    public void The_application_counts_before_the_database_before_the_user(string application, string database, string user, PreferredKind expected)
    {
        var lists = _files.LoadGood(
            "app_name_redirect_preference_list = 'psql:primary'", "database_redirect_preference_list = 'shop:standby'",
            "user_redirect_preference_list = 'me:0'").Lists;
        Assert.That(lists.PreferenceOf(application, database, user)?.Kind, Is.EqualTo(expected));
    }

    [Test]
    public void A_client_without_a_name_for_its_application_matches_no_pattern_of_them() =>
        Assert.That(_files.LoadGood("app_name_redirect_preference_list = '.*:primary'").Lists.PreferenceOf("", "d", "u"), Is.Null);

    [TestCase("app_name_redirect_preference_list = 'psql'", "found \"psql\"; allowed: name:node")]
    [TestCase("app_name_redirect_preference_list = 'psql:second'", "found \"psql:second\"; allowed: name:node")]
    [TestCase("user_redirect_preference_list = 'a:primary,b:1(2)'", "found the ratio \"2\" in \"b:1(2)\"; allowed: a number from 0 to 1")]
    [TestCase("user_redirect_preference_list = 'a(:primary'", "found the pattern \"a(\": it is no regular expression")]
    [TestCase("user_redirect_preference_list = 'a:primary,b:7'", "found node 7, which has no backend_hostname7")]
    [TestCase("write_function_list = 'ok,[a'", "found the pattern \"[a\": a [ is not closed")]
    [TestCase("primary_routing_query_pattern_list = 'ok;(a'", "found the pattern \"(a\": it is no regular expression")]
    [TestCase("pgrouter.balance_policy = 'round_robin'", "found \"round_robin\"; allowed: weighted_random, least_in_flight, lowest_latency")]
    public void What_is_wrong_is_told_with_what_is_allowed(string line, string expected)
    {
        var mistakes = _files.Load("backend_hostname0 = 'db0'", line).Mistakes;
        Assert.That(mistakes.Select(mistake => mistake.Message), Has.Exactly(1).StartsWith(expected));
    }

    [TestCase("weighted_random", BalancePolicy.WeightedRandom)]
    [TestCase("least_in_flight", BalancePolicy.LeastInFlight)]
    [TestCase("LOWEST_LATENCY", BalancePolicy.LowestLatency)]
    public void The_policy_is_a_word(string word, BalancePolicy expected) =>
        Assert.That(_files.LoadGood($"pgrouter.balance_policy = {word}").BalancePolicy, Is.EqualTo(expected));
}
