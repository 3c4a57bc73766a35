using NUnit.Framework;
using PgRouter.Core.Catalog;
using PgRouter.Core.Sessions;
using PgRouter.Sql;

namespace PgRouter.Tests.Sessions;

[TestFixture]
internal sealed class CatalogAnswersTests
{
    [Test]
    public void An_answer_is_kept_for_its_text_its_catalog_and_its_search_path()
    {
        using var parser = new StatementParser();
        var info = parser.Analyze("SELECT * FROM t");
        var (catalog, answers) = (DatabaseCatalog.Unknown(1), new CatalogAnswers());
        var answer = answers.Get(info, catalog, SearchPath.Any, hasTemporary: false);
        Assert.That(answers.Get(info, catalog, SearchPath.Any, hasTemporary: false), Is.SameAs(answer));
        Assert.That(answers.Get(info, catalog, SearchPath.Parse("a", null), hasTemporary: false), Is.Not.SameAs(answer));
        Assert.That(answers.Get(info, DatabaseCatalog.Unknown(2), SearchPath.Any, hasTemporary: false), Is.Not.SameAs(answer));
        Assert.That(answers.Get(info, catalog, SearchPath.Any, hasTemporary: true), Is.Not.SameAs(answer));
    }
}
