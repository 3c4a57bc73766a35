using NUnit.Framework;
using PgRouter.Core.Authentication;

namespace PgRouter.Tests.Authentication;

internal sealed class IdentMapsTests
{
    private const string Text = """
        # map   name of the certificate   user
        staff   Ann                       ann
        staff   Ann                       "all"
        staff   /^(.*)@example\.org$      \1
        staff   /^admin-                  +admins
        guests  /.*                       /^guest_
        any     root                      all
        """;

    [TestCase("staff", "Ann", "ann", HbaAnswer.Yes)]
    [TestCase("staff", "Ann", "all", HbaAnswer.Yes)]
    [TestCase("staff", "Ann", "bob", HbaAnswer.No)]
    [TestCase("staff", "ann", "ann", HbaAnswer.No)]
    [TestCase("staff", "bob@example.org", "bob", HbaAnswer.Yes)]
    [TestCase("staff", "bob@example.org", "ann", HbaAnswer.No)]
    [TestCase("staff", "bob@example.org.evil", "bob", HbaAnswer.No)]
    [TestCase("staff", "admin-1", "carl", HbaAnswer.NeedsRoles)]
    [TestCase("guests", "anybody", "guest_1", HbaAnswer.Yes)]
    [TestCase("guests", "anybody", "ann", HbaAnswer.No)]
    [TestCase("any", "root", "whoever", HbaAnswer.Yes)]
    [TestCase("none", "root", "root", HbaAnswer.No)]
    public void A_map_says_who_may_be_whom(string map, string name, string user, object expected)
    {
        var (maps, mistakes) = IdentMaps.Parse(Text, "pg_ident.conf");

        Assert.That(mistakes, Is.Empty);
        Assert.That(maps.Allows(map, name, new HbaRequest { Database = "d", User = user }), Is.EqualTo(expected));
    }

    [TestCase("a b", "expected MAP SYSTEM-NAME USER")]
    [TestCase("a b c d", "expected MAP SYSTEM-NAME USER")]
    [TestCase("a b,c d", "expected MAP SYSTEM-NAME USER")]
    [TestCase("a /( d", "regular expression")]
    [TestCase("a \"b c", "double quote is not closed")]
    public void A_mistake_names_file_and_line(string line, string what) =>
        Assert.That(IdentMaps.Parse("\n" + line, "pg_ident.conf").Mistakes, Is.EqualTo(new[] { $"pg_ident.conf:2: {what}" }).Or.Some.Contains(what));
}
