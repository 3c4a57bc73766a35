using System.Buffers.Binary;
using System.Text;
using NUnit.Framework;
using PgRouter.Protocol;

namespace PgRouter.Tests.Protocol;

public class StartupPacketTests
{
    private static byte[] Packet(int code, string body, int? length = null) => Packet(code, Encoding.Latin1.GetBytes(body), length);

    private static byte[] Packet(int code, byte[] body, int? length = null)
    {
        var bytes = new byte[8 + body.Length];
        BinaryPrimitives.WriteInt32BigEndian(bytes, length ?? bytes.Length);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(4), code);
        body.CopyTo(bytes, 8);
        return bytes;
    }

    private static ErrorMessage Refused(byte[] bytes)
    {
        Assert.That(StartupPacket.TryRead(bytes, out var packet, out _, out var error), Is.EqualTo(StartupReadResult.Invalid));
        Assert.That(packet, Is.Null);
        Assert.That(error!.Severity, Is.EqualTo("FATAL"));
        return error;
    }

    private static StartupPacket Read(byte[] bytes)
    {
        Assert.That(StartupPacket.TryRead(bytes, out var packet, out var consumed, out var error), Is.EqualTo(StartupReadResult.Complete));
        Assert.That(error, Is.Null);
        Assert.That(consumed, Is.EqualTo(bytes.Length));
        return packet!;
    }

    [Test]
    public void What_is_written_is_read()
    {
        var writer = new MessageWriter();
        StartupPacket.WriteStartup(writer, ProtocolConstants.Version32, [("user", "ann"), ("database", "shop"), ("options", "")]);

        var packet = Read(writer.WrittenSpan.ToArray());

        Assert.That(packet.Kind, Is.EqualTo(StartupPacketKind.Startup));
        Assert.That(packet.ProtocolVersion, Is.EqualTo(ProtocolConstants.Version32));
        Assert.That(packet.Parameters, Is.EqualTo(new[] { ("user", "ann"), ("database", "shop"), ("options", "") }));
        Assert.That((packet.User, packet.Database), Is.EqualTo(("ann", "shop")));
    }

    [Test]
    public void The_database_is_named_like_the_user_when_there_is_none()
    {
        Assert.That(Read(Packet(ProtocolConstants.Version30, "user\0ann\0\0")).Database, Is.EqualTo("ann"));
        Assert.That(Read(Packet(ProtocolConstants.Version30, "user\0ann\0database\0\0\0")).Database, Is.EqualTo("ann"));
    }

    [Test]
    public void The_last_of_two_values_counts()
    {
        Assert.That(Read(Packet(ProtocolConstants.Version30, "user\0ann\0user\0bob\0\0")).User, Is.EqualTo("bob"));
    }

    [Test]
    public void Each_prefix_of_a_packet_needs_more_data()
    {
        var whole = Packet(ProtocolConstants.Version30, "user\0ann\0\0");
        for (var length = 0; length < whole.Length; length++)
        {
            var result = StartupPacket.TryRead(whole.AsSpan(0, length), out _, out _, out _);
            Assert.That(result, Is.EqualTo(StartupReadResult.NeedMoreData), $"{length} bytes");
        }
    }

    [Test]
    public void Bytes_behind_the_packet_are_left()
    {
        byte[] bytes = [.. Packet(ProtocolConstants.SslRequest, ""), 1, 2, 3];

        Assert.That(StartupPacket.TryRead(bytes, out var packet, out var consumed, out _), Is.EqualTo(StartupReadResult.Complete));
        Assert.That((packet!.Kind, consumed), Is.EqualTo((StartupPacketKind.SslRequest, 8)));
    }

    [Test]
    public void Encryption_requests_are_recognised()
    {
        var writer = new MessageWriter();
        StartupPacket.WriteGssEncRequest(writer);

        Assert.That(Read(writer.WrittenSpan.ToArray()).Kind, Is.EqualTo(StartupPacketKind.GssEncRequest));
    }

    [TestCase(4)]
    [TestCase(32)]
    [TestCase(256)]
    public void A_cancel_request_carries_a_secret_of_4_to_256_bytes(int length)
    {
        var secret = Enumerable.Range(0, length).Select(i => (byte)i).ToArray();
        var writer = new MessageWriter();
        StartupPacket.WriteCancelRequest(writer, 4711, secret);

        var packet = Read(writer.WrittenSpan.ToArray());

        Assert.That((packet.Kind, packet.CancelProcessId), Is.EqualTo((StartupPacketKind.CancelRequest, 4711)));
        Assert.That(packet.CancelSecret.ToArray(), Is.EqualTo(secret));
    }

    [TestCase(0)]
    [TestCase(7)]
    [TestCase(261)]
    public void A_cancel_request_of_another_length_is_refused(int bytes)
    {
        Assert.That(Refused(Packet(ProtocolConstants.CancelRequest, new byte[bytes])).Code, Is.EqualTo("08P01"));
    }

    [TestCase(-1)]
    [TestCase(0)]
    [TestCase(7)]
    [TestCase(10_005)]
    [TestCase(int.MaxValue)]
    [TestCase(int.MinValue)]
    [TestCase(0x47455420, TestName = "The_first_bytes_of_an_HTTP_request_are_refused")]
    public void A_length_out_of_bounds_is_refused_at_once(int length)
    {
        Assert.That(Refused(Packet(ProtocolConstants.Version30, "", length)).Message, Is.EqualTo("invalid length of startup packet"));
    }

    [TestCase("")]
    [TestCase("user")]
    [TestCase("user\0ann")]
    [TestCase("user\0ann\0")]
    [TestCase("user\0ann\0database\0")]
    [TestCase("user\0ann\0\0x")]
    public void A_broken_layout_is_refused(string body)
    {
        var error = Refused(Packet(ProtocolConstants.Version30, body));
        Assert.That(error.Message, Is.EqualTo("invalid startup packet layout: expected terminator as last byte"));
    }

    [TestCase("\0")]
    [TestCase("database\0shop\0\0")]
    [TestCase("user\0\0\0")]
    public void A_packet_without_a_user_is_refused(string body)
    {
        Assert.That(Refused(Packet(ProtocolConstants.Version30, body)).Code, Is.EqualTo(SqlStates.InvalidAuthorizationSpecification));
    }

    [Test]
    public void Names_that_are_not_UTF8_are_refused_rather_than_replaced()
    {
        Assert.That(Refused(Packet(ProtocolConstants.Version30, "user\0\xFF\0\0")).Code, Is.EqualTo(SqlStates.CharacterNotInRepertoire));
    }

    [TestCase(2 << 16)]
    [TestCase(4 << 16)]
    public void Another_major_version_is_refused(int version)
    {
        Assert.That(Refused(Packet(version, "user\0ann\0\0")).Code, Is.EqualTo(SqlStates.FeatureNotSupported));
    }

    [Test]
    public void NegotiateProtocolVersion_names_the_version_and_the_unknown_options()
    {
        var writer = new MessageWriter();
        BackendStartupMessages.WriteNegotiateProtocolVersion(writer, ProtocolConstants.Version30, ["_pq_.x"]);

        var expected = new byte[] { (byte)'v', 0, 0, 0, 19, 0, 3, 0, 0, 0, 0, 0, 1 }.Concat("_pq_.x\0"u8.ToArray());
        Assert.That(writer.WrittenSpan.ToArray(), Is.EqualTo(expected));
    }

    [TestCase(4)]
    [TestCase(32)]
    public void BackendKeyData_takes_short_and_long_secrets(int length)
    {
        var writer = new MessageWriter();
        BackendStartupMessages.WriteBackendKeyData(writer, 258, new byte[length]);

        Assert.That(writer.Length, Is.EqualTo(9 + length));
        Assert.That(writer.WrittenSpan[..9].ToArray(), Is.EqualTo(new byte[] { (byte)'K', 0, 0, 0, (byte)(8 + length), 0, 0, 1, 2 }));
        Assert.That(() => BackendStartupMessages.WriteBackendKeyData(writer, 1, new byte[257]), Throws.ArgumentException);
    }
}
