using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;
using PgRouter.Core.Catalog;
using PgRouter.Core.Sessions;
using PgRouter.Sql;
using PgRouter.Testing;
using PgRouter.Tests.Health;

namespace PgRouter.Tests.Sessions;

[TestFixture]
internal sealed class RefusedTextsTests
{
    private const string Message = "cannot execute INSERT in a read-only transaction";
    private const long TenMinutes = 10 * 60 * 1000;

    private readonly StatementInfo _text = Text();
    private CatalogDirectory _directory = null!;
    private CatalogStore _catalog = null!;
    private ManualTimeProvider _time = null!;

    [SetUp]
    public async Task Start()
    {
        _time = new ManualTimeProvider();
        _directory = new CatalogDirectory(new EmptyLoader(), () => TimeSpan.FromSeconds(60), _time, NullLogger.Instance);
        _catalog = _directory.For("d", "u");
        await Eventually.TrueAsync(() => _catalog.Loads == 1, "the first load");
    }

    [TearDown]
    public void Stop() => _directory.Dispose();

    [Test]
    public void A_text_is_refused_in_its_database()
    {
        var refused = new RefusedTexts();
        Assert.That(refused.IsEmpty);
        refused.Add(_text, _catalog, Message, 0);
        Assert.That(refused.Find(_text, _catalog, 0), Is.EqualTo(Message));
        Assert.That(refused.Find(Text(), _catalog, 0), Is.Null, "another text");
        Assert.That(refused.Find(_text, _directory.For("other", "u"), 0), Is.Null, "another database");
    }

    [Test]
    public async Task It_is_forgotten_with_the_second_reading_of_the_catalog_for_the_first_is_its_own()
    {
        var refused = new RefusedTexts();
        refused.Add(_text, _catalog, Message, 0);
        await ReadAgainAsync(2);
        Assert.That(refused.Find(_text, _catalog, 0), Is.EqualTo(Message));
        await ReadAgainAsync(3);
        Assert.That(refused.Find(_text, _catalog, 0), Is.Null);
        Assert.That(refused.IsEmpty);
    }

    [Test]
    public void It_is_forgotten_after_ten_minutes_where_nothing_can_be_read()
    {
        var refused = new RefusedTexts();
        refused.Add(_text, _catalog, Message, 1000);
        Assert.That(refused.Find(_text, _catalog, 999 + TenMinutes), Is.EqualTo(Message));
        Assert.That(refused.Find(_text, _catalog, 1000 + TenMinutes), Is.Null);
    }

    [Test]
    public void Of_too_many_the_oldest_goes()
    {
        var refused = new RefusedTexts(limit: 2);
        StatementInfo[] texts = [Text(), Text(), Text()];
        foreach (var text in texts)
            refused.Add(text, _catalog, Message, 0);
        refused.Add(texts[2], _catalog, Message, 0);
        Assert.That(texts.Select(text => refused.Find(text, _catalog, 0)), Is.EqualTo(new[] { null, Message, Message }));
        Assert.That(refused.Count, Is.EqualTo(2));
    }

    private async Task ReadAgainAsync(long loads)
    {
        _time.Advance(TimeSpan.FromSeconds(1));
        _catalog.NoteRefusal();
        await Eventually.TrueAsync(() => _catalog.Loads == loads, "the load");
    }

    private static StatementInfo Text() => new(StatementClass.Read, "SELECT", []);

    private sealed class EmptyLoader : ICatalogLoader
    {
        public int? Source => 0;

        public Task<CatalogRows> LoadAsync(string database, IReadOnlyList<string> users, CancellationToken cancellationToken) =>
            Task.FromResult(new CatalogRows());
    }
}
