using NUnit.Framework;
using PgRouter.Core.Admin;

namespace PgRouter.Tests.Admin;

/// <summary>Byte patterns as PostgreSQL's send functions give them (select int4send(..) and its kind).</summary>
internal sealed class AdminBinaryTests
{
    [TestCase(nameof(AdminType.Bool), "t", "01")]
    [TestCase(nameof(AdminType.Bool), "f", "00")]
    [TestCase(nameof(AdminType.Int4), "1", "00000001")]
    [TestCase(nameof(AdminType.Int4), "-2", "fffffffe")]
    [TestCase(nameof(AdminType.Int8), "9223372036854775807", "7fffffffffffffff")]
    [TestCase(nameof(AdminType.Int8), "-1", "ffffffffffffffff")]
    [TestCase(nameof(AdminType.Float8), "0.500000", "3fe0000000000000")]
    [TestCase(nameof(AdminType.Float8), "1e+20", "4415af1d78b58c40")]
    [TestCase(nameof(AdminType.Text), "", "")]
    [TestCase(nameof(AdminType.Text), "h\u00e9", "68c3a9")]
    [TestCase(nameof(AdminType.Timestamp), "2000-01-01 00:00:00", "0000000000000000")]
    [TestCase(nameof(AdminType.Timestamp), "2000-01-01 00:00:01.5", "000000000016e360")]
    [TestCase(nameof(AdminType.Timestamp), "1999-12-31 23:59:59", "fffffffffff0bdc0")]
    [TestCase(nameof(AdminType.Timestamp), "2024-02-29 12:34:56", "0002b58341667c00")]
    [TestCase(nameof(AdminType.TimestampTz), "2000-01-01 02:00:00+02", "0000000000000000")]
    [TestCase(nameof(AdminType.TimestampTz), "2000-01-01 00:00:00.000001+00", "0000000000000001")]
    [TestCase(nameof(AdminType.TimestampTz), "2000-01-01 05:30:00+05:30", "0000000000000000")]
    [TestCase(nameof(AdminType.Numeric), "0", "0000000000000000")]
    [TestCase(nameof(AdminType.Numeric), "0.00", "0000000000000002")]
    [TestCase(nameof(AdminType.Numeric), "1", "00010000000000000001")]
    [TestCase(nameof(AdminType.Numeric), "10000", "00010001000000000001")]
    [TestCase(nameof(AdminType.Numeric), "12345678", "000200010000000004d2162e")]
    [TestCase(nameof(AdminType.Numeric), "-12.5", "0002000040000001000c1388")]
    [TestCase(nameof(AdminType.Numeric), "0.0001", "0001ffff000000040001")]
    [TestCase(nameof(AdminType.Numeric), "NaN", "00000000c0000000")]
    public void A_value_has_the_bytes_postgresql_sends(string type, string text, string hex) =>
        Assert.That(Convert.ToHexStringLower(AdminBinary.Encode(Enum.Parse<AdminType>(type), text)), Is.EqualTo(hex));

    [TestCase(nameof(AdminType.Bool), "yes")]
    [TestCase(nameof(AdminType.Int4), "1.5")]
    [TestCase(nameof(AdminType.Int4), "")]
    [TestCase(nameof(AdminType.Timestamp), "yesterday")]
    [TestCase(nameof(AdminType.Numeric), "1e5")]
    [TestCase(nameof(AdminType.Numeric), "-")]
    public void Text_that_is_no_value_of_the_type_is_an_error(string type, string text) =>
        Assert.That(() => AdminBinary.Encode(Enum.Parse<AdminType>(type), text), Throws.InstanceOf<FormatException>());

    [Test]
    public void A_number_too_large_for_its_type_is_an_error() =>
        Assert.That(() => AdminBinary.Encode(AdminType.Int4, "2147483648"), Throws.InstanceOf<OverflowException>());
}
