using NUnit.Framework;
using PgRouter.Core.Admin;
using PgRouter.Core.Configuration;

namespace PgRouter.Tests.Admin;

/// <summary>PAUSE, RESUME, KILL and their kind: which words reach the router, and what an operator reads.</summary>
internal sealed class DatabaseCommandTests
{
    [TestCase("PAUSE", "Pause (all)")]
    [TestCase("pause shop;", "Pause shop")]
    [TestCase("PAUSE \"Shop 1\"", "Pause Shop 1")]
    [TestCase("RESUME", "Resume (all)")]
    [TestCase("RESUME shop", "Resume shop")]
    [TestCase("RECONNECT", "Reconnect (all)")]
    [TestCase("RECONNECT shop", "Reconnect shop")]
    [TestCase("DISABLE shop", "Disable shop")]
    [TestCase("ENABLE shop", "Enable shop")]
    [TestCase("KILL", "Kill (all)")]
    [TestCase("KILL shop", "Kill shop")]
    [TestCase("WAIT_CLOSE", "WaitClose (all)")]
    [TestCase("WAIT_CLOSE shop", "WaitClose shop")]
    [TestCase("SUSPEND", "suspend")]
    public void A_command_reaches_the_router(string command, string used)
    {
        var router = Router();

        var result = router.RunInConsole(command);

        Assert.That(result.Error, Is.Null);
        Assert.That(result.Tag, Is.EqualTo(command.Split(' ', ';')[0].ToUpperInvariant()));
        Assert.That(router.VerbsUsed, Is.EqualTo(new[] { used }));
    }

    [TestCase("PAUSE shop now", "42601")]
    [TestCase("DISABLE", "42601")]
    [TestCase("ENABLE", "42601")]
    [TestCase("SUSPEND shop", "42601")]
    [TestCase("KILL_CLIENT", "42601")]
    [TestCase("KILL_CLIENT 1 2", "42601")]
    [TestCase("KILL_CLIENT x", "22023")]
    [TestCase("KILL_CLIENT -5", "22023")]
    [TestCase("KILL_CLIENT 5", "42704")]
    [TestCase("PAUSE pgbouncer", "0A000")]
    [TestCase("KILL pgrouter", "0A000")]
    public void Words_that_make_no_sense_are_refused(string command, string sqlState)
    {
        var router = Router();

        Assert.That(router.RunInConsole(command).Error?.SqlState, Is.EqualTo(sqlState));
        Assert.That(router.VerbsUsed.Except(["kill client 5"]), Is.Empty);
    }

    [Test]
    public void A_client_is_killed_by_its_id()
    {
        var router = Router();

        Assert.That(router.RunInConsole("KILL_CLIENT 12").Tag, Is.EqualTo("KILL_CLIENT"));
        Assert.That(router.VerbsUsed, Is.EqualTo(new[] { "kill client 12" }));
    }

    [Test]
    public void What_the_router_refuses_is_told()
    {
        var router = Router();
        router.Refusal = new AdminError("55000", "already suspended/paused");

        Assert.That(router.RunInConsole("PAUSE").Error, Is.EqualTo(router.Refusal));
        Assert.That(router.RunInConsole("SUSPEND").Error, Is.EqualTo(router.Refusal));
    }

    [Test]
    public void A_database_that_nobody_has_used_is_stopped_with_a_warning()
    {
        var router = Router();

        Assert.That(router.RunInConsole("PAUSE shpo").Warning, Is.EqualTo("no client has used database \"shpo\" yet"));
        Assert.That(router.RunInConsole("PAUSE shop").Warning, Is.Null);
        Assert.That(router.RunInConsole("PAUSE").Warning, Is.Null);
    }

    [TestCase("PAUSE")]
    [TestCase("DISABLE shop")]
    [TestCase("SUSPEND")]
    [TestCase("KILL_CLIENT 12")]
    public void Only_administrators_may(string command)
    {
        var router = Router();

        Assert.That(router.RunInConsole(command, "guest").Error?.SqlState, Is.EqualTo("42501"));
        Assert.That(router.VerbsUsed, Is.Empty);
    }

    [Test]
    public void What_is_stopped_shows()
    {
        var router = Router();
        router.Stopped = new StopSnapshot(true, false, [new DatabaseStop("shop", true, false), new DatabaseStop("sleepy", false, true)]);

        var databases = router.RunInConsole("SHOW DATABASES");
        Assert.That(databases.Rows.Select(row => (row[0], row[15], row[16])), Is.EqualTo(new[] { ("shop", "1", "0"), ("sleepy", "0", "1") }));
        Assert.That(router.RunInConsole("SHOW STATE").Rows.Select(row => $"{row[0]}={row[1]}"), Is.EqualTo(new[] { "active=no", "paused=yes", "suspended=no" }));
    }

    private static FakeRouter Router()
    {
        var router = new FakeRouter { Config = new RouterConfig { AdminUsers = ["app"], StatsUsers = ["guest"] } };
        router.Clients.Add(new ClientSnapshot { Pid = 12, User = "app", Database = "shop", State = "idle" });
        return router;
    }
}
