using System.Text;
using NUnit.Framework;
using PgRouter.Core.Servers;
using PgRouter.Core.Sessions;
using PgRouter.Sql;

namespace PgRouter.Tests.Servers;

/// <summary><see cref="PreparedStatementCache"/>, <see cref="PreparedSet"/> and <see cref="StatementMap"/>.</summary>
[TestFixture]
internal sealed class PreparedStatementTests
{
    private static readonly StatementInfo Read = new(StatementClass.Read, "SELECT", []);

    [Test]
    public void The_same_definition_is_the_same_statement_and_one_byte_makes_another()
    {
        var cache = new PreparedStatementCache();
        var one = Acquire(cache, "SELECT 1\0");
        Assert.That(Acquire(cache, "SELECT 1\0"), Is.SameAs(one));
        Assert.That(Acquire(cache, "SELECT 1\0\0\0\0\x17").Id, Is.Not.EqualTo(one.Id), "other parameter types");
        Assert.That(Acquire(cache, "select 1\0").ServerName, Is.Not.EqualTo(one.ServerName));
        Assert.That(Encoding.ASCII.GetString(one.ServerName), Is.EqualTo($"pgrouter_{one.Id}"));
        Assert.That(cache.Count, Is.EqualTo(3));
    }

    [Test]
    public void A_statement_that_nobody_uses_is_kept_for_the_next_who_prepares_it()
    {
        var cache = new PreparedStatementCache();
        var one = Acquire(cache, "SELECT 1\0");
        cache.Release(one);
        Assert.That(Acquire(cache, "SELECT 1\0"), Is.SameAs(one));
    }

    [Test]
    public void Unused_statements_go_oldest_first_above_the_limit_and_used_ones_stay()
    {
        var cache = new PreparedStatementCache(unusedBytesLimit: 100);
        var used = Acquire(cache, new string('u', 90));
        var shared = Acquire(cache, new string('s', 60));
        Acquire(cache, new string('s', 60));
        cache.Release(shared);
        for (var i = 0; i < 10; i++)
            cache.Release(Acquire(cache, $"{i}".PadRight(40)));
        Assert.That(cache.Count, Is.EqualTo(4), "two in use, and two of 40 bytes within the 100");
        Assert.That(Acquire(cache, new string('u', 90)), Is.SameAs(used));
        Assert.That(Acquire(cache, new string('s', 60)), Is.SameAs(shared));
        var last = Acquire(cache, "9".PadRight(40));
        Assert.That(last.Id, Is.EqualTo(12), "kept since it was made as the twelfth");
    }

    [Test]
    public void A_statement_used_again_and_again_by_short_sessions_pushes_nothing_out()
    {
        var cache = new PreparedStatementCache(unusedBytesLimit: 100);
        var other = Acquire(cache, "other".PadRight(40));
        cache.Release(other);
        for (var i = 0; i < 50; i++)
            cache.Release(Acquire(cache, "often".PadRight(40)));
        Assert.That(Acquire(cache, "other".PadRight(40)), Is.SameAs(other));
        Assert.That(cache.Count, Is.EqualTo(2));
    }

    [Test]
    public void A_statement_too_large_to_keep_is_shared_with_nobody()
    {
        var cache = new PreparedStatementCache();
        var (one, other) = (cache.AcquireLarge(Read), cache.AcquireLarge(Read));
        Assert.That(one.Id, Is.Not.EqualTo(other.Id));
        cache.Release(one);
        cache.Release(other);
        Assert.That(cache.Count, Is.Zero);
    }

    [Test]
    public void Sessions_of_many_threads_share_the_cache()
    {
        var cache = new PreparedStatementCache(unusedBytesLimit: 200);
        Parallel.For(0, 4, thread =>
        {
            var random = new Random(thread);
            for (var i = 0; i < 5000; i++)
            {
                var text = $"SELECT {random.Next(20)}";
                var statement = Acquire(cache, text);
                Assert.That(Encoding.ASCII.GetString(statement.Definition), Is.EqualTo(text));
                cache.Release(statement);
            }
        });
        Assert.That(cache.Count, Is.LessThanOrEqualTo(200 / "SELECT 1".Length));
    }

