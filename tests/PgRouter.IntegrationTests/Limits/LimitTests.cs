using PgRouter.IntegrationTests.Consoles;
using PgRouter.IntegrationTests.Wire;
using PgRouter.Testing;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Limits;

/// <summary>Each limit on what one client may ask for, reached: SQLSTATE and message, and whether the session lives.</summary>
[TestFixture]
public sealed class LimitTests
{
    private PgCluster _cluster = null!;
    private RouterProcessFixture _router = null!;

    [OneTimeSetUp]
    public async Task StartRouter()
    {
        _cluster = await WireBed.ClusterAsync();
        _router = await WireBed.RouterAsync(WireBed.SmallPool.With(
            ("max_packet_size", "100000"), ("pgrouter.max_statement_size", "50000"), ("pgrouter.max_client_statements", "5"),
            ("pgrouter.max_client_memory", "20000"), ("pgrouter.client_stall_timeout", "1"), ("authentication_timeout", "3"),
            ("log_disconnections", "on"), ("log_min_messages", "info")));
    }

    [OneTimeTearDown]
    public async Task StopRouter() => await _router.DisposeAsync();

    private static IEnumerable<TestCaseData> LongMessages()
    {
        yield return Case("query", "08P01 message of 200014 bytes is too long", Frontend.Query($"SELECT '{new string('x', 200_000)}'"));
        yield return Case("parameter", "08P01 message of 100", Frontend.Parse("", "SELECT $1::text"), Frontend.Bind("", "", new string('x', 100_000)));
        yield return Case("copy data", "08P01 message of 100005 bytes is too long", Frontend.CopyData(new byte[100_001]));
        yield return new TestCaseData((byte[])[(byte)'Q', 0x7f, 0xff, 0xff, 0xff, 1], "08P01 message of 2147483647 bytes is too long").SetArgDisplayNames("claimed length");
        yield return Case("statement", "54000 statement of 60014 bytes is too long", Frontend.Query($"SELECT '{new string('x', 60_000)}'"));
        yield return Case("parsed statement", "54000 statement of 60", Frontend.Parse("", $"SELECT '{new string('x', 60_000)}'"), Frontend.Sync());
        yield return Case("statement behind others", "54000 statement of 60", Frontend.Parse("", "SELECT 1"), Frontend.Parse("b", $"SELECT '{new string('x', 60_000)}'"), Frontend.Sync());

        static TestCaseData Case(string name, string refusal, params RawMessage[] messages) =>
            new TestCaseData(messages.SelectMany(message => message.ToBytes()).ToArray(), refusal).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(LongMessages))]
    public async Task A_message_that_is_too_long_ends_the_session(byte[] messages, string refusal)
    {
        await using var client = await RawClient.LoginAsync(_router.Endpoint);
        try
        {
            await client.SendBytesAsync(messages);
        }
        catch (IOException)
        {
            TestContext.Out.WriteLine("closed while it was sent");
        }
        var answer = await client.ReadToEndAsync();
        Assert.That($"{answer.Code()} {answer.ErrorText()}", Does.StartWith(refusal));
        Assert.That(answer.Single(message => message.Type == 'E').Field('D'), Does.Contain(" of the router is "));
    }

    [Test]
    public async Task One_prepared_statement_too_many_is_an_error_and_the_session_lives()
    {
        await using var client = await RawClient.LoginAsync(_router.Endpoint);
        for (var i = 0; i < 4; i++)
            Assert.That(await ParseAsync(client, $"s{i}", "SELECT 1"), Is.Null);
        Assert.That((await client.QueryAsync("PREPARE q AS SELECT 2")).Code(), Is.Null);

        Assert.That(await ParseAsync(client, "s5", "SELECT 3"), Is.EqualTo("53400 too many prepared statements"));
        Assert.That(Text(await client.QueryAsync("PREPARE r AS SELECT 2")), Is.EqualTo("53400 too many prepared statements"));
        Assert.That(await ParseAsync(client, "", "SELECT 3"), Is.Null, "the unnamed one is not kept");
        await client.QueryAsync("DEALLOCATE s0");
        Assert.That(await ParseAsync(client, "s5", "SELECT 3"), Is.Null);
        Assert.That(await client.ScalarAsync("EXECUTE q"), Is.EqualTo("2"));
    }

    [Test]
    public async Task Prepared_statements_beyond_the_memory_are_an_error_and_the_session_lives()
    {
        await using var client = await RawClient.LoginAsync(_router.Endpoint);
        Assert.That(await ParseAsync(client, "a", $"SELECT 1 /*{new string('a', 9000)}*/"), Is.Null);
        Assert.That(await ParseAsync(client, "b", $"SELECT 1 /*{new string('b', 9000)}*/"), Is.Null);
        Assert.That(await ParseAsync(client, "c", $"SELECT 1 /*{new string('c', 9000)}*/"), Is.EqualTo("53400 prepared statements of this session take too much memory"));
        await client.QueryAsync("DEALLOCATE a");
        Assert.That(await ParseAsync(client, "c", $"SELECT 1 /*{new string('c', 9000)}*/"), Is.Null);
    }

    [Test]
    public async Task Settings_beyond_the_memory_end_the_session()
    {
        await using var client = await RawClient.LoginAsync(_router.Endpoint);
        await client.SendAsync(Frontend.Query($"SET app.note = '{new string('n', 30_000)}'"));
        Assert.That(Text(await client.ReadToEndAsync()), Is.EqualTo("53400 settings of this session take too much memory"));
        await using var next = await RawClient.LoginAsync(_router.Endpoint);
        Assert.That(await next.ScalarAsync("SELECT coalesce(current_setting('app.note', true), '')"), Is.Empty);
    }

    [TestCase(10_005)]
    [TestCase(int.MaxValue)]
    public async Task A_startup_packet_that_is_too_long_is_refused_at_its_first_bytes(int length)
    {
        await using var client = await RawClient.ConnectAsync(_router.Endpoint);
        await client.SendBytesAsync([(byte)(length >> 24), (byte)(length >> 16), (byte)(length >> 8), (byte)length, 0, 3, 0, 0]);
        Assert.That(Text(await client.ReadToEndAsync()), Is.EqualTo("08P01 invalid length of startup packet"));
    }

    [Test]
    public async Task A_client_that_says_nothing_at_login_is_sent_away()
    {
        await using var client = await RawClient.ConnectAsync(_router.Endpoint);
        Assert.That(Text(await client.ReadToEndAsync()), Is.EqualTo("57014 canceling authentication due to timeout"));
    }

    [Test]
    public async Task A_client_that_logs_in_byte_by_byte_is_sent_away()
    {
        await using var client = await RawClient.ConnectAsync(_router.Endpoint);
        var packet = Frontend.Startup([new("user", "postgres"), new("options", new string(' ', 5000))]).ToBytes();
        var dribbling = DribbleAsync(client, packet);
        Assert.That(Text(await client.ReadToEndAsync()), Is.EqualTo("57014 canceling authentication due to timeout"));
        await dribbling;
    }

    [TestCase("query")]
    [TestCase("copy")]
    public async Task A_client_that_sends_its_message_byte_by_byte_is_sent_away(string kind)
    {
        await using var client = await RawClient.LoginAsync(_router.Endpoint);
        if (kind == "copy")
        {
            await client.SendAsync(Frontend.Query("BEGIN; COPY wire_rows FROM STDIN"));
            await client.ReadUntilAsync('G');
        }
        var message = (kind == "copy" ? Frontend.CopyData(new byte[900]) : Frontend.Query($"SELECT '{new string('x', 900)}'")).ToBytes();
        var dribbling = DribbleAsync(client, message);

        Assert.That(Text(await client.ReadToEndAsync()), Is.EqualTo("57P05 terminating connection because the client has stalled"));
        await dribbling;
        await RequireServesAsync();
    }

    [Test]
    public async Task A_client_that_is_slow_but_comes_on_is_served()
    {
        await using var client = await RawClient.LoginAsync(_router.Endpoint);
        var message = Frontend.Query($"SELECT length('{new string('x', 12_000)}')").ToBytes();
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var sent = 0;
        await Eventually.TrueAsync(
            async () =>
            {
                // A kilobyte a quarter of a second, for three times the limit.
                var wanted = Math.Min(message.Length, (int)(clock.ElapsedMilliseconds / 250) * 1200);
                if (wanted > sent)
                    await client.SendBytesAsync(message[sent..wanted]);
                sent = Math.Max(sent, wanted);
                return sent == message.Length;
            },
            "the whole message to be sent");
        Assert.That((await client.ReadUntilAsync()).Scalar(), Is.EqualTo("12000"));
    }

    [Test]
    public async Task A_client_that_never_reads_is_sent_away_and_its_server_is_free()
    {
        await using var deaf = await RawClient.LoginAsync(_router.Endpoint);
        await deaf.SendAsync(Frontend.Query("SELECT repeat('x', 1000000) FROM generate_series(1, 100)"));
        await _router.WaitForLogAsync($"session {deaf.ProcessId} of postgres on postgres: pgrouter.client_stall_timeout");
        await Eventually.TrueAsync(
            async () =>
            {
                var waiting = 0L;
                for (var node = 0; node < _cluster.Nodes.Count; node++)
                    waiting += await _cluster.ScalarAsync<long>(node, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'ClientWrite'");
                return waiting == 0;
            },
            "no server to wait for the deaf client");
        await RequireServesAsync();
    }

    [Test]
    public async Task An_idle_client_and_one_in_a_transaction_are_not_stalled()
    {
        await using var idle = await RawClient.LoginAsync(_router.Endpoint);
        await using var inTransaction = await RawClient.LoginAsync(_router.Endpoint);
        await inTransaction.QueryAsync("BEGIN; SELECT 1");
        await A_client_that_sends_its_message_byte_by_byte_is_sent_away("query");
        Assert.That(await idle.ScalarAsync("SELECT 1"), Is.EqualTo("1"));
        Assert.That((await inTransaction.QueryAsync("COMMIT")).Code(), Is.Null);
    }

    private async Task RequireServesAsync()
    {
        await using var client = await RawClient.LoginAsync(_router.Endpoint);
        Assert.That(await client.ScalarAsync("SELECT 7"), Is.EqualTo("7"));
    }

    private static async Task<string?> ParseAsync(RawClient client, string name, string sql)
    {
        await client.SendAsync(Frontend.Parse(name, sql), Frontend.Sync());
        var answer = await client.ReadUntilAsync();
        return answer.Code() is null ? null : Text(answer);
    }

    private static string Text(IReadOnlyList<RawMessage> answer) => $"{answer.Code()} {answer.ErrorText()}";

    /// <summary>One byte five times a second, until the other side has had enough.</summary>
    private static async Task DribbleAsync(RawClient client, byte[] bytes)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var sent = 0;
        try
        {
            await Eventually.TrueAsync(
                async () =>
                {
                    if (sent < clock.ElapsedMilliseconds / 200)
                        await client.SendBytesAsync([bytes[sent++]]);
                    return sent == bytes.Length;
                },
                "the end",
                TimeSpan.FromSeconds(60));
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            TestContext.Out.WriteLine($"closed after {sent} bytes");
        }
    }
}
