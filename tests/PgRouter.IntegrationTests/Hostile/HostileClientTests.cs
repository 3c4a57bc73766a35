using System.Globalization;
using PgRouter.IntegrationTests.Wire;
using PgRouter.Testing;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Hostile;

/// <summary>What a client may send or leave undone after its login: the router lives, others are served, servers come back clean.</summary>
[TestFixture]
public sealed class HostileClientTests
{
    private PgCluster _cluster = null!;
    private RouterProcessFixture _router = null!;

    [OneTimeSetUp]
    public async Task StartRouter()
    {
        _cluster = await WireBed.ClusterAsync();
        _router = await WireBed.RouterAsync();
    }

    [OneTimeTearDown]
    public async Task StopRouter() => await _router.DisposeAsync();

    private static IEnumerable<TestCaseData> Nonsense()
    {
        yield return Case("unknown type", [(byte)'!', 0, 0, 0, 4]);
        yield return Case("type zero", [0, 0, 0, 0, 4]);
        foreach (var type in "QPBDECSHFdcfpX!")
        {
            yield return Case($"{type} of length -1", [(byte)type, 0xff, 0xff, 0xff, 0xff]);
            yield return Case($"{type} of length 0", [(byte)type, 0, 0, 0, 0]);
            yield return Case($"{type} of length 3", [(byte)type, 0, 0, 0, 3]);
            yield return Case($"{type} without a body", [(byte)type, 0, 0, 0, 4]);
            yield return Case($"{type} of length 2^31-1", [(byte)type, 0x7f, 0xff, 0xff, 0xff, 1, 2, 3, 4, 0, 0, 0, 0]);
            yield return Case($"{type} with garbage", [(byte)type, 0, 0, 0, 12, 0xff, 1, 0x80, 7, 0, 0xff, 0xfe, 3]);
            yield return Case($"half of {type}", [(byte)type, 0, 0, 1, 0, (byte)'a']);
        }

        static TestCaseData Case(string name, byte[] bytes) => new TestCaseData(bytes).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Nonsense))]
    public async Task Nonsense_ends_in_an_error_or_the_end_and_hurts_nobody(byte[] bytes)
    {
        await using var client = await RawClient.LoginAsync(_router.Endpoint);
        await client.SendBytesAsync(bytes);
        client.FinishSending();

        var answer = await client.ReadToEndAsync();

        Assert.That(answer.Where(message => message.Type == 'E').Select(error => error.Field('C')), Has.None.EqualTo("XX000"));
        await RequireServesAsync();
    }

    [Test]
    public async Task Random_bytes_after_login_hurt_nobody()
    {
        var random = new Random(20);
        for (var round = 0; round < 150; round++)
        {
            await using var client = await RawClient.LoginAsync(_router.Endpoint);
            var bytes = new byte[random.Next(1, 600)];
            random.NextBytes(bytes);
            if (round % 3 == 0)
                bytes[0] = (byte)"QPBDECSHFdcf"[random.Next(12)];
            if (round % 3 == 0 && bytes.Length > 5)
                (bytes[1], bytes[2], bytes[3]) = (0, 0, 0);
            await client.SendBytesAsync(bytes);
            client.FinishSending();
            await client.ReadToEndAsync();
        }

        await RequireServesAsync();
    }

    [Test]
    public async Task A_valid_stream_cut_at_every_byte_leaves_clean_servers()
    {
        RawMessage[] messages =
        [
            Frontend.Query("BEGIN"), Frontend.Parse("s", "INSERT INTO wire_rows VALUES ($1, 'cut')", 23), Frontend.Describe('S', "s"),
            Frontend.Bind("p", "s", "5001"), Frontend.Execute("p"), Frontend.Sync(), Frontend.Query("SAVEPOINT a"),
        ];
        var stream = messages.SelectMany(message => message.ToBytes()).ToArray();
        for (var length = 1; length < stream.Length; length += 3)
        {
            await using var client = await RawClient.LoginAsync(_router.Endpoint);
            await client.SendBytesAsync(stream[..length]);
            if (length % 2 == 0)
                client.Reset();
        }

        await RequireServesAsync();
        Assert.That(await _cluster.ScalarAsync<long>(0, "SELECT count(*) FROM wire_rows WHERE id = 5001"), Is.Zero);
        await NoTransactionIsLeftAsync();
    }

    private static IEnumerable<TestCaseData> Deaths()
    {
        yield return Case("in a transaction", 'Z', [Frontend.Query("BEGIN; UPDATE wire_rows SET name = 'dead' WHERE id = 7")]);
        yield return Case("in a failed transaction", 'Z', [Frontend.Query("BEGIN; SELECT 1/0")]);
        yield return Case("in copy in", 'G', [Frontend.Query("COPY wire_rows FROM STDIN")]);
        yield return Case("before the answer to copy in", '\0', [Frontend.Query("COPY wire_rows FROM STDIN")]);
        yield return Case("in copy data", 'G', [Frontend.Query("COPY wire_rows FROM STDIN")], [(byte)'d', 0, 1, 0, 0, (byte)'9', (byte)'9']);
        yield return Case("in copy out", 'H', [Frontend.Query("COPY (SELECT repeat('x', 1000) FROM generate_series(1, 100000)) TO STDOUT")]);
        yield return Case("in rows", 'D', [Frontend.Query("SELECT repeat('x', 1000) FROM generate_series(1, 100000)")]);
        yield return Case("without sync", 'C', [Frontend.Parse("", "UPDATE wire_rows SET name = 'dead' WHERE id = 7"), Frontend.Bind("", ""), Frontend.Execute(""), Frontend.Flush()]);
        yield return Case("after an error without sync", 'E', [Frontend.Parse("", "SELEKT"), Frontend.Flush()]);
        yield return Case("in a pipeline", '1', [.. Enumerable.Range(0, 200).SelectMany(_ => new[] { Frontend.Parse("", "SELECT repeat('x', 10000)"), Frontend.Bind("", ""), Frontend.Execute(""), Frontend.Sync() })]);
        yield return Case("with temporary tables and locks", 'Z', [Frontend.Query("CREATE TEMP TABLE wire_dead (a int); SELECT pg_advisory_lock(4712); SET work_mem = '3MB'; LISTEN wire_dead")]);

        static TestCaseData Case(string name, char until, RawMessage[] messages, byte[]? more = null) =>
            new TestCaseData(until, messages, more ?? []).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Deaths))]
    public async Task A_client_that_dies_leaves_clean_servers(char until, RawMessage[] messages, byte[] more)
    {
        for (var round = 0; round < 4; round++)
        {
            await using var client = await RawClient.LoginAsync(_router.Endpoint);
            await client.SendAsync(messages);
            if (until != '\0')
                await client.ReadUntilAsync(until);
            if (more.Length > 0)
                await client.SendBytesAsync(more);
            if (round % 2 == 0)
                client.Reset();
        }

        await RequireServesAsync();
        await NoTransactionIsLeftAsync();
        await Eventually.TrueAsync(
            async () => await _cluster.ScalarAsync<long>(0, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4712") == 0,
            "the lock of the dead client to be free");
        Assert.That(await _cluster.ScalarAsync<long>(0, "SELECT count(*) FROM wire_rows WHERE name = 'dead'"), Is.Zero);
    }

    [Test]
    public async Task A_failed_copy_whose_data_is_half_here_does_not_give_its_server_to_others()
    {
        await using var half = await RawClient.LoginAsync(_router.Endpoint);
        await half.SendAsync(Frontend.Query("COPY wire_rows FROM STDIN"));
        await half.ReadUntilAsync('G');
        await half.SendBytesAsync([.. Frontend.CopyData("not a number\n"u8.ToArray()).ToBytes(), (byte)'d', 0, 0, 1, 0, (byte)'x']);
        await half.ReadUntilAsync('Z');

        for (var round = 0; round < 5; round++)
            await RequireServesAsync();
        await half.SendBytesAsync(new byte[251]);
        await half.QueryAsync("UPDATE wire_rows SET name = name WHERE id = 8");

        Assert.That(half.TransactionStatus, Is.EqualTo('I'));
    }

    [Test]
    public async Task A_client_that_never_reads_costs_no_memory_and_holds_up_nobody()
    {
        await RequireServesAsync();
        var before = ResidentMegabytes();
        await using var deaf = await RawClient.LoginAsync(_router.Endpoint);
        await deaf.SendAsync(Frontend.Query("SELECT repeat('x', 1000000) FROM generate_series(1, 100)"));
        await Eventually.TrueAsync(
            async () => await _cluster.ScalarAsync<long>(0, SendingClients) + await _cluster.ScalarAsync<long>(1, SendingClients)
                + await _cluster.ScalarAsync<long>(2, SendingClients) == 1,
            "the server to wait for the deaf client");
        for (var round = 0; round < 20; round++)
            await RequireServesAsync();

        Assert.That(ResidentMegabytes() - before, Is.LessThan(40));
        var answer = await deaf.ReadUntilAsync();
        Assert.That(answer.Count(message => message.Type == 'D' && message.Body.Length == 1000006), Is.EqualTo(100));
    }

    [Test]
    public async Task A_client_that_reads_slowly_gets_every_row()
    {
        await using var slow = await RawClient.LoginAsync(_router.Endpoint);
        await slow.SendAsync(Frontend.Query("SELECT g, repeat('y', 1000) FROM generate_series(1, 30000) g"));

        var answer = await slow.ReadUntilAsync();

        Assert.That(answer.Count(message => message.Type == 'D'), Is.EqualTo(30000));
    }

    [Test]
    public async Task A_client_that_only_writes_is_not_read_for_ever()
    {
        await using var deaf = await RawClient.LoginAsync(_router.Endpoint);
        var before = ResidentMegabytes();
        using var stop = new CancellationTokenSource();
        var piece = Enumerable.Range(0, 200).SelectMany(_ => Frontend.Query("SELECT repeat('x', 100000)").ToBytes()).ToArray();
        var writing = Task.Run(async () =>
        {
            for (var round = 0; round < 400 && !stop.IsCancellationRequested; round++)
                await deaf.SendBytesAsync(piece);
        });
        for (var round = 0; round < 30; round++)
            await RequireServesAsync();

        Assert.That(ResidentMegabytes() - before, Is.LessThan(40));
        await stop.CancelAsync();
        deaf.Reset();
        await Eventually.DoneAsync(Task.WhenAny(writing), "the end of the writer whose connection was reset");
        await Eventually.PassesAsync(RequireServesAsync, "the servers of the client that went away to be free for others");
    }

    private static IEnumerable<TestCaseData> Monsters()
    {
        yield return new TestCaseData("SELECT " + string.Join('+', Enumerable.Repeat("1", 100_000))).SetArgDisplayNames("sum of 100000 terms");
        yield return new TestCaseData($"SELECT 1 IN ({string.Join(',', Enumerable.Range(0, 50_000))})").SetArgDisplayNames("list of 50000 items");
        yield return new TestCaseData($"SELECT {new string('(', 20_000)}1{new string(')', 20_000)}").SetArgDisplayNames("deep parentheses");
        yield return new TestCaseData($"SELECT {string.Concat(Enumerable.Repeat("abs(", 5_000))}1{new string(')', 5_000)}").SetArgDisplayNames("deep calls");
        yield return new TestCaseData(new string(';', 200_000)).SetArgDisplayNames("only semicolons");
        yield return new TestCaseData($"{string.Concat(Enumerable.Repeat("/*", 20_000))} SELECT 1").SetArgDisplayNames("unclosed comments");
        yield return new TestCaseData($"SELECT '{new string('\'', 100_001)}").SetArgDisplayNames("quotes");
        yield return new TestCaseData($"SELECT {string.Concat(Enumerable.Repeat("CASE WHEN true THEN ", 3_000))}1{string.Concat(Enumerable.Repeat(" END", 3_000))}").SetArgDisplayNames("deep case");
    }

    [TestCaseSource(nameof(Monsters))]
    public async Task A_monstrous_statement_gets_the_answer_it_gets_directly(string sql)
    {
        await using var direct = await RawClient.LoginAsync(await WireBed.PrimaryAsync());
        await using var routed = await RawClient.LoginAsync(_router.Endpoint);
        direct.ReadDeadline = routed.ReadDeadline = TimeSpan.FromSeconds(60);

        var expected = await direct.QueryAsync(sql);
        var answer = await routed.QueryAsync(sql);

        Assert.That(answer, Is.EqualTo(expected));
        await RequireServesAsync();
    }

    private const string SendingClients = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'ClientWrite'";

    private async Task RequireServesAsync()
    {
        await using var client = await RawClient.LoginAsync(_router.Endpoint);
        client.ReadDeadline = TimeSpan.FromSeconds(30);
        Assert.That(await client.ScalarAsync("SELECT 7"), Is.EqualTo("7"));
        Assert.That(await client.ScalarAsync("SHOW work_mem"), Is.EqualTo("4MB"));
        await client.QueryAsync("UPDATE wire_rows SET name = name WHERE id = 9");
        Assert.That(client.TransactionStatus, Is.EqualTo('I'));
    }

    private Task NoTransactionIsLeftAsync() => Eventually.TrueAsync(
        async () => await _cluster.ScalarAsync<long>(
            0, "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND state <> 'idle'") == 0,
        "the end of all transactions on the primary");

    private long ResidentMegabytes()
    {
        var line = File.ReadLines($"/proc/{_router.Pid}/status").Single(one => one.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
    }
}