    [Test]
    public void On_a_server_the_least_recently_used_goes_first()
    {
        var statements = Enumerable.Range(1, 4).Select(id => new PreparedStatement(id, "", 0, [1], Read)).ToList();
        var set = new PreparedSet();
        Assert.That(set.Touch(statements[0]), Is.False);
        Assert.That(set.Add(statements[0], 3), Is.Null);
        Assert.That(set.Add(statements[1], 3), Is.Null);
        Assert.That(set.Add(statements[2], 3), Is.Null);
        Assert.That(set.Touch(statements[0]), Is.True);
        Assert.That(set.Add(statements[3], 3), Is.SameAs(statements[1]));
        Assert.That(set.Touch(statements[1]), Is.False);
        set.Remove(statements[0]);
        set.Remove(statements[0]);
        Assert.That(set.Count, Is.EqualTo(2));
        set.Clear();
        Assert.That((set.Count, set.Touch(statements[3])), Is.EqualTo((0, false)));
    }

    [Test]
    public void Without_a_limit_a_server_keeps_all()
    {
        var set = new PreparedSet();
        for (var id = 1; id <= 1000; id++)
            Assert.That(set.Add(new PreparedStatement(id, "", 0, [1], Read), 0), Is.Null);
        Assert.That(set.Count, Is.EqualTo(1000));
    }

    [Test]
    public void A_client_has_names_of_its_own_and_gives_its_statements_back()
    {
        var cache = new PreparedStatementCache(unusedBytesLimit: 0);
        var map = new StatementMap(cache);
        var statement = Acquire(cache, "SELECT 1\0");
        map.Add("a"u8.ToArray(), statement);
        map.Add([0xFF, 0xFE], Acquire(cache, "SELECT 2\0"));
        Assert.That(map.Find("a"u8), Is.SameAs(statement));
        Assert.That(map.Find([0xFF, 0xFE]), Is.Not.Null, "names are bytes, not text");
        Assert.That(map.Find("A"u8), Is.Null);
        Assert.That(map.Remove("a"u8), Is.SameAs(statement));
        Assert.That(map.Remove("a"u8), Is.Null);
        Assert.That((map.Count, cache.Count), Is.EqualTo((1, 1)));
        map.Clear();
        Assert.That((map.Count, cache.Count), Is.EqualTo((0, 0)));
    }

    [Test]
    public void The_same_text_under_another_search_path_is_another_statement()
    {
        var cache = new PreparedStatementCache(unusedBytesLimit: 0);
        var one = Acquire(cache, "INSERT INTO t VALUES ($1)\0", "=one");
        var two = Acquire(cache, "INSERT INTO t VALUES ($1)\0", "=two");
        Assert.That(two.Id, Is.Not.EqualTo(one.Id), "the types of its parameters are settled at Parse");
        Assert.That(Acquire(cache, "INSERT INTO t VALUES ($1)\0", "=one"), Is.SameAs(one));
    }

    [Test]
    public void After_DDL_a_text_is_prepared_anew_and_those_who_hold_the_old_one_keep_it()
    {
        var cache = new PreparedStatementCache(unusedBytesLimit: 0);
        var before = Acquire(cache, "INSERT INTO t VALUES ($1)\0");
        cache.NoteSchemaChange();
        var after = Acquire(cache, "INSERT INTO t VALUES ($1)\0");
        Assert.That(after.Id, Is.Not.EqualTo(before.Id));
        cache.Release(before);
        Assert.That(Acquire(cache, "INSERT INTO t VALUES ($1)\0"), Is.SameAs(after));
    }

    private static PreparedStatement Acquire(PreparedStatementCache cache, string definition, string scope = "") =>
        cache.Acquire(Encoding.ASCII.GetBytes(definition), Read, scope);
}
