using NUnit.Framework;
using PgRouter.Core.Pooling;
using PgRouter.Core.Transport;
using PgRouter.Testing;
using PgRouter.Tests.Transport;

namespace PgRouter.Tests.Pooling;

[TestFixture]
internal sealed class DatabaseGatesTests
{
    private DatabaseGates _gates = null!;

    [SetUp]
    public void Build() => _gates = new DatabaseGates();

    [Test]
    public void A_database_is_paused_by_name_and_the_others_are_not()
    {
        var (shop, other) = (_gates.Get("shop1"), _gates.Get("other1"));

        Assert.That(_gates.Pause("shop1"), Is.Null);

        Assert.That((shop.IsPaused, other.IsPaused, _gates.IsPaused), Is.EqualTo((true, false, false)));
        Assert.That((_gates.IsPausedBy("shop1"), _gates.IsPausedBy(null), _gates.IsPausedBy("other1")), Is.EqualTo((true, false, false)));
        Assert.That(_gates.Resume("shop1"), Is.Null);
        Assert.That(shop.IsPaused, Is.False);
    }

    [Test]
    public void Pausing_all_holds_for_databases_that_come_later()
    {
        var early = _gates.Get("early");
        _gates.Pause(null);

        Assert.That((early.IsPaused, _gates.Get("late").IsPaused, _gates.Find("nobody knows it").IsPaused), Is.EqualTo((true, true, true)));
        _gates.Resume(null);
        Assert.That((early.IsPaused, _gates.Get("late").IsPaused, _gates.Find("nobody knows it").IsPaused), Is.EqualTo((false, false, false)));
    }

    [Test]
    public void What_was_said_by_name_stands_beside_what_was_said_of_all()
    {
        var gate = _gates.Get("shop2");
        _gates.Pause("shop2");
        _gates.Pause(null);

        Assert.That(_gates.Resume(null), Is.Null);
        Assert.That(gate.IsPaused, Is.True, "it was paused by name too");
        Assert.That(_gates.Resume("shop2"), Is.Null);
        Assert.That(gate.IsPaused, Is.False);
    }

    [Test]
    public void Pausing_one_database_twice_is_no_mistake()
    {
        _gates.Pause("shop3");

        Assert.That(_gates.Pause("shop3"), Is.Null);
        Assert.That(_gates.Resume("shop3"), Is.Null);
        Assert.That(_gates.Get("shop3").IsPaused, Is.False);
    }

    [Test]
    public void What_is_stopped_as_a_whole_cannot_be_stopped_again()
    {
        _gates.Pause(null);
        Assert.That((_gates.Pause(null), _gates.Pause("shop4"), _gates.Suspend()), Is.EqualTo((
            "already suspended/paused", "already suspended/paused", "already suspended/paused")));
        _gates.Resume(null);
        _gates.Suspend();
        Assert.That((_gates.Pause(null), _gates.Pause("shop4"), _gates.Suspend()), Is.EqualTo((
            "already suspended/paused", "already suspended/paused", "already suspended/paused")));
    }

    [Test]
    public void Resuming_what_is_not_paused_is_refused_in_pgbouncers_words()
    {
        Assert.That(_gates.Resume(null), Is.EqualTo("pooler is not paused/suspended"));
        Assert.That(_gates.Resume("never heard of"), Is.EqualTo("database \"never heard of\" is not paused"));
        _gates.Get("shop5");
        Assert.That(_gates.Resume("shop5"), Is.EqualTo("database \"shop5\" is not paused"));
        _gates.Pause(null);
        Assert.That(_gates.Resume("shop5"), Is.EqualTo("database \"shop5\" is not paused"), "only all databases are");
    }

    [Test]
    public void Suspending_pauses_nothing_and_is_ended_by_resume()
    {
        var gate = _gates.Get("shop6");

        _gates.Suspend();

        Assert.That((gate.IsSuspended, gate.IsPaused, _gates.IsSuspended), Is.EqualTo((true, false, true)));
        _gates.Resume(null);
        Assert.That((gate.IsSuspended, _gates.IsSuspended), Is.EqualTo((false, false)));
    }

    [Test]
    public void Disabling_stands_beside_pausing_and_survives_resume()
    {
        _gates.Disable("shop7", isDisabled: true);
        _gates.Pause("shop7");
        _gates.Resume("shop7");

        Assert.That((_gates.Find("shop7").IsDisabled, _gates.Find("other7").IsDisabled), Is.EqualTo((true, false)));
        _gates.Disable("shop7", isDisabled: false);
        Assert.That(_gates.Find("shop7").IsDisabled, Is.False);
    }

    [Test]
    public void Servers_are_outdated_up_to_the_one_opened_last()
    {
        var gates = new DatabaseGates();
        var (one, two) = (gates.Get("one"), gates.Get("two"));
        gates.Outdate("one", 10);

        Assert.That((one.IsOutdated(10), one.IsOutdated(11), two.IsOutdated(10)), Is.EqualTo((true, false, false)));
        gates.Outdate(null, 20);
        Assert.That((one.IsOutdated(20), two.IsOutdated(20), gates.Get("three").IsOutdated(20), two.IsOutdated(21)), Is.EqualTo((true, true, true, false)));
    }

    [Test]
    public void A_name_that_was_only_asked_for_at_a_login_is_not_kept()
    {
        _gates.Find("passer-by");

        Assert.That(_gates.All.Select(g => g.Database), Has.No.Member("passer-by"));
    }

    [Test]
    public async Task Those_who_wait_are_woken_in_the_order_they_came()
    {
        using var host = new LoopHost();
        var gate = _gates.Get("shop8");
        _gates.Pause("shop8");
        var order = new List<int>();
        for (var i = 0; i < 3; i++)
        {
            var name = i;
            await host.On(() => WaitAsync(host.Loop, gate, () => order.Add(name)));
        }
        Assert.That(gate.WaitingCount, Is.EqualTo(3));

        _gates.Resume("shop8");

        await Eventually.TrueAsync(() => host.On(() => order.Count == 3), "three who were woken");
        Assert.That(order, Is.EqualTo(new[] { 0, 1, 2 }));
        Assert.That(gate.WaitingCount, Is.Zero);
    }

    [Test]
    public void Who_leaves_the_line_is_out_of_it_and_may_leave_twice()
    {
        using var host = new LoopHost();
        var gate = _gates.Get("shop9");
        var place = gate.Enter(new Signal(host.Loop));

        gate.Leave(place);
        gate.Leave(place);

        Assert.That(gate.WaitingCount, Is.Zero);
    }

    private static async Task WaitAsync(EventLoop loop, DatabaseGate gate, Action then)
    {
        var signal = new Signal(loop);
        gate.Enter(signal);
        while (gate.IsPaused)
            await signal;
        then();
    }
}
