using System.Globalization;
using System.Text.RegularExpressions;
using PgRouter.Testing.Processes;

namespace PgRouter.IntegrationTests.Drivers;

/// <summary>pgbench with many more clients than servers: every transaction succeeds and every update counts once.</summary>
[TestFixture]
public sealed partial class PgbenchTests
{
    private const int Clients = 64;
    private const int Servers = 4;
    private const int TransactionsPerClient = 20;

    [TestCase("simple")]
    [TestCase("extended")]
    [TestCase("prepared")]
    public async Task Its_own_transaction_runs_in_every_mode(string mode)
    {
        await using var router = await DriverBed.StartRouterAsync(Servers);
        var address = new[] { "-h", router.Endpoint.Host, "-p", router.Endpoint.Port.ToString(CultureInfo.InvariantCulture), "-U", "postgres" };
        var pgbench = DriverBed.Cluster.Binaries.PathOf("pgbench");
        await Command.RequireAsync(pgbench, ["-i", "-q", "-s", "1", .. address, "postgres"]);
        await RunAsync(pgbench, ["-n", "-M", mode, .. address]);
        await RunAsync(pgbench, ["-n", "-S", "-M", mode, .. address]);
        var (balance, history) = (
            await DriverBed.Cluster.ScalarAsync<long>(0, "SELECT sum(abalance) FROM pgbench_accounts"),
            await DriverBed.Cluster.ScalarAsync<long>(0, "SELECT sum(delta) FROM pgbench_history"));
        Assert.That(balance, Is.EqualTo(history), "each transaction changes both or none");
        Assert.That(await DriverBed.Cluster.ScalarAsync<long>(0, "SELECT count(*) FROM pgbench_history"), Is.EqualTo(Clients * TransactionsPerClient));
    }

    [TestCase("extended")]
    [TestCase("prepared")]
    public async Task Pipelines_of_a_script_run(string mode)
    {
        await using var router = await DriverBed.StartRouterAsync(Servers);
        await DriverBed.Cluster.ExecuteAsync(
            0, "DROP TABLE IF EXISTS driver_bench; CREATE TABLE driver_bench AS SELECT id, 0 AS hits FROM generate_series(1, 10) AS id");
        var script = Path.Combine(DriverProgram.Folder, "pgbench", "pipeline.sql");
        await RunAsync(
            DriverBed.Cluster.Binaries.PathOf("pgbench"),
            ["-n", "-M", mode, "-f", script, "-h", router.Endpoint.Host, "-p", router.Endpoint.Port.ToString(CultureInfo.InvariantCulture), "-U", "postgres"]);
        Assert.That(
            await DriverBed.Cluster.ScalarAsync<long>(0, "SELECT sum(hits) FROM driver_bench"), Is.EqualTo(2 * Clients * TransactionsPerClient));
    }

    private static async Task RunAsync(string pgbench, IReadOnlyList<string> arguments)
    {
        var load = new[] { "-c", $"{Clients}", "-j", "2", "-t", $"{TransactionsPerClient}" };
        var result = await Command.RunAsync(pgbench, [.. load, .. arguments, "postgres"], deadline: TimeSpan.FromSeconds(60));
        Assert.That(result.ExitCode, Is.Zero, result.Output + result.Error);
        Assert.That(Processed().Match(result.Output).Groups[1].Value, Is.EqualTo($"{Clients * TransactionsPerClient}"), result.Output + result.Error);
    }

    [GeneratedRegex("actually processed: ([0-9]+)/")]
    private static partial Regex Processed();
}
