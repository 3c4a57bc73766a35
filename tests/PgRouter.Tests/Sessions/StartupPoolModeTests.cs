using NUnit.Framework;
using PgRouter.Core.Configuration;
using PgRouter.Core.Sessions;
using PgRouter.Protocol;

namespace PgRouter.Tests.Sessions;

[TestFixture]
internal sealed class StartupPoolModeTests
{
    [TestCase("session", PoolMode.Session)]
    [TestCase("TRANSACTION", PoolMode.Transaction)]
    [TestCase("statement", PoolMode.Statement)]
    public void The_choice_is_taken_out_of_the_settings(string value, PoolMode expected)
    {
        var values = new List<KeyValuePair<string, string>> { new("a", "1"), new("PgRouter.pool_mode", value), new("b", "2") };
        Assert.That(StartupPoolMode.TryTake(values, out var mode, out _), Is.True);
        Assert.That(mode, Is.EqualTo(expected));
        Assert.That(values.Select(v => v.Key), Is.EqualTo(new[] { "a", "b" }));
    }

    [Test]
    public void Without_a_choice_there_is_none()
    {
        Assert.That(StartupPoolMode.TryTake([], out var mode, out _), Is.True);
        Assert.That(mode, Is.Null);
    }

    [Test]
    public void An_unknown_mode_is_refused_with_what_there_is()
    {
        Assert.That(StartupPoolMode.TryTake([new("pgrouter.pool_mode", "auto")], out _, out var error), Is.False);
        Assert.That((error!.Code, error.Hint), Is.EqualTo((SqlStates.InvalidParameterValue, "Available values: transaction, session, statement.")));
    }

    [TestCase(PoolMode.Session, PoolMode.Transaction, null)]
    [TestCase(PoolMode.Transaction, PoolMode.Session, null)]
    [TestCase(PoolMode.Statement, PoolMode.Transaction, null)]
    [TestCase(PoolMode.Statement, PoolMode.Statement, null)]
    [TestCase(null, PoolMode.Statement, null)]
    [TestCase(PoolMode.Session, PoolMode.Statement, SqlStates.InsufficientPrivilege)]
    public void Only_statement_mode_is_not_the_clients_to_leave(PoolMode? asked, PoolMode configured, string? code) =>
        Assert.That(StartupPoolMode.Refuse(asked, configured)?.Code, Is.EqualTo(code));
}
