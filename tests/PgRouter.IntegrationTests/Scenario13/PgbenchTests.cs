using System.Globalization;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Scenario13;

/// <summary>64 pgbench clients in all protocols; <c>make soak</c> runs the same for 30 s each.</summary>
[TestFixture]
[Category("Soak")]
public sealed class PgbenchTests
{
    private const string Database = "bench64";
    private RouterProcessFixture _router = null!;
    private ClientPrograms _programs = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        var cluster = await SharedCluster.GetAsync();
        await cluster.ExecuteAsync(0, $"CREATE DATABASE {Database}");
        _router = await RouterProcessFixture.StartAsync(cluster, new Dictionary<string, string> { ["num_init_children"] = "24" });
        _programs = new ClientPrograms(cluster, _router.Endpoint);
        await _programs.PgbenchAsync(TimeSpan.FromSeconds(60), "-i", "-q", "-s", "2", Database);
        await cluster.WaitForReplayAsync();
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (_router is not null)
            await _router.DisposeAsync();
        var cluster = await SharedCluster.GetAsync();
        await cluster.ExecuteAsync(0, $"DROP DATABASE IF EXISTS {Database} WITH (FORCE)");
    }

    [Test]
    public async Task No_client_sees_an_error(
        [Values("select-only", "tpcb-like")] string script, [Values("simple", "extended", "prepared")] string protocol)
    {
        var seconds = Soak.PgbenchSeconds;

        // Two threads: pgbench -M prepared blocks a whole thread in each prepare while its other clients hold servers in open transactions.
        // It ends because a statement that is known to be good is prepared without a server.
        var result = await _programs.TryPgbenchAsync(
            TimeSpan.FromSeconds(60 + seconds), "-d", Database, "-n", "-b", script, "-M", protocol, "-c", "64", "-j", "2",
            "-T", seconds.ToString(CultureInfo.InvariantCulture));

        TestContext.Out.WriteLine(result.Output);
        Assert.That(result.ExitCode, Is.Zero, $"{result.Error}\n{_router.LogTail()}");
        Assert.That(result.Error, Does.Not.Contain("error").And.Not.Contain("aborted"));
        Assert.That(result.Output, Does.Contain("number of failed transactions: 0 "));
        Assert.That(result.Output, Does.Not.Contain("number of transactions actually processed: 0"));
    }
}
