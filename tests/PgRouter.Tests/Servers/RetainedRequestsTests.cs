using System.Text;
using NUnit.Framework;
using PgRouter.Core.Servers;

namespace PgRouter.Tests.Servers;

[TestFixture]
internal sealed class RetainedRequestsTests
{
    private readonly RetainedRequests _requests = new();

    [TearDown]
    public void Forget() => _requests.Forget();

    [Test]
    public void What_was_answered_is_not_kept()
    {
        Add("one", isFirst: true);
        Add("two");
        Add("three");
        Assert.That((All, First), Is.EqualTo(("onetwothree", "one")));
        _requests.Settle();
        Add("four");
        Assert.That((All, First), Is.EqualTo(("twothreefour", "two")));
        for (var i = 0; i < 3; i++)
            _requests.Settle();
        Assert.That((_requests.IsEmpty, All), Is.EqualTo((true, "")));
        _requests.Settle();
        Assert.That(_requests.IsEmpty);
    }

    [Test]
    public void Behind_one_that_must_not_run_again_nothing_is_kept_until_the_server_owes_nothing()
    {
        Add("one", isFirst: true);
        _requests.Forget();
        Add("two");
        Assert.That(_requests.IsEmpty);
        Add("three", isFirst: true);
        Assert.That(All, Is.EqualTo("three"));
    }

    [Test]
    public void More_than_64_KiB_are_not_kept()
    {
        Add(new string('a', 60 * 1024), isFirst: true);
        Add(new string('b', 4 * 1024));
        Assert.That(All, Has.Length.EqualTo(64 * 1024));
        Add("c");
        Assert.That(_requests.IsEmpty);
        Add(new string('d', (64 * 1024) + 1), isFirst: true);
        Assert.That(_requests.IsEmpty);
    }

    [Test]
    public void A_long_pipeline_takes_no_more_room_than_what_is_not_answered()
    {
        Add("0", isFirst: true);
        for (var i = 1; i < 100_000; i++)
        {
            Add($"{i}");
            _requests.Settle();
        }
        Assert.That(All, Is.EqualTo("99999"));
    }

    private string All => Encoding.ASCII.GetString(_requests.Bytes);

    private string First => Encoding.ASCII.GetString(_requests.First);

    private void Add(string text, bool isFirst = false) => _requests.Add(Encoding.ASCII.GetBytes(text), isFirst);
}
