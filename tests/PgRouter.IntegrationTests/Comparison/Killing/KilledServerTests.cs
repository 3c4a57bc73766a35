using System.Globalization;
using PgRouter.Testing;

namespace PgRouter.IntegrationTests.Wire;

/// <summary>
/// The connection to the server ends between any two messages of a script: the client gets the right answers up to an error that
/// PostgreSQL would give, its session goes on, the others notice nothing, no lease is lost. <c>PGROUTER_KILL_ALL=1</c> plays all scripts that
/// leave the database as it was; a test run plays a selection.
/// </summary>
[TestFixture]
public sealed class KilledServerTests
{
    private static readonly string[] Selected =
    [
        "temporary table on commit drop, simple", "cursors with hold over other statements",
        "txn savepoints nested deeply, simple", "txn chains, extended", "portals named over syncs in a transaction", "copying in with a prepared statement",
        "settings in savepoints of one name, extended", "statements executed in one sync",
        "copying out in a pipeline", "extended pipeline of several syncs", "transaction wholly in one sync",
        "extended prepared names with odd bytes", "session discard all", "session prepare in sql", "names in pg_prepared_statements",
        "functions that prepare, simple", "roles session authorization in transactions, simple",
    ];

    private KillBed _bed = null!;

    private static IEnumerable<NamedScript> Scripts => ScriptBook.Wire.Concat(ScriptBook.Sessions)
        .Where(script => Environment.GetEnvironmentVariable("PGROUTER_KILL_ALL") == "1" ? MayEndAnywhere(script) : Selected.Contains(script.Name));

    [OneTimeSetUp]
    public async Task StartRouterBehindCutter() => _bed = await KillBed.StartAsync();

    [OneTimeTearDown]
    public async Task StopRouter() => await _bed.DisposeAsync();

    [TestCaseSource(nameof(Scripts))]
    public async Task A_server_killed_between_any_two_messages_costs_an_error_at_most(NamedScript script)
    {
        try
        {
            var played = await _bed.KillBetweenAnyTwoMessagesAsync(script);
            TestContext.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{played} losses of {script.Name}"));
            Assert.That(played, Is.GreaterThanOrEqualTo(2));
        }
        catch (TestBedException)
        {
            await RenewAsync();
            throw;
        }
    }

    // What a failure did to the others must not fail the scripts behind it.
    private async Task RenewAsync()
    {
        var broken = _bed;
        _bed = await KillBed.StartAsync();
        try
        {
            await broken.DisposeAsync();
        }
        catch (TestBedException hangs)
        {
            TestContext.Out.WriteLine(hangs.Message);
        }
    }

    // One connection that does not end, nothing permanent made outside a transaction, and no two-phase commit, whose half would stay.
    private static bool MayEndAnywhere(NamedScript script) =>
        !new[] { "connect", "cancel", "> end", "raw ", "> A", "TRANSACTION '", "pg_sleep", "lo_", "LISTEN", "ended by another message", "wire_serial", "VACUUM", "lastval", "currval" }
            .Any(word => script.Text.Contains(word, StringComparison.Ordinal) || script.Name.EndsWith(word, StringComparison.Ordinal))
        && !script.NeedsPrimary && !script.Name.Contains("many", StringComparison.Ordinal);
}
