using System.Globalization;
using System.Text;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Wire;

/// <summary>Statements of 100 MB and rows of 500 MB pass through in memory that does not grow with them.</summary>
[TestFixture]
public sealed class LargeMessageTests
{
    private const int Large = 100_000_000;
    private const int Huge = 500_000_000;

    /// <summary>What the router may need more than before, while such messages pass.</summary>
    private const long MostMegabytes = 64;

    private RouterProcessFixture _router = null!;
    private RawClient _client = null!;
    private long _atRest;

    [OneTimeSetUp]
    public async Task StartRouter() => _router = await WireBed.RouterAsync();

    [OneTimeTearDown]
    public async Task StopRouter() => await _router.DisposeAsync();

    [SetUp]
    public async Task Login()
    {
        _client = await RawClient.LoginAsync(_router.Endpoint);
        _client.ReadDeadline = TimeSpan.FromMinutes(2);
        await _client.QueryAsync("SELECT 1");
        _atRest = Megabytes();
    }

    [TearDown]
    public async Task It_took_no_memory_and_the_session_goes_on()
    {
        var most = Megabytes("VmHWM");
        await using var client = _client;
        Assert.That(await client.ScalarAsync("SELECT 7"), Is.EqualTo("7"));
        Assert.That(most - _atRest, Is.LessThan(MostMegabytes), "MB more than at rest");
    }

    [Test]
    public async Task A_row_of_500_MB()
    {
        await _client.SendAsync(Frontend.Query($"SELECT repeat('x', {Huge})"));
        Assert.That((await _client.SkipAsync()).Type, Is.EqualTo('T'));
        Assert.That(await _client.SkipAsync(), Is.EqualTo(('D', Huge + 6)));
        await _client.ReadUntilAsync();
    }

    [Test]
    public async Task Copied_rows_of_50_MB_each()
    {
        await _client.SendAsync(Frontend.Query($"COPY (SELECT repeat('x', {Huge / 10}) FROM generate_series(1, 4)) TO STDOUT"));
        Assert.That((await _client.SkipAsync()).Type, Is.EqualTo('H'));
        for (var row = 0; row < 4; row++)
            Assert.That(await _client.SkipAsync(), Is.EqualTo(('d', Huge / 10 + 1)));
        await _client.ReadUntilAsync();
    }

    [Test]
    public async Task A_simple_query_of_100_MB()
    {
        await _client.SendAsync(new RawMessage('Q', Text("SELECT length('", "')\0")));
        Assert.That(ScalarOf(await _client.ReadUntilAsync()), Is.EqualTo(Large.ToString(CultureInfo.InvariantCulture)));
        await _client.QueryAsync("DISCARD ALL"); // Nobody knows what it did: it pins.
    }

    [TestCase("")]
    [TestCase("named")]
    public async Task A_statement_of_100_MB_is_parsed_and_run(string name)
    {
        await _client.SendAsync(new RawMessage('P', [.. Encoding.ASCII.GetBytes(name), 0, .. Text("SELECT length('", "')\0\0\0")]));
        await _client.SendAsync(Frontend.Bind("", name), Frontend.Execute(""), Frontend.Sync());
        Assert.That(ScalarOf(await _client.ReadUntilAsync()), Is.EqualTo(Large.ToString(CultureInfo.InvariantCulture)));
        await _client.QueryAsync("DISCARD ALL");
    }

    [Test]
    public async Task A_parameter_of_100_MB()
    {
        await _client.SendAsync(Frontend.Parse("", "SELECT length($1::text)"));
        byte[] head = [0, 0, 0, 0, 0, 1, .. BitConverter.GetBytes(Large).Reverse()];
        await _client.SendAsync(new RawMessage('B', [.. head, .. Text("", ""), 0, 0]));
        await _client.SendAsync(Frontend.Execute(""), Frontend.Sync());
        Assert.That(ScalarOf(await _client.ReadUntilAsync()), Is.EqualTo(Large.ToString(CultureInfo.InvariantCulture)));
    }

    private static byte[] Text(string before, string after)
    {
        var text = new byte[before.Length + Large + after.Length];
        Array.Fill(text, (byte)'x');
        Encoding.ASCII.GetBytes(before, text);
        Encoding.ASCII.GetBytes(after, text.AsSpan(before.Length + Large));
        return text;
    }

    private static string? ScalarOf(IReadOnlyList<RawMessage> replies) =>
        replies.FirstOrDefault(reply => reply.Type == 'D')?.Columns()[0] is { } value ? Encoding.UTF8.GetString(value) : string.Join(' ', replies);

    /// <summary>Resident memory of the router now (VmRSS), or at most until now (VmHWM).</summary>
    private long Megabytes(string field = "VmRSS")
    {
        var line = File.ReadLines($"/proc/{_router.Pid}/status").Single(text => text.StartsWith(field + ":", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
    }
}
