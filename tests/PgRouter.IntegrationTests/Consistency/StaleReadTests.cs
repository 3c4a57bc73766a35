using System.Globalization;
using PgRouter.Testing;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Consistency;

/// <summary>
/// No read is stale while standbys stand still, go on, are slow, die and come back, and while the primary is switched. <c>make consistency</c> plays it
/// until a million reads (PGROUTER_CONSISTENCY_READS) have been checked.
/// </summary>
[TestFixture]
public sealed class StaleReadTests
{
    private static readonly Dictionary<string, string> Settings = new()
    {
        ["backend_weight0"] = "0",
        ["enable_pool_hba"] = "off",
        ["health_check_period"] = "1",
        ["health_check_timeout"] = "5",
        ["health_check_max_retries"] = "1",
        ["health_check_retry_delay"] = "1",
        ["sr_check_period"] = "1",
        ["connect_timeout"] = "5000",
        ["pgrouter.failover_hold"] = "20",
        ["log_min_messages"] = "debug1",
    };

    [Test]
    public async Task No_read_misses_what_was_acknowledged_before_it()
    {
        var most = long.Parse(Environment.GetEnvironmentVariable("PGROUTER_CONSISTENCY_READS") ?? "0", CultureInfo.InvariantCulture);
        await using var cluster = await PgCluster.StartAsync();
        await cluster.ExecuteAsync(0, $"CREATE DATABASE {StaleReadChecker.Database}");
        await cluster.ExecuteAsync(0, StaleReadChecker.Schema, StaleReadChecker.Database);
        await cluster.WaitForReplayAsync();
        await using var router = await RouterProcessFixture.StartAsync(cluster, Settings);
        await router.WaitForCleanStandbysAsync(cluster, StaleReadChecker.Database);
        string result;
        await using (var checker = new StaleReadChecker(cluster, router))
        {
            checker.Start();
            do
            {
                await TroubleAsync(cluster, checker);
                TestContext.Progress.WriteLine(checker);
            }
            while (checker.Reads < most && checker.Violations.Count == 0);
            result = $"{checker}\n{string.Join('\n', checker.Violations.Take(20))}";
            Assert.That(checker.Violations, Is.Empty, $"{result}\n{router.LogTail()}");
            Assert.That(checker.Of("eventual").Stale, Is.Positive, $"the checker finds what there is: {result}");
            foreach (var level in (string[])["global", "session", "strong"])
                Assert.That(checker.Of(level).OnStandby, Is.Positive, $"standbys serve: {result}");
        }
        TestContext.Out.WriteLine(result);
    }

    /// <summary>Everything once.</summary>
    private static async Task TroubleAsync(PgCluster cluster, StaleReadChecker checker)
    {
        var primary = checker.Primary;
        int[] standbys = [.. Enumerable.Range(0, 3).Where(node => node != primary)];
        await ReadOnAsync(checker, "global", 100);
        foreach (var node in standbys)
        {
            await cluster.PauseReplayAsync(node);
            await ReadOnAsync(checker, "global", 50);
            await cluster.ResumeReplayAsync(node);
        }
        await StopReplayEverywhereAsync(cluster, checker, standbys);
        cluster.PauseProcess(standbys[0]);
        await ReadOnAsync(checker, "session", 20);
        cluster.ResumeProcess(standbys[0]);
        await ReadOnAsync(checker, "strong", 20);
        await cluster.KillNodeAsync(standbys[0]);
        await ReadOnAsync(checker, "global", 50);
        await Eventually.TrueAsync(() => cluster.Nodes[standbys[0]].Pid is null, "the postmaster to be gone");
        await cluster.StartNodeAsync(standbys[0]);
        await cluster.StopNodeAsync(standbys[1], StopMode.Immediate);
        await cluster.StartNodeAsync(standbys[1]);
        await ReadOnAsync(checker, "global", 50);
        await SwitchAsync(cluster, checker, standbys[0], standbys[1]);
        await ReadOnAsync(checker, "global", 200);
        await ReadOnAsync(checker, "session", 100);
        await ReadOnAsync(checker, "strong", 50);
    }

    /// <summary>Here who asks for nothing must be told what is gone.</summary>
    private static async Task StopReplayEverywhereAsync(PgCluster cluster, StaleReadChecker checker, int[] standbys)
    {
        foreach (var node in standbys)
            await cluster.PauseReplayAsync(node);
        var stale = checker.Of("eventual").Stale;
        await Eventually.TrueAsync(() => Interlocked.Read(ref checker.Of("eventual").Stale) > stale, "a stale read at the level that allows it");
        await ReadOnAsync(checker, "strong", 20);
        foreach (var node in standbys)
            await cluster.ResumeReplayAsync(node);
    }

    /// <summary>By hand, and in order: what the primary has told its standbys have when it is gone.</summary>
    private static async Task SwitchAsync(PgCluster cluster, StaleReadChecker checker, int to, int other)
    {
        var from = checker.Primary;
        await cluster.WaitForReplayAsync(from);
        await cluster.StopNodeAsync(from);
        await cluster.PromoteAsync(to);
        checker.Primary = to;
        await cluster.RewindOrRebuildAsStandbyAsync(other, to);
        await cluster.RewindOrRebuildAsStandbyAsync(from, to);
    }

    private static Task ReadOnAsync(StaleReadChecker checker, string level, long count)
    {
        var target = Interlocked.Read(ref checker.Of(level).Reads) + count;
        return Eventually.TrueAsync(
            () => Interlocked.Read(ref checker.Of(level).Reads) >= target || checker.Violations.Count > 0, $"{count} reads more at {level}: {checker}", TimeSpan.FromSeconds(120));
    }
}
