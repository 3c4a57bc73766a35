using System.Globalization;
using NUnit.Framework;
using PgRouter.Core.Catalog;

namespace PgRouter.Tests.Catalog;

[TestFixture]
internal sealed class PreparedTransactionsTests
{
    [Test]
    public void Only_those_that_are_known_to_have_run_no_DDL_change_nothing()
    {
        var transactions = new PreparedTransactions();
        transactions.Prepared("plain", hasDdl: false);
        transactions.Prepared("ddl", hasDdl: true);
        Assert.That((transactions.End("plain"), transactions.End("ddl"), transactions.End("other")), Is.EqualTo((false, true, true)));
        Assert.That(transactions.End("plain"), Is.True, "the name may be used again, by others");
    }

    [Test]
    public void So_many_that_they_are_forgotten_count_as_changed()
    {
        var transactions = new PreparedTransactions();
        for (var i = 0; i <= PreparedTransactions.Most; i++)
            transactions.Prepared(i.ToString(CultureInfo.InvariantCulture), hasDdl: false);
        Assert.That((transactions.End("0"), transactions.End($"{PreparedTransactions.Most}")), Is.EqualTo((true, false)));
    }
}
