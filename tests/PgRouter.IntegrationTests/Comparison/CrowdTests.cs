using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Wire;

/// <summary>The same scripts while four other clients, each with state of its own, compete for the same two servers.</summary>
[TestFixture]
public sealed class CrowdTests
{
    private const int Others = 4;

    private readonly CancellationTokenSource _stop = new();
    private RouterProcessFixture _router = null!;
    private Endpoint _primary = null!;
    private Task[] _crowd = [];
    private long _rounds;

    private static IEnumerable<NamedScript> Scripts => ScriptBook.All;

    [OneTimeSetUp]
    public async Task StartRouterAndCrowd()
    {
        _primary = await WireBed.PrimaryAsync();
        _router = await WireBed.RouterAsync();
        _crowd = [.. Enumerable.Range(0, Others).Select(number => Task.Run(() => CompeteAsync(number)))];
        await Testing.Eventually.TrueAsync(() => Volatile.Read(ref _rounds) > Others || _crowd.Any(one => one.IsFaulted), "the crowd to be at work");
    }

    [OneTimeTearDown]
    public async Task The_crowd_saw_nothing_of_others()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_crowd);
        await _router.DisposeAsync();
        _stop.Dispose();
    }

    [TestCaseSource(nameof(Scripts))]
    public Task Routed_equals_direct_in_a_crowd(NamedScript script) => script.RequireEqualAsync(_primary, _router.Endpoint);

    /// <summary>One client with its own settings, statement names, unnamed statement and transactions; throws when it sees another's.</summary>
    private async Task CompeteAsync(int number)
    {
        await using var client = await RawClient.LoginAsync(_router.Endpoint, parameters: ("application_name", $"crowd{number}"));
        await client.QueryAsync($"SET work_mem = '{1000 + number}kB'");
        await client.SendAsync(Frontend.Parse("s", $"SELECT 'statement of {number}'"), Frontend.Sync());
        await client.ReadUntilAsync();
        for (var round = 0; !_stop.IsCancellationRequested; round++)
        {
            Require($"{1000 + number}kB", await client.ScalarAsync("SHOW work_mem"));
            Require($"crowd{number}", await client.ScalarAsync("SELECT current_setting('application_name')"));
            await client.SendAsync(Frontend.Bind("", "s"), Frontend.Execute(""), Frontend.Sync());
            Require($"statement of {number}", await FirstColumnAsync(client));
            await client.SendAsync(Frontend.Parse("", $"SELECT $1 || ' unnamed {number}'", 25), Frontend.Sync());
            Require("1Z", string.Concat((await client.ReadUntilAsync()).Select(message => message.Type)));
            await client.SendAsync(Frontend.Bind("", "", $"{round}"), Frontend.Execute(""), Frontend.Sync());
            Require($"{round} unnamed {number}", await FirstColumnAsync(client));
            await client.QueryAsync("BEGIN");
            await client.QueryAsync($"SET LOCAL work_mem = '{2000 + number}kB'");
            Require($"{2000 + number}kB", await client.ScalarAsync("SELECT current_setting('work_mem')"));
            await client.QueryAsync(round % 2 == 0 ? "COMMIT" : "SELECT 1/0; ROLLBACK");
            if (client.TransactionStatus != 'I')
                await client.QueryAsync("ROLLBACK");
            Interlocked.Increment(ref _rounds);
        }
    }

    private static async Task<string?> FirstColumnAsync(RawClient client)
    {
        var answer = await client.ReadUntilAsync();
        var row = answer.FirstOrDefault(message => message.Type == 'D')
            ?? throw new InvalidOperationException($"no row: {string.Join(", ", answer)}");
        return row.TextColumns()[0];
    }

    private static void Require(string expected, string? actual)
    {
        if (expected != actual)
            throw new InvalidOperationException($"a client of the crowd expected {expected} and got {actual}");
    }
}
