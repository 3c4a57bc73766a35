using System.Globalization;
using PgRouter.Testing;
using PgRouter.Testing.Protocol;

namespace PgRouter.IntegrationTests.Consoles;

/// <summary>What the console shows of clients that keep their servers.</summary>
[TestFixture]
public sealed class PinTests
{
    private const string Shop = "pin_shop";

    private ConsoleBed _bed = null!;
    private Operator _console = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _bed = await ConsoleBed.StartAsync(Shop);
        _console = await _bed.OperatorAsync();
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (_console is not null)
            await _console.DisposeAsync();
        if (_bed is not null)
            await _bed.DisposeAsync();
    }

    [TestCase("CREATE TEMP TABLE mine (n int)", "CREATE TEMP TABLE other (n int)", "DISCARD TEMP", "TemporaryObjects")]
    [TestCase("SELECT pg_advisory_lock(1)", "SELECT pg_advisory_lock(2)", "SELECT pg_advisory_unlock_all()", "AdvisoryLocks")]
    [TestCase("BEGIN; DECLARE a CURSOR WITH HOLD FOR SELECT 1; COMMIT", "BEGIN; DECLARE b CURSOR WITH HOLD FOR SELECT 1; COMMIT", "CLOSE ALL", "HoldCursor")]
    [TestCase("LOAD 'auto_explain'", "LOAD 'auto_explain'", "DISCARD ALL", "Settings")]
    public async Task A_pin_shows_with_its_reason_since_when_and_is_counted(string pin, string again, string unpin, string reason)
    {
        await using var client = await _bed.ClientAsync();
        var total = await TotalAsync(reason);
        var before = DateTime.UtcNow.AddSeconds(-1);

        await client.QueryAsync(pin);

        var row = await ClientAsync(client);
        Assert.That(row["pinned"], Is.EqualTo(reason));
        var since = DateTime.ParseExact(
            row["pinned_since"]!, "yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal);
        Assert.That(since, Is.InRange(before.AddSeconds(-1), DateTime.UtcNow));
        Assert.That(row["link"], Is.Not.Empty, "it keeps a server");
        Assert.That(await PinAsync(reason), Is.EqualTo(string.Create(CultureInfo.InvariantCulture, $"{total + 1} 1 {row["pinned_since"]}")));

        await client.QueryAsync(again);
        Assert.That((await ClientAsync(client))["pinned_since"], Is.EqualTo(row["pinned_since"]), "it is the same pin");
        await client.QueryAsync(unpin);

        // The server is asked whether anything is left, so that the pin ends a moment later.
        await Eventually.TrueAsync(
            async () => await ClientAsync(client) is var now && (now["pinned"], now["pinned_since"], now["link"]) == ("", null, ""), "the end of the pin");
        Assert.That(await PinAsync(reason), Is.EqualTo(string.Create(CultureInfo.InvariantCulture, $"{total + 1} 0 ")));
    }

    private async Task<IReadOnlyDictionary<string, string?>> ClientAsync(RawClient client) =>
        (await _console.RowAsync("SHOW CLIENTS", "id", client.ProcessId.ToString(CultureInfo.InvariantCulture)))!;

    private async Task<long> TotalAsync(string reason) =>
        long.Parse((await RowAsync(reason))?["total_pins"] ?? "0", CultureInfo.InvariantCulture);

    private async Task<string> PinAsync(string reason)
    {
        var row = (await RowAsync(reason))!;
        return $"{row["total_pins"]} {row["clients"]} {row["oldest_since"]}";
    }

    private async Task<IReadOnlyDictionary<string, string?>?> RowAsync(string reason) =>
        (await _console.TableAsync("SHOW PINS")).SingleOrDefault(row => row["database"] == Shop && row["reason"] == reason);
}
