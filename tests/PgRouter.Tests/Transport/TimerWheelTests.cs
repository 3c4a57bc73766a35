using NUnit.Framework;
using PgRouter.Core.Transport;

namespace PgRouter.Tests.Transport;

[TestFixture]
internal sealed class TimerWheelTests
{
    private const int Step = TimerWheel.StepMs;
    private const long OneTurn = 2048L * Step;

    private readonly List<string> _fired = [];
    private TimerWheel _wheel = null!;

    [SetUp]
    public void NewWheel()
    {
        _wheel = new TimerWheel(1_000_000);
        _fired.Clear();
    }

    [Test]
    public void A_timer_fires_once_never_early_and_at_most_a_step_late()
    {
        var timer = Timer("a");
        _wheel.Arm(timer, 1_000_100);
        _wheel.Advance(1_000_099);
        Assert.That(_fired, Is.Empty);
        Assert.That(timer.IsArmed, Is.True);
        _wheel.Advance(1_000_100 + Step);
        Assert.That(_fired, Is.EqualTo(new[] { "a" }));
        Assert.That(timer.IsArmed, Is.False);
        _wheel.Advance(1_000_100 + (3 * OneTurn));
        Assert.That(_fired, Has.Count.EqualTo(1));
    }

    [Test]
    public void Timers_fire_in_the_order_of_their_steps()
    {
        _wheel.Arm(Timer("c"), 1_000_300);
        _wheel.Arm(Timer("a"), 1_000_100);
        _wheel.Arm(Timer("b"), 1_000_200);
        _wheel.Advance(1_000_400);
        Assert.That(_fired, Is.EqualTo(new[] { "a", "b", "c" }));
    }

    [Test]
    public void A_disarmed_timer_does_not_fire_and_may_be_disarmed_again()
    {
        var timer = Timer("a");
        _wheel.Disarm(timer);
        _wheel.Arm(timer, 1_000_100);
        _wheel.Disarm(timer);
        _wheel.Disarm(timer);
        _wheel.Advance(1_001_000);
        Assert.That(_fired, Is.Empty);
        Assert.That(_wheel.NextTimeoutMs(1_001_000), Is.EqualTo(-1));
    }

    [Test]
    public void Arming_again_moves_a_timer()
    {
        var timer = Timer("a");
        _wheel.Arm(timer, 1_000_100);
        _wheel.Arm(timer, 1_000_500);
        _wheel.Advance(1_000_400);
        Assert.That(_fired, Is.Empty);
        _wheel.Advance(1_000_600);
        Assert.That(_fired, Is.EqualTo(new[] { "a" }));
    }

    [Test]
    public void A_moment_that_has_passed_fires_at_the_next_step()
    {
        _wheel.Arm(Timer("a"), 5);
        Assert.That(_wheel.NextTimeoutMs(1_000_000), Is.InRange(0, Step));
        _wheel.Advance(1_000_000 + Step);
        Assert.That(_fired, Is.EqualTo(new[] { "a" }));
    }

    [Test]
    public void Timers_of_one_slot_and_different_turns_are_told_apart()
    {
        _wheel.Arm(Timer("later"), 1_000_160 + OneTurn);
        _wheel.Arm(Timer("now"), 1_000_160);
        _wheel.Arm(Timer("latest"), 1_000_160 + (2 * OneTurn));
        _wheel.Advance(1_000_200);
        Assert.That(_fired, Is.EqualTo(new[] { "now" }));
        _wheel.Advance(1_000_200 + OneTurn);
        Assert.That(_fired, Is.EqualTo(new[] { "now", "later" }));
        _wheel.Advance(1_000_200 + (2 * OneTurn));
        Assert.That(_fired, Is.EqualTo(new[] { "now", "later", "latest" }));
    }

    [Test]
    public void After_a_long_sleep_everything_due_has_fired()
    {
        for (var i = 0; i < 100; i++)
            _wheel.Arm(Timer("t"), 1_000_000 + (i * 1000));
        _wheel.Arm(Timer("not yet"), 1_000_000 + (20 * OneTurn));
        _wheel.Advance(1_000_000 + (10 * OneTurn));
        Assert.That(_fired, Has.Count.EqualTo(100));
    }

    [Test]
    public void A_call_back_may_arm_and_disarm_others_of_its_own_slot()
    {
        var second = Timer("second");
        LoopTimer first = null!;
        first = new LoopTimer(
            _ =>
            {
                _fired.Add("first");
                _wheel.Disarm(second);
                if (_fired.Count == 1)
                    _wheel.Arm(first, 1_000_160 + OneTurn);
            },
            null);
        _wheel.Arm(second, 1_000_160);
        _wheel.Arm(first, 1_000_160); // in front of the second: the newest of a slot fires first
        _wheel.Advance(1_000_200);
        Assert.That(_fired, Is.EqualTo(new[] { "first" }));
        Assert.That((first.IsArmed, second.IsArmed), Is.EqualTo((true, false)));
        _wheel.Advance(1_000_200 + OneTurn);
        Assert.That(_fired, Is.EqualTo(new[] { "first", "first" }));
    }

    [Test]
    public void The_timeout_wakes_the_loop_in_time_and_says_never_when_nothing_is_armed()
    {
        Assert.That(_wheel.NextTimeoutMs(1_000_000), Is.EqualTo(-1));
        _wheel.Arm(Timer("a"), 1_000_500);
        Assert.That(_wheel.NextTimeoutMs(1_000_000), Is.InRange(500, 500 + Step));
        _wheel.Arm(Timer("b"), 1_000_050);
        Assert.That(_wheel.NextTimeoutMs(1_000_000), Is.InRange(50, 50 + Step));
    }

    [Test]
    public void Whatever_is_armed_and_disarmed_each_timer_fires_at_its_step()
    {
        var random = new Random(7);
        var now = 1_000_000L;
        var due = new Dictionary<LoopTimer, long>();
        for (var round = 0; round < 3000; round++)
        {
            var at = now + random.Next(0, 100_000);
            LoopTimer timer = null!;
            timer = new LoopTimer(
                _ =>
                {
                    Assert.That(now, Is.GreaterThanOrEqualTo(due[timer]));
                    due.Remove(timer);
                },
                null);
            due[timer] = at;
            _wheel.Arm(timer, at);
            if (random.Next(4) == 0)
            {
                var other = due.Keys.ElementAt(random.Next(due.Count));
                _wheel.Disarm(other);
                due.Remove(other);
            }
            var timeout = _wheel.NextTimeoutMs(now);
            now += random.Next(0, 200);
            _wheel.Advance(now);
            Assert.That(due.Values.All(moment => moment + Step > now), "something is overdue");
            Assert.That(timeout, Is.GreaterThanOrEqualTo(-1));
        }
    }

    private LoopTimer Timer(string name) => new(_ => _fired.Add(name), null);
}
