using NUnit.Framework;
using PgRouter.Core.Pooling;
using PgRouter.Protocol;
using PgRouter.Testing;
using PgRouter.Tests.Transport;

namespace PgRouter.Tests.Pooling;

/// <summary>Logins that are refused, and many that are wanted at once.</summary>
[TestFixture]
internal sealed class LoginBackoffTests
{
    private static readonly PoolError NoRole = new(ErrorMessage.Fatal(SqlStates.InvalidAuthorizationSpecification, "no"), IsUnreachable: false);
    private static readonly PoolError NoSlot = new(ErrorMessage.Fatal(SqlStates.TooManyConnections, "no"), IsUnreachable: false);
    private static readonly PoolError Gone = new(ErrorMessage.Error(SqlStates.ConnectionFailure, "gone"), IsUnreachable: true);

    [TestCase(1, new double[] { 1, 2, 4, 8, 15, 15 })]
    [TestCase(0.5, new double[] { 0.5, 1, 2, 4, 8, 15 })]
    [TestCase(60, new double[] { 60, 60, 60 })]
    public void The_pause_grows_with_each_failure(double loginRetry, double[] expected) =>
        Assert.That(
            expected.Select((_, before) => LoginBackoff.Pause(NoSlot, TimeSpan.FromSeconds(loginRetry), before).TotalSeconds), Is.EqualTo(expected));

    [Test]
    public void What_a_standby_may_not_have_replayed_yet_is_asked_for_again_after_a_second() =>
        Assert.That(LoginBackoff.Pause(NoRole, TimeSpan.FromSeconds(10), before: 0), Is.EqualTo(TimeSpan.FromSeconds(1)));

    [Test]
    public void A_node_that_is_not_there_has_no_pause_for_health_decides() =>
        Assert.That(LoginBackoff.Pause(Gone, TimeSpan.FromSeconds(10), before: 5), Is.EqualTo(TimeSpan.Zero));

    [Test]
    public void A_success_ends_the_pause_and_its_growth()
    {
        var backoff = new LoginBackoff();
        backoff.Failed(NoSlot, TimeSpan.FromMinutes(1));
        Assert.That((backoff.IsPausing, backoff.Reason), Is.EqualTo((true, NoSlot)));
        backoff.Succeeded();
        Assert.That((backoff.IsPausing, backoff.Reason), Is.EqualTo((false, (PoolError?)null)));
    }

    [Test]
    public async Task The_first_login_goes_alone_and_its_refusal_is_everybodys()
    {
        using var bed = new PoolBed(size: 20);
        bed.Config = bed.Config with { ServerLoginRetry = TimeSpan.FromMinutes(10) };
        bed.CloseGate();
        bed.FailNext(SqlStates.InvalidPassword, isUnreachable: false);
        var waiting = new List<Task<(ServerLease? Lease, PoolError? Error)>>();
        for (var i = 0; i < 20; i++)
            waiting.Add(await bed.NewClient().BeginAsync());
        Assert.That(bed.Connects, Is.EqualTo(1));

        bed.OpenGate();

        var answers = await Task.WhenAll(waiting).WaitAsync(LoopHost.Deadline);
        Assert.That(answers.Select(a => a.Error!.Message.Code), Is.All.EqualTo(SqlStates.InvalidPassword));
        Assert.That(bed.Connects, Is.EqualTo(1));
    }

    [Test]
    public async Task A_storm_of_clients_opens_a_few_servers_at_a_time()
    {
        using var bed = new PoolBed(size: 40);
        await bed.NewClient().TakeAsync();
        bed.CloseGate();
        var waiting = new List<Task<(ServerLease? Lease, PoolError? Error)>>();
        for (var i = 0; i < 39; i++)
            waiting.Add(await bed.NewClient().BeginAsync());
        Assert.That((bed.Connects, bed.Pool.Opening), Is.EqualTo((9, 8)));

        bed.OpenGate();

        await Task.WhenAll(waiting).WaitAsync(LoopHost.Deadline);
        Assert.That(bed.Connects, Is.EqualTo(40));
    }

    [Test]
    public async Task Many_pools_together_open_a_bounded_number_at_once_on_one_node()
    {
        using var bed = new PoolBed(size: 1);
        bed.CloseGate();
        var waiting = new List<Task<(ServerLease? Lease, PoolError? Error)>>();
        for (var i = 0; i < ServerBudgets.MostLogins + 10; i++)
            waiting.Add(await bed.NewClient(pool: bed.Directory.Get(PoolBed.Node, $"d{i}", "u")).BeginAsync());
        Assert.That(bed.Connects, Is.EqualTo(ServerBudgets.MostLogins));

        bed.OpenGate();

        await Task.WhenAll(waiting).WaitAsync(LoopHost.Deadline);
        Assert.That(bed.Connects, Is.EqualTo(ServerBudgets.MostLogins + 10));
    }

    [Test]
    public async Task A_reload_tries_at_once_what_was_refused()
    {
        using var bed = new PoolBed();
        bed.Config = bed.Config with { ServerLoginRetry = TimeSpan.FromMinutes(10) };
        bed.FailNext(SqlStates.InvalidPassword, isUnreachable: false);
        await (await bed.NewClient().BeginAsync()).WaitAsync(LoopHost.Deadline);

        bed.Directory.Reconfigure([PoolBed.Node]);

        await bed.NewClient().TakeAsync();
        Assert.That(bed.Connects, Is.EqualTo(2));
    }

    [Test]
    public async Task Those_who_wait_beside_servers_in_use_get_one_when_the_pause_is_over()
    {
        using var bed = new PoolBed();
        await bed.NewClient().TakeAsync();
        bed.FailNext(SqlStates.TooManyConnections, isUnreachable: false);
        var waiting = await bed.NewClient().BeginAsync();
        Assert.That((await waiting.WaitAsync(Eventually.DefaultDeadline)).Lease, Is.Not.Null);
        Assert.That(bed.Connects, Is.EqualTo(3));
    }
}
