using NUnit.Framework;
using PgRouter.Core.Admin;
using PgRouter.Core.Configuration;

namespace PgRouter.Tests.Admin;

internal sealed class AdminCommandsTests
{
    [TestCase("SHOW POOL_VERSION")]
    [TestCase("show pool_version;")]
    [TestCase("  Show\n\tPool_Version ; ; ")]
    [TestCase("/* monitoring */ SHOW POOL_VERSION -- every minute")]
    public void A_command_is_found_whatever_its_case_blanks_and_comments(string command) =>
        Assert.That(new FakeRouter().Run(command).Rows, Has.Count.EqualTo(1));

    [TestCase("")]
    [TestCase(" ; ")]
    [TestCase("-- nothing")]
    [TestCase("/* open")]
    public void An_empty_query_has_neither_tag_nor_error(string command)
    {
        var result = new FakeRouter().RunInConsole(command);

        Assert.That(result.Tag, Is.Empty);
        Assert.That(result.Error, Is.Null);
    }

    [Test]
    public void A_mistyped_name_gets_the_nearest_one() =>
        Assert.That(new FakeRouter().Run("SHOW POOL_NODE").Error, Is.EqualTo(
            new AdminError("42704", "there is nothing named \"POOL_NODE\" to show", "Did you mean SHOW POOL_NODES?")));

    [Test]
    public void A_name_like_no_other_gets_the_list()
    {
        var router = new FakeRouter();

        Assert.That(router.Run("SHOW POOL_XYZZY_XYZZY_XYZZY").Error?.Hint, Does.Contain("SHOW POOL_NODES").And.Contain("PGPOOL SHOW"));
        Assert.That(router.RunInConsole("SHOW XYZZY_XYZZY_XYZZY").Error?.Hint, Does.Contain("SHOW HELP"));
    }

    [TestCase("INSERT INTO t VALUES (1)")]
    [TestCase("'SHOW POOLS'")]
    [TestCase("\u00e9\u0000")]
    public void What_is_no_command_is_a_syntax_error(string command) =>
        Assert.That(new FakeRouter().RunInConsole(command).Error?.SqlState, Is.EqualTo("42601"));

    [Test]
    public void A_very_long_word_is_refused_without_repeating_it_all()
    {
        var error = new FakeRouter().RunInConsole("SHOW " + new string('x', 1_000_000)).Error;

        Assert.That(error?.SqlState, Is.EqualTo("42704"));
        Assert.That(error?.Message, Has.Length.LessThan(200));
    }

    [Test]
    public void Two_commands_in_one_query_are_refused() =>
        Assert.That(new FakeRouter().RunInConsole("SHOW POOLS; SHOW STATS").Error?.Message,
            Is.EqualTo("the console takes one command at a time"));

    [Test]
    public void An_open_quote_is_refused() =>
        Assert.That(new FakeRouter().RunInConsole("SET application_name = 'x").Error?.Message, Is.EqualTo("unterminated quoted string"));

    [TestCase("SHOW POOLS")]
    [TestCase("SHOW STATS")]
    [TestCase("RELOAD")]
    [TestCase("SELECT 1")]
    public void Words_of_pgbouncer_are_not_understood_outside_the_console(string command)
    {
        var router = new FakeRouter { Config = new RouterConfig { AdminUsers = ["root"] } };

        Assert.That(router.Run(command, "root").Error?.SqlState, Is.EqualTo("42601").Or.EqualTo("42704"));
        Assert.That(router.VerbsUsed, Is.Empty);
    }

    [Test]
    public void Words_of_pgpool_are_understood_in_the_console_too() =>
        Assert.That(new FakeRouter().RunInConsole("SHOW POOL_VERSION").Error, Is.Null);

    [Test]
    public void A_cancelled_session_runs_nothing()
    {
        var context = new AdminContext { User = "app", Pid = 1 };

        Assert.That(
            async () => await new FakeRouter().Commands.ExecuteAsync("SHOW POOL_NODES", context, new CancellationToken(canceled: true)),
            Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public void Reload_reloads_and_says_so()
    {
        var router = new FakeRouter { Config = new RouterConfig { AdminUsers = ["root"] } };

        Assert.That(router.RunInConsole("reload;", "root").Tag, Is.EqualTo("RELOAD"));
        Assert.That(router.VerbsUsed, Is.EqualTo(new[] { "reload" }));
    }

    [Test]
    public void A_reload_with_mistakes_says_each_of_them()
    {
        var router = new FakeRouter { Config = new RouterConfig { AdminUsers = ["root"] } };
        router.ReloadMistakes.AddRange(["port must be a number.", "pool_mode is unknown."]);

        Assert.That(router.RunInConsole("RELOAD", "root").Error, Is.EqualTo(new AdminError(
            "F0000", "the configuration was not wholly reloaded: port must be a number. pool_mode is unknown.", "What was in force before is still.")));
    }

    [TestCase("SHUTDOWN", "shutdown Immediate")]
    [TestCase("shutdown wait_for_servers", "shutdown WaitForServers")]
    [TestCase("SHUTDOWN WAIT_FOR_CLIENTS;", "shutdown WaitForClients")]
    public void Shutdown_waits_for_what_it_is_told_to(string command, string verb)
    {
        var router = new FakeRouter { Config = new RouterConfig { AdminUsers = ["root"] } };

        Assert.That(router.RunInConsole(command, "root").Tag, Is.EqualTo("SHUTDOWN"));
        Assert.That(router.VerbsUsed, Is.EqualTo(new[] { verb }));
    }

    [Test]
    public void Shutdown_with_words_it_does_not_know_does_nothing()
    {
        var router = new FakeRouter { Config = new RouterConfig { AdminUsers = ["root"] } };

        Assert.That(router.RunInConsole("SHUTDOWN NOW", "root").Error?.SqlState, Is.EqualTo("42601"));
        Assert.That(router.VerbsUsed, Is.Empty);
    }

    [Test]
    public void A_name_can_be_registered_once_only()
    {
        var router = new FakeRouter();
        var twin = new RefusedCommand(AdminDialect.PgBouncer, "show pools", AdminAccess.Show, "it is a twin");

        Assert.That(() => new AdminCommands(router, router, router, router.Clock, [twin]), Throws.ArgumentException);
    }
}
