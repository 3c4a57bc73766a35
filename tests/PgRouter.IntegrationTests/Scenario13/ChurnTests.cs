using System.Collections.Concurrent;
using System.Globalization;
using PgRouter.Testing;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Scenario13;

/// <summary>A thousand clients that connect, work and leave at random, politely or not; <c>make soak</c> lets them do so for a minute.</summary>
[TestFixture]
[Category("Soak")]
public sealed class ChurnTests
{
    private const int Clients = 1000;

    /// <summary>Resident memory of the router with a thousand clients: the runtime, plus some tens of kilobytes for each.</summary>
    private const long MostMegabytes = 400;

    [Test]
    public async Task A_thousand_clients_come_and_go_and_leave_nothing_behind()
    {
        var cluster = await SharedCluster.GetAsync();
        await using var router = await RouterProcessFixture.StartAsync(
            cluster, new Dictionary<string, string> { ["num_init_children"] = "16", ["log_min_messages"] = "error" });
        var programs = new ClientPrograms(cluster, router.Endpoint);
        await cluster.ExecuteAsync(0, "CREATE TABLE IF NOT EXISTS churned (n int)");
        await cluster.WaitForReplayAsync();
        await programs.PsqlAsync("SELECT 1");
        var atRest = DescriptorsOf(router.Pid) - await ServersAsync(programs);
        var errors = new ConcurrentDictionary<string, int>();
        var visits = 0;
        using var time = new CancellationTokenSource(TimeSpan.FromSeconds(Soak.ChurnSeconds));

        var clients = Enumerable.Range(0, Clients).Select(n => LiveAsync(router.Endpoint, new Random(n), errors, () => Interlocked.Increment(ref visits), time.Token));
        await Eventually.DoneAsync(Task.WhenAll(clients), "the end of all clients", TimeSpan.FromSeconds(Soak.ChurnSeconds + 40));
        var megabytes = MemoryOf(router.Pid);

        TestContext.Out.WriteLine($"{visits} visits, {megabytes} MB");
        Assert.That(errors, Is.Empty, router.LogTail());
        Assert.That(visits, Is.GreaterThanOrEqualTo(Clients));
        Assert.That(megabytes, Is.LessThan(MostMegabytes));
        await Eventually.ValueAsync(
            async () => (await programs.RowsAsync("SHOW CLIENTS", "pgbouncer")).Count, count => count == 1, "no client but the one who asks");
        await Eventually.ValueAsync(
            async () => string.Join(' ', (await programs.RowsAsync("SHOW POOLS", "pgbouncer"))
                .Where(row => row[0] != "pgbouncer").Select(row => $"{row[2]}|{row[3]}|{row[6]}")),
            shown => shown.Split(' ').All(row => row == "0|0|0"),
            "no active client, no waiting client and no active server in any pool");
        await Eventually.ValueAsync(
            async () => DescriptorsOf(router.Pid) - await ServersAsync(programs), count => count <= atRest, $"{atRest} descriptors beside the servers'");
    }

    /// <summary>One client: visit after visit until the time is over.</summary>
    private static async Task LiveAsync(
        Endpoint endpoint, Random random, ConcurrentDictionary<string, int> errors, Action visited, CancellationToken time)
    {
        do
        {
            try
            {
                await VisitAsync(endpoint, random);
                visited();
            }
            catch (Exception failure)
            {
                errors.AddOrUpdate($"{failure.GetType().Name}: {failure.Message}", 1, (_, count) => count + 1);
                return;
            }
        }
        while (!time.IsCancellationRequested);
    }

    private static async Task VisitAsync(Endpoint endpoint, Random random)
    {
        await using var client = await RawClient.LoginAsync(endpoint);
        client.ReadDeadline = TimeSpan.FromSeconds(40);
        for (var work = random.Next(1, 5); work > 0; work--)
            await WorkAsync(client, random);
        switch (random.Next(5))
        {
            case 0: // In the middle of a transaction, by RST.
                await client.QueryAsync("BEGIN; INSERT INTO churned VALUES (1)");
                client.Reset();
                break;
            case 1: // In the middle of a statement.
                await client.SendAsync(Frontend.Query("SELECT count(*) FROM generate_series(1, 10000)"));
                break;
            case 2: // In the middle of a batch.
                await client.SendAsync(Frontend.Parse("", "SELECT 1"), Frontend.Bind("", ""), Frontend.Execute(""));
                break;
            case 3: // Without a word.
                break;
            default:
                await client.SendAsync(Frontend.Terminate());
                break;
        }
    }

    private static async Task WorkAsync(RawClient client, Random random)
    {
        var number = random.Next(1_000_000).ToString(CultureInfo.InvariantCulture);
        switch (random.Next(6))
        {
            case 0:
                Assert.That(await client.ScalarAsync($"SELECT {number}"), Is.EqualTo(number));
                break;
            case 1:
                await client.SendAsync(
                    Frontend.Parse("kept", "SELECT $1::text"), Frontend.Bind("", "kept", number), Frontend.Execute(""), Frontend.Close('S', "kept"),
                    Frontend.Sync());
                var answer = await client.ReadUntilAsync('Z');
                Assert.That(answer.Single(message => message.Type == 'D').TextColumns()[0], Is.EqualTo(number));
                break;
            case 2:
                await client.QueryAsync("BEGIN");
                await client.QueryAsync($"INSERT INTO churned VALUES ({number})");
                await client.QueryAsync("ROLLBACK");
                Assert.That(client.TransactionStatus, Is.EqualTo('I'));
                break;
            case 3:
                Assert.That((await client.QueryAsync("SELECT 1/0")).Single(message => message.Type == 'E').Field('C'), Is.EqualTo("22012"));
                break;
            case 4:
                await client.QueryAsync($"SET application_name = 'churn {number}'");
                Assert.That(await client.ScalarAsync("SHOW application_name"), Is.EqualTo($"churn {number}"));
                break;
            default:
                Assert.That((await client.QueryAsync("SELECT * FROM generate_series(1, 500)")).Count(message => message.Type == 'D'), Is.EqualTo(500));
                break;
        }
    }

    private static int DescriptorsOf(int pid) => Directory.EnumerateFileSystemEntries($"/proc/{pid}/fd").Count();

    private static async Task<int> ServersAsync(ClientPrograms programs) => (await programs.RowsAsync("SHOW SERVERS", "pgbouncer")).Count;

    private static long MemoryOf(int pid)
    {
        var line = File.ReadLines($"/proc/{pid}/status").Single(text => text.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
    }
}
