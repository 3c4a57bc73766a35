using NUnit.Framework;
using PgRouter.Sql;

namespace PgRouter.Tests.Sql;

[TestFixture]
internal sealed class NameListsTests
{
    [TestCase("'a'", "\"a\"")]
    [TestCase("'a', 'B c'", "\"a\", \"B c\"")]
    [TestCase("'it''s', E'back\\\\slash', 'dou\"ble'", "\"it's\", \"back\\slash\", \"dou\"\"ble\"")]
    [TestCase("''", "\"\"")]
    [TestCase("1", null)]
    [TestCase("'a' 'b'", null)]
    [TestCase("'a", null)]
    public void A_list_of_literals_has_every_element_quoted(string expression, string? value) => Assert.That(NameLists.QuoteAll(expression), Is.EqualTo(value));
}
