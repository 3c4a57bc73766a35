using NUnit.Framework;
using PgRouter.Core.Authentication;
using PgRouter.Core.Configuration;
using PgRouter.Core.Users;
using PgRouter.Tests.Admin;

namespace PgRouter.Tests.Users;

[TestFixture]
internal sealed class UserDirectoryTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 29, 12, 0, 0, TimeSpan.Zero);
    private readonly List<string> _asked = [];
    private readonly Dictionary<string, StoredUser> _stored = new() { ["ann"] = new StoredUser("secret", null) };
    private ManualClock _clock = null!;
    private UserDirectory _directory = null!;
    private Func<string, Task<StoredUser?>> _find = null!;

    [SetUp]
    public void MakeDirectory()
    {
        _asked.Clear();
        _clock = new ManualClock(Noon);
        _find = user => Task.FromResult(_stored.GetValueOrDefault(user));
        _directory = new UserDirectory(Find, user => Task.FromResult<IReadOnlySet<string>>(new HashSet<string> { user, "staff" }), () => new RouterConfig(), _clock);
    }

    [TearDown]
    public void Dispose() => _directory.Dispose();

    [Test]
    public async Task An_answer_is_kept_for_its_time_also_that_a_user_is_not_known()
    {
        Assert.That((await _directory.SecretOfAsync("ann"))!.TryGetPlain(out var password) ? password : "", Is.EqualTo("secret"));
        Assert.That(await _directory.SecretOfAsync("nobody"), Is.Null);
        await _directory.SecretOfAsync("ann");
        await _directory.SecretOfAsync("nobody");
        Assert.That(_asked, Is.EqualTo(new[] { "ann", "nobody" }));

        _clock.Advance(TimeSpan.FromSeconds(31));
        await _directory.SecretOfAsync("ann");
        Assert.That(_asked, Has.Count.EqualTo(3));
    }

    [Test]
    public async Task All_who_ask_at_once_wait_for_one_answer()
    {
        var answer = new TaskCompletionSource<StoredUser?>();
        _find = _ => answer.Task;

        var asking = Enumerable.Range(0, 50).Select(_ => _directory.SecretOfAsync("ann")).ToList();
        answer.SetResult(_stored["ann"]);

        Assert.That(await Task.WhenAll(asking), Has.None.Null);
        Assert.That(_asked, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task No_more_than_four_questions_are_under_way()
    {
        var answer = new TaskCompletionSource<StoredUser?>();
        _find = _ => answer.Task;
        var asking = Enumerable.Range(0, 40).Select(i => _directory.SecretOfAsync($"u{i}")).ToList();
        await PgRouter.Testing.Eventually.TrueAsync(() => Count() == 4, "four questions");
        Assert.That(Count(), Is.EqualTo(4));

        answer.SetResult(null);
        await Task.WhenAll(asking);
        Assert.That(Count(), Is.EqualTo(40));
    }

    [Test]
    public async Task A_password_ends_at_its_time_although_the_answer_is_remembered()
    {
        _stored["bob"] = new StoredUser("secret", Noon.AddSeconds(10));
        Assert.That(await _directory.SecretOfAsync("bob"), Is.Not.Null);
        _clock.Advance(TimeSpan.FromSeconds(10));
        Assert.That(await _directory.SecretOfAsync("bob"), Is.Null);
        Assert.That(_asked, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_failure_is_not_remembered()
    {
        _find = _ => throw new UserLookupException("no node");
        Assert.That(async () => await _directory.SecretOfAsync("ann"), Throws.InstanceOf<UserLookupException>());
        _find = user => Task.FromResult(_stored.GetValueOrDefault(user));
        Assert.That(await _directory.SecretOfAsync("ann"), Is.Not.Null);
    }

    [Test]
    public async Task A_doubt_asks_anew_but_not_more_than_once_a_second()
    {
        await _directory.SecretOfAsync("ann");
        _directory.Doubt("ann");
        await _directory.SecretOfAsync("ann");
        Assert.That(_asked, Has.Count.EqualTo(1));
        _clock.Advance(TimeSpan.FromSeconds(1));
        _directory.Doubt("ann");
        await _directory.SecretOfAsync("ann");
        Assert.That(_asked, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task A_flood_of_names_does_not_grow_the_memory_without_end()
    {
        for (var i = 0; i < 25_000; i++)
            await _directory.SecretOfAsync($"u{i}");
        Assert.That(_directory.RememberedSecrets, Is.LessThanOrEqualTo(10_000));
    }

    [TestCase("md56f1ed002ab5595859014ebf0951522d9", PasswordSecretKind.Md5)]
    [TestCase("plain words", PasswordSecretKind.Plain)]
    public async Task A_stored_secret_has_the_forms_of_pg_authid(string stored, object kind)
    {
        _stored["eve"] = new StoredUser(stored, null);
        Assert.That((await _directory.SecretOfAsync("eve"))!.Kind, Is.EqualTo(kind));
    }

    [Test]
    public void A_damaged_verifier_is_no_password()
    {
        _stored["eve"] = new StoredUser("SCRAM-SHA-256$4096:broken", null);
        Assert.That(async () => await _directory.SecretOfAsync("eve"), Throws.InstanceOf<UserLookupException>().With.Message.Not.Contains("broken"));
        Assert.That(new StoredUser("secret", null).ToString(), Does.Not.Contain("secret"));
    }

    private int Count()
    {
        lock (_asked)
            return _asked.Count;
    }

    private Task<StoredUser?> Find(string user)
    {
        lock (_asked)
            _asked.Add(user);
        return _find(user);
    }
}
