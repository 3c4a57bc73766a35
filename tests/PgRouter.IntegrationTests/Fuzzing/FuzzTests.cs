using System.Diagnostics;
using System.Globalization;
using PgRouter.IntegrationTests.Consoles;
using PgRouter.IntegrationTests.Encryption;
using PgRouter.Testing;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Fuzzing;

/// <summary>
/// Messages of every kind of wrongness, from clients and from servers: the router does not crash, hang or grow, and no session ends by an error of its own.
/// <c>PGROUTER_FUZZ_MESSAGES</c> says how many clients send, <c>PGROUTER_FUZZ_SEED</c> which; <c>make fuzz</c> sends ten million.
/// </summary>
[TestFixture]
public sealed class FuzzTests
{
    private const int MessagesInOneRun = 40_000;
    private const int UsualSeed = 5;
    private const int Clients = 48;
    private const long MostMegabytes = 700;

    private static readonly Dictionary<string, string> Files = new()
    {
        ["pool_hba.conf"] = """
            host all scram 127.0.0.1/32 scram-sha-256
            host all md5 127.0.0.1/32 md5
            host all password 127.0.0.1/32 password
            host all all 127.0.0.1/32 trust

            """,
        ["pool_passwd"] = "scram:TEXTsecret\nmd5:TEXTsecret\npassword:TEXTsecret\n",
    };

    [TestCase(false, Description = "clients")]
    [TestCase(true, Description = "servers too")]
    public async Task Nothing_that_is_sent_does_harm(bool serversToo)
    {
        var wanted = Number("PGROUTER_FUZZ_MESSAGES", MessagesInOneRun) / 2;
        var seed = Number("PGROUTER_FUZZ_SEED", UsualSeed);
        using var server = new FuzzServer(seed);
        await using var bed = await TlsBed.StartAsync([server.Endpoint], (_, settings) => Demand(settings), Files);
        var router = bed.Router;
        server.IsHostile = serversToo;
        var count = new FuzzCount(wanted);
        var clock = Stopwatch.StartNew();

        var running = Task.WhenAll(Enumerable.Range(0, Clients).Select(i => Task.Run(new FuzzClient(router.Endpoint, seed + (i * 7919), count).RunAsync)));
        while (await Task.WhenAny(running, Task.Delay(1000)) != running) // The pace at which it is looked at; the end is that of the messages.
            await RequireAnswersAsync(router, count, server, seed);
        await running;
        await Eventually.ValueAsync(
            () => SessionsAsync(router), sessions => sessions.Length == 0, "the end of all sessions whose clients have left", TimeSpan.FromSeconds(60));

        var figures = Figures(router, count, server, clock.Elapsed);
        await TestContext.Progress.WriteLineAsync($"{(serversToo ? "clients and servers" : "clients")}, PGROUTER_FUZZ_SEED={seed}: {figures}");
        Assert.That(count.Hangs, Is.Empty, figures);
        Assert.That(router.Log.Where(IsFault), Is.Empty, $"{figures}\n{router.LogTail()}");
        Assert.That(MegabytesOf(router.Pid, "VmHWM"), Is.LessThan(MostMegabytes), figures);
        server.IsHostile = false;
        await Eventually.PassesAsync(
            async () =>
            {
                await using var client = await RawClient.LoginAsync(router.Endpoint, user: "somebody");
                Assert.That((await client.QueryAsync("SELECT 1")).Select(message => message.Type), Has.Member('C'));
            },
            "a client that is served");
    }

    private static void Demand(Dictionary<string, string> settings)
    {
        settings["enable_pool_hba"] = "on";
        settings["backend_flag0"] = "ALWAYS_PRIMARY|DISALLOW_TO_FAILOVER";
        settings["sr_check_period"] = settings["health_check_period"] = "0";
        settings["default_pool_size"] = "100";
        settings["max_client_conn"] = "10000";
        settings["reserved_connections"] = "10";
        settings["admin_users"] = "watcher";
        settings["authentication_timeout"] = "10";
        settings["query_wait_timeout"] = "2";
        settings["log_min_messages"] = "error";
    }

    /// <summary>The console needs no server: whatever these do, it answers.</summary>
    private static async Task RequireAnswersAsync(RouterProcessFixture router, FuzzCount count, FuzzServer server, int seed)
    {
        Assert.That(router.IsRunning, $"seed {seed}: the router ended after {count.Messages} messages\n{router.LogTail()}");
        try
        {
            await using var console = await RawClient.LoginAsync(router.Endpoint, user: "watcher", database: "pgrouter");
            console.ReadDeadline = TimeSpan.FromSeconds(30);
            Assert.That((await console.QueryAsync("SHOW VERSION")).Code(), Is.Null);
        }
        catch (Exception e) when (e is not AssertionException)
        {
            Assert.Fail($"seed {seed}: no answer after {count.Messages} messages of clients and {server.Messages} of servers: {e.Message}\n{router.LogTail()}");
        }
    }

    /// <summary>What SHOW CLIENTS says of others than this console.</summary>
    private static async Task<string> SessionsAsync(RouterProcessFixture router)
    {
        await using var console = await RawClient.LoginAsync(router.Endpoint, user: "watcher", database: "pgrouter");
        var rows = (await console.QueryAsync("SHOW CLIENTS")).Where(message => message.Type == 'D').Select(message => string.Join('|', message.TextColumns()));
        return string.Join('\n', rows.Where(row => !row.Contains("watcher", StringComparison.Ordinal)));
    }

    /// <summary>"session ... failed and was closed" and its like: an error of the router's own.</summary>
    private static bool IsFault(string line) =>
        line.Contains("failed and was closed", StringComparison.Ordinal) || line.Contains("Unhandled", StringComparison.Ordinal);

    private static string Figures(RouterProcessFixture router, FuzzCount count, FuzzServer server, TimeSpan time) => string.Create(
        CultureInfo.InvariantCulture,
        $"{count.Messages} messages of clients in {count.Connections} connections, {server.Messages} of servers, {time.TotalSeconds:0} s, "
        + $"{count.Messages / time.TotalSeconds:0}/s, most memory {MegabytesOf(router.Pid, "VmHWM")} MB, at the end {MegabytesOf(router.Pid, "VmRSS")} MB");

    private static long MegabytesOf(int pid, string name) =>
        long.Parse(File.ReadLines($"/proc/{pid}/status").Single(line => line.StartsWith(name, StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;

    private static int Number(string variable, int otherwise) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
