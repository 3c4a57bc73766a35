using NUnit.Framework;
using PgRouter.Core.Sessions;
using PgRouter.Protocol;

namespace PgRouter.Tests.Sessions;

[TestFixture]
internal sealed class ReplicationStartupTests
{
    [TestCase(null, ReplicationKind.None)]
    [TestCase("off", ReplicationKind.None)]
    [TestCase("F", ReplicationKind.None)]
    [TestCase("0", ReplicationKind.None)]
    [TestCase("true", ReplicationKind.Physical)]
    [TestCase("ON", ReplicationKind.Physical)]
    [TestCase("1", ReplicationKind.Physical)]
    [TestCase("database", ReplicationKind.Logical)]
    public void The_parameter_is_read_as_PostgreSQL_reads_it(string? value, ReplicationKind expected)
    {
        Assert.That(ReplicationStartup.TryRead(Packet(value), out var kind, out _), Is.True);
        Assert.That(kind, Is.EqualTo(expected));
    }

    [TestCase("DATABASE")]
    [TestCase("maybe")]
    public void Anything_else_is_refused(string value)
    {
        Assert.That(ReplicationStartup.TryRead(Packet(value), out _, out var error), Is.False);
        Assert.That(error!.Code, Is.EqualTo(SqlStates.InvalidParameterValue));
    }

    [Test]
    public void The_server_gets_the_clients_parameters() => Assert.That(
        ReplicationStartup.ParametersOf(Packet("true", ("_pq_.x", "1"), ("application_name", "walreceiver"))),
        Is.EqualTo(new[] { ("user", "u"), ("replication", "true"), ("application_name", "walreceiver") }));

    private static StartupPacket Packet(string? replication, params (string Name, string Value)[] more)
    {
        var writer = new MessageWriter();
        (string, string)[] own = replication is null ? [("user", "u")] : [("user", "u"), ("replication", replication)];
        StartupPacket.WriteStartup(writer, ProtocolConstants.Version30, own.Concat(more));
        StartupPacket.TryRead(writer.WrittenSpan, out var packet, out _, out _);
        return packet!;
    }
}
