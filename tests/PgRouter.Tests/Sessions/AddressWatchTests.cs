using System.Net;
using NUnit.Framework;
using PgRouter.Core.Configuration;
using PgRouter.Core.Sessions;
using PgRouter.Tests.Admin;

namespace PgRouter.Tests.Sessions;

[TestFixture]
internal sealed class AddressWatchTests
{
    private static readonly IPAddress One = IPAddress.Parse("192.0.2.1");
    private static readonly IPAddress Other = IPAddress.Parse("192.0.2.2");
    private ManualClock _clock = null!;
    private AddressWatch _watch = null!;

    [SetUp]
    public void Make()
    {
        _clock = new ManualClock(DateTimeOffset.UnixEpoch);
        _watch = new AddressWatch(_clock);
    }

    [Test]
    public void Connections_are_counted_by_address()
    {
        Assert.That((_watch.Enter(One), _watch.Enter(One), _watch.Enter(Other)), Is.EqualTo((1, 2, 1)));
        _watch.Leave(One);
        Assert.That(_watch.Enter(One), Is.EqualTo(2));
        Assert.That(_watch.Enter(IPAddress.Parse("::ffff:192.0.2.1")), Is.EqualTo(3), "mapped into IPv6");
    }

    [Test]
    public void One_network_of_IPv6_is_one_address()
    {
        _watch.Enter(IPAddress.Parse("2001:db8::1"));
        Assert.That(_watch.Enter(IPAddress.Parse("2001:db8::ffff:1:2:3")), Is.EqualTo(2));
        Assert.That(_watch.Enter(IPAddress.Parse("2001:db8:0:1::1")), Is.EqualTo(1));
    }

    [Test]
    public void From_the_limit_on_each_failure_doubles_the_pause_up_to_a_minute()
    {
        var pauses = new List<double>();
        for (var i = 0; i < 12; i++)
        {
            _watch.NoteFailure(One, limit: 3);
            pauses.Add(_watch.PauseOf(One).TotalSeconds);
            _clock.Advance(_watch.PauseOf(One));
        }
        Assert.That(pauses, Is.EqualTo(new double[] { 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60 }));
        Assert.That(_watch.PauseOf(Other), Is.EqualTo(TimeSpan.Zero));
    }

    [Test]
    public void A_minute_without_failures_after_the_pause_is_a_new_beginning()
    {
        for (var i = 0; i < 3; i++)
            _watch.NoteFailure(One, limit: 3);
        _clock.Advance(_watch.PauseOf(One) + TimeSpan.FromMinutes(1));
        _watch.NoteFailure(One, limit: 3);
        Assert.That(_watch.PauseOf(One), Is.EqualTo(TimeSpan.Zero));
    }

    [Test]
    public void Without_a_limit_nobody_waits_and_nothing_is_kept()
    {
        for (var i = 0; i < 100; i++)
            _watch.NoteFailure(One, limit: 0);
        Assert.That(_watch.PauseOf(One), Is.EqualTo(TimeSpan.Zero));
    }

    [Test]
    public void An_attack_from_many_addresses_does_not_grow_the_memory_without_end()
    {
        for (var i = 0; i < 30_000; i++)
            _watch.NoteFailure(new IPAddress(i), limit: 3);
        Assert.That(_watch.Remembered, Is.LessThanOrEqualTo(10_000));
    }

    [Test]
    public void The_refusals_name_the_setting_and_the_time()
    {
        var config = new RouterConfig { MaxAddressConnections = 2 };
        Assert.That(ClientAdmission.CheckAddress(config, 2, TimeSpan.Zero), Is.Null);
        var crowded = ClientAdmission.CheckAddress(config, 3, TimeSpan.Zero)!;
        Assert.That((crowded.Code, crowded.Hint), Is.EqualTo(("53300", "pgrouter.max_address_connections is 2.")));
        var pausing = ClientAdmission.CheckAddress(config, 1, TimeSpan.FromSeconds(3.2))!;
        Assert.That((pausing.Code, pausing.Message, pausing.Hint), Is.EqualTo(("28000", "too many failed logins from this address", "Try again in 4 s.")));
    }
}
