using NUnit.Framework;
using PgRouter.Core.Admin;
using PgRouter.Core.Configuration;

namespace PgRouter.Tests.Admin;

internal sealed class AdminAuthorizationTests
{
    private static readonly RouterConfig Open = new();
    private static readonly RouterConfig Listed = new() { AdminUsers = ["root"], StatsUsers = ["watch"] };
    private static readonly RouterConfig AdminsOnly = new() { AdminUsers = ["root"] };

    [Test]
    public void Without_lists_everybody_sees_and_nobody_operates()
    {
        Assert.That(AdminAuthorization.CheckConsoleLogin(Open, "app"), Is.Null);
        Assert.That(AdminAuthorization.Check(Open, "app", AdminAccess.Show), Is.Null);
        Assert.That(AdminAuthorization.Check(Open, "app", AdminAccess.Operate)?.SqlState, Is.EqualTo("42501"));
    }

    [TestCase("root", true, true)]
    [TestCase("watch", true, false)]
    [TestCase("app", false, false)]
    [TestCase("ROOT", false, false)]
    public void With_lists_admins_do_all_and_stats_users_see_all(string user, bool sees, bool operates)
    {
        Assert.That(AdminAuthorization.CheckConsoleLogin(Listed, user) is null, Is.EqualTo(sees));
        Assert.That(AdminAuthorization.Check(Listed, user, AdminAccess.Show) is null, Is.EqualTo(sees));
        Assert.That(AdminAuthorization.Check(Listed, user, AdminAccess.Operate) is null, Is.EqualTo(operates));
    }

    [Test]
    public void One_list_is_enough_to_close_the_console() =>
        Assert.That(AdminAuthorization.CheckConsoleLogin(AdminsOnly, "app")?.SqlState, Is.EqualTo("42501"));

    [TestCase("SHOW POOL_NODES")]
    [TestCase("SHOW CONFIG")]
    [TestCase("PGPOOL SHOW ALL")]
    public void A_show_is_refused_to_others(string command)
    {
        var router = new FakeRouter { Config = Listed };

        Assert.That(router.RunInConsole(command, "app").Error?.SqlState, Is.EqualTo("42501"));
        Assert.That(router.RunInConsole(command, "watch").Error, Is.Null);
    }

    [TestCase("RELOAD")]
    [TestCase("SHUTDOWN")]
    [TestCase("PAUSE")]
    public void A_verb_is_refused_to_stats_users_and_does_nothing(string command)
    {
        var router = new FakeRouter { Config = Listed };

        Assert.That(router.RunInConsole(command, "watch").Error?.SqlState, Is.EqualTo("42501"));
        Assert.That(router.VerbsUsed, Is.Empty);
    }
}
