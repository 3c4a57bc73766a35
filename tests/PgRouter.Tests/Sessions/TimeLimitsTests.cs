using NUnit.Framework;
using PgRouter.Core.Sessions;

namespace PgRouter.Tests.Sessions;

internal sealed class TimeLimitsTests
{
    private const long Now = 1_000_000;

    private static readonly TimeLimits All = new(
        Query: TimeSpan.FromSeconds(1), IdleTransaction: TimeSpan.FromSeconds(2), Transaction: TimeSpan.FromSeconds(3), ClientIdle: TimeSpan.FromSeconds(4));

    private static readonly LimitClock Nothing = new(Now, LimitClock.Never, LimitClock.Never, LimitClock.Never, LimitClock.Never);

    [TestCase(999, (int)TimeLimit.None)]
    [TestCase(1000, (int)TimeLimit.Query)]
    public void A_request_is_limited_to_the_millisecond(int age, int expected) =>
        Assert.That((int)All.Reached(Nothing with { QuerySinceMs = Now - age }), Is.EqualTo(expected));

    [TestCase(1999, (int)TimeLimit.None)]
    [TestCase(2000, (int)TimeLimit.IdleTransaction)]
    public void Idling_in_a_transaction_is_limited(int age, int expected) =>
        Assert.That((int)All.Reached(Nothing with { IdleTransactionSinceMs = Now - age }), Is.EqualTo(expected));

    [TestCase(2999, (int)TimeLimit.None)]
    [TestCase(3000, (int)TimeLimit.Transaction)]
    public void A_transaction_is_limited(int age, int expected) =>
        Assert.That((int)All.Reached(Nothing with { TransactionSinceMs = Now - age }), Is.EqualTo(expected));

    [TestCase(3999, (int)TimeLimit.None)]
    [TestCase(4000, (int)TimeLimit.ClientIdle)]
    public void Idling_is_limited(int age, int expected) =>
        Assert.That((int)All.Reached(Nothing with { IdleSinceMs = Now - age }), Is.EqualTo(expected));

    [Test]
    public void What_ends_the_session_goes_before_what_ends_its_statement() =>
        Assert.That(All.Reached(Nothing with { QuerySinceMs = Now - 5000, TransactionSinceMs = Now - 5000 }), Is.EqualTo(TimeLimit.Transaction));

    [Test]
    public void Without_limits_nothing_is_ever_reached()
    {
        var none = default(TimeLimits);

        Assert.That(none.Any, Is.False);
        Assert.That(none.Reached(new LimitClock(Now, 0, 0, 0, 0)), Is.EqualTo(TimeLimit.None));
        Assert.That(none.NextCheckMs(Nothing), Is.EqualTo(long.MaxValue));
    }

    [Test]
    public void The_next_look_is_at_the_end_of_what_is_timed_now() =>
        Assert.That((All with { Query = TimeSpan.Zero }).NextCheckMs(Nothing with { IdleSinceMs = Now - 3500 }), Is.EqualTo(Now + 500));

    [Test]
    public void The_next_look_comes_early_enough_for_what_may_begin_right_away() =>
        Assert.That(All.NextCheckMs(Nothing with { IdleSinceMs = Now }), Is.EqualTo(Now + 1000), "a request may begin now");
}
