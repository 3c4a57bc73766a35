using NUnit.Framework;
using PgRouter.Core.Catalog;

namespace PgRouter.Tests.Catalog;

[TestFixture]
public sealed class SearchPathTests
{
    [TestCase("a, b", "a|b")]
    [TestCase("\"$user\", public", "bob|public")]
    [TestCase("'$user', 'public'", "bob|public")]
    [TestCase("Abc, \"Abc\", 'Abc'", "abc|Abc|Abc")]
    [TestCase("\"with \"\"quotes\"\" and, comma\"", "with \"quotes\" and, comma")]
    [TestCase("'it''s'", "it's")]
    [TestCase(" a ,b ", "a|b")]
    [TestCase("pg_catalog, a, pg_temp", "a")]
    [TestCase("", "")]
    [TestCase("''", "")]
    [TestCase("\"unfinished", "*")]
    [TestCase("a b", "*")]
    public void A_value_is_a_list_of_names(string value, string expected)
    {
        var path = SearchPath.Parse(value, "bob");
        Assert.That(path.IsAny ? "*" : string.Join('|', path.Schemas), Is.EqualTo(expected));
    }

    [Test]
    public void Without_a_known_role_the_schema_of_the_user_may_be_any() => Assert.That(SearchPath.Parse("\"$user\"", null).IsAny);

    [Test]
    public void Paths_with_the_same_schemas_are_equal()
    {
        Assert.That(SearchPath.Parse("a, b", null), Is.EqualTo(SearchPath.Parse("'a','b'", null)));
        Assert.That(SearchPath.Parse("a, b", null), Is.Not.EqualTo(SearchPath.Parse("b, a", null)));
        Assert.That(SearchPath.Any, Is.Not.EqualTo(SearchPath.Parse("", null)));
    }

    /// <summary>What counts more hides what counts less (ALTER ROLE, notes).</summary>
    [TestCase("bob", "role in database")]
    [TestCase("eve", "role")]
    [TestCase("joe", "database")]
    public void A_session_begins_with_the_setting_that_is_most_its_own(string role, string expected)
    {
        var defaults = new SessionDefaults(
            [
                new DefaultRow(DefaultLevel.RoleInDatabase, "bob", "search_path", "role in database"),
                new DefaultRow(DefaultLevel.Role, "bob", "search_path", "role"),
                new DefaultRow(DefaultLevel.Role, "eve", "search_path", "role"),
                new DefaultRow(DefaultLevel.Database, null, "search_path", "database"),
                new DefaultRow(DefaultLevel.All, null, "search_path", "all"),
                new DefaultRow(DefaultLevel.Server, null, "search_path", "server"),
            ],
            "reader");
        Assert.That(defaults.ValueFor(role, "search_path"), Is.EqualTo(expected));
    }

    [Test]
    public void What_the_reader_has_for_itself_says_nothing_of_the_server()
    {
        DefaultRow[] rows =
        [
            new(DefaultLevel.Server, null, "search_path", "seen by the reader"), new(DefaultLevel.Role, "reader", "search_path", "of the reader"),
        ];
        Assert.That(new SessionDefaults(rows, "reader").ValueFor("joe", "search_path"), Is.Null);
        Assert.That(new SessionDefaults(rows, "reader").ValueFor("reader", "search_path"), Is.EqualTo("of the reader"));
        Assert.That(new SessionDefaults(rows, "other").ValueFor("joe", "search_path"), Is.EqualTo("seen by the reader"));
    }
}
