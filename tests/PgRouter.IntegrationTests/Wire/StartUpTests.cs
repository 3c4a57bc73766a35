using System.Buffers.Binary;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Wire;

/// <summary>The first bytes of a connection, well formed and not.</summary>
[TestFixture]
public sealed class StartUpTests
{
    private const int Version32 = (3 << 16) | 2;
    private const int Version39999 = (3 << 16) | 9999;

    private RouterProcessFixture _router = null!;
    private Endpoint _primary = null!;

    [OneTimeSetUp]
    public async Task StartRouter()
    {
        _primary = await WireBed.PrimaryAsync();
        _router = await WireBed.RouterAsync();
    }

    [OneTimeTearDown]
    public async Task StopRouter() => await _router.DisposeAsync();

    [TestCase(Frontend.Version30, 4)]
    [TestCase(Version32, 32)]
    public async Task The_cancel_key_has_the_length_of_the_protocol_version(int version, int length)
    {
        await using var client = await RawClient.ConnectAsync(_router.Endpoint);
        await client.SendAsync(Frontend.Startup(Parameters(), version));

        var messages = await client.AuthenticateAsync("postgres", "postgres");

        Assert.That(client.SecretKey, Has.Length.EqualTo(length));
        Assert.That(messages.Select(message => message.Type), Has.None.EqualTo('v'));
    }

    [TestCase(Version39999, false, Version32)]
    [TestCase(Frontend.Version30, true, Frontend.Version30)]
    [TestCase(Version39999, true, Version32)]
    public async Task What_is_newer_than_the_router_is_negotiated_down(int version, bool withOption, int expected)
    {
        var parameters = Parameters();
        if (withOption)
            parameters.Add(KeyValuePair.Create("_pq_.wire", "1"));
        await using var client = await RawClient.ConnectAsync(_router.Endpoint);
        await client.SendAsync(Frontend.Startup(parameters, version));

        var first = await client.ReadAsync();
        await client.AuthenticateAsync("postgres", "postgres");

        Assert.That(first.Type, Is.EqualTo('v'));
        Assert.That(BinaryPrimitives.ReadInt32BigEndian(first.Body), Is.EqualTo(expected));
        Assert.That(BinaryPrimitives.ReadInt32BigEndian(first.Body.AsSpan(4)), Is.EqualTo(withOption ? 1 : 0));
        Assert.That(await client.ScalarAsync("SELECT 7"), Is.EqualTo("7"));
    }

    [Test]
    public async Task Encryption_is_refused_and_the_client_goes_on_in_clear_text()
    {
        await using var client = await RawClient.ConnectAsync(_router.Endpoint);
        await client.SendAsync(Frontend.GssRequest());
        Assert.That(await client.ReadByteAsync(), Is.EqualTo('N'));
        await client.SendAsync(Frontend.SslRequest());
        Assert.That(await client.ReadByteAsync(), Is.EqualTo('N'));

        await client.StartupAsync("postgres", "postgres", "postgres");

        Assert.That(await client.ScalarAsync("SELECT 7"), Is.EqualTo("7"));
    }

    [Test]
    public async Task A_start_up_packet_sent_right_behind_an_encryption_request_is_not_lost()
    {
        await using var client = await RawClient.ConnectAsync(_router.Endpoint);
        await client.SendAsync(Frontend.SslRequest(), Frontend.Startup(Parameters()), Frontend.Query("SELECT 7"));

        Assert.That(await client.ReadByteAsync(), Is.EqualTo('N'));
        await client.AuthenticateAsync("postgres", "postgres");

        Assert.That((await client.ReadUntilAsync())[1].TextColumns(), Is.EqualTo(new[] { "7" }));
    }

    private static IEnumerable<TestCaseData> Garbage()
    {
        yield return new TestCaseData("GET / HTTP/1.0\r\n\r\n"u8.ToArray()).SetArgDisplayNames("http");
        yield return new TestCaseData(new byte[] { 0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01 }).SetArgDisplayNames("tls hello");
        yield return new TestCaseData(new byte[] { 0, 0, 0, 0 }).SetArgDisplayNames("length 0");
        yield return new TestCaseData(new byte[] { 0, 0, 0, 7, 1, 1, 1 }).SetArgDisplayNames("length 7");
        yield return new TestCaseData(new byte[] { 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0 }).SetArgDisplayNames("length -1");
        yield return new TestCaseData(new byte[] { 0x7f, 0xff, 0xff, 0xff, 0, 3, 0, 0 }).SetArgDisplayNames("length 2^31-1");
        yield return new TestCaseData(new byte[] { 0, 0, 0, 8, 0, 2, 0, 0 }).SetArgDisplayNames("protocol 2");
        yield return new TestCaseData(new byte[] { 0, 0, 0, 8, 0, 3, 0, 0 }).SetArgDisplayNames("no parameters");
        yield return new TestCaseData("\0\0\0\u0011\0\u0003\0\0user\0abc"u8.ToArray()).SetArgDisplayNames("no terminator");
        yield return new TestCaseData("\0\0\0\u0017\0\u0003\0\0database\0abc\0\0\0"u8.ToArray()).SetArgDisplayNames("no user");
    }

    [TestCaseSource(nameof(Garbage))]
    public async Task First_bytes_that_are_no_start_up_packet_get_an_error_and_the_end(byte[] bytes)
    {
        await using var client = await RawClient.ConnectAsync(_router.Endpoint);
        await client.SendBytesAsync(bytes);
        client.FinishSending();

        var answer = await client.ReadToEndAsync();

        Assert.That(answer, Is.Empty.Or.One.Property(nameof(RawMessage.Type)).EqualTo('E'));
        if (answer.Count == 1)
            Assert.That(answer[0].Field('S'), Is.EqualTo("FATAL"));
        await RequireServesAsync();
    }

    [Test]
    public async Task Clients_that_leave_before_they_have_said_who_they_are_leave_nothing_behind()
    {
        var packet = Frontend.Startup(Parameters()).ToBytes();
        for (var length = 0; length < packet.Length; length++)
        {
            await using var client = await RawClient.ConnectAsync(_router.Endpoint);
            await client.SendBytesAsync(packet[..length]);
            if (length % 2 == 0)
                client.Reset();
        }

        await RequireServesAsync();
    }

    [TestCase("database", "wire_nothing", "3D000")]
    [TestCase("user", "wire_nobody", "28000")]
    [TestCase("work_mem", "nonsense", "22023")]
    [TestCase("client_encoding", "nonsense", "22023")]
    [TestCase("no_such_setting", "1", "42704")]
    [TestCase("options", "-c work_mem=nonsense", "22023")]
    [TestCase("options", "-c no_such_setting=1", "42704")]
    public async Task A_start_up_that_postgres_refuses_is_refused_alike(string name, string value, string code)
    {
        var direct = await RefusalAsync(_primary, name, value);
        var routed = await RefusalAsync(_router.Endpoint, name, value);

        Assert.That((routed.Field('S'), routed.Field('C'), routed.Field('M')), Is.EqualTo((direct.Field('S'), direct.Field('C'), direct.Field('M'))));
        Assert.That(routed.Field('C'), Is.EqualTo(code));
        await RequireServesAsync();
    }

    [Test]
    public async Task Replication_switched_off_is_no_replication()
    {
        await using var client = await RawClient.LoginAsync(_router.Endpoint, parameters: ("replication", "off"));

        Assert.That(await client.ScalarAsync("SELECT 7"), Is.EqualTo("7"));
    }

    private static List<KeyValuePair<string, string>> Parameters() =>
        [KeyValuePair.Create("user", "postgres"), KeyValuePair.Create("database", "postgres")];

    private static async Task<RawMessage> RefusalAsync(Endpoint endpoint, string name, string value)
    {
        await using var client = await RawClient.ConnectAsync(endpoint);
        await client.SendAsync(Frontend.Startup([.. Parameters().Where(pair => pair.Key != name), KeyValuePair.Create(name, value)]));
        var answer = await client.ReadToEndAsync();
        return answer.SingleOrDefault(message => message.Type == 'E')
            ?? throw new InvalidOperationException($"no error, but: {string.Join(", ", answer.Select(message => message.ToString()))}");
    }

    private async Task RequireServesAsync()
    {
        await using var client = await RawClient.LoginAsync(_router.Endpoint);
        Assert.That(await client.ScalarAsync("SELECT 7"), Is.EqualTo("7"));
    }
}
