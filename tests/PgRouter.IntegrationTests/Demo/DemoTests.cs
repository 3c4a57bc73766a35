using System.Net;
using System.Net.Sockets;
using PgRouter.Testing;
using PgRouter.Testing.Processes;

namespace PgRouter.IntegrationTests.Demo;

/// <summary>"pgrouter demo" as a person uses it. Needs the executable of make build.</summary>
[TestFixture]
internal sealed class DemoTests
{
    [Test]
    public async Task What_it_says_to_try_works_and_an_interrupt_removes_everything()
    {
        await using var demo = await DemoProcess.Start().ReadyAsync();

        Assert.That(await demo.PsqlAsync("SELECT count(*) FROM city"), Is.EqualTo("3\n"));
        await DemoProcess.TypeAsync(demo.Command("psql", "inet_server_port(), count"));
        Assert.That(await DemoProcess.TypeAsync(demo.Command("psql", "INSERT")), Does.Contain("Dublin"));
        Assert.That(await DemoProcess.TypeAsync(demo.Command("psql", "SHOW POOL_NODES")), Does.Contain("(3 rows)"));
        await DemoProcess.TypeAsync(demo.Command("node2", " stop"));
        await demo.WaitForAsync("standby  down: ");
        Assert.That(await demo.PsqlAsync("SELECT count(*) FROM city"), Does.Match("^[34]\n$"), "the other standby may be a moment behind");
        demo.Send(Signal.Interrupt);

        Assert.That(await demo.EndAsync(), Is.Zero, demo.Output);
        Assert.That(demo.HasLeftNothing, demo.Output);
    }

    [Test]
    public async Task A_promoted_standby_takes_the_writes_and_the_other_one_follows_it()
    {
        await using var demo = await DemoProcess.Start().ReadyAsync();

        await DemoProcess.TypeAsync(demo.Command("node0", " stop"));
        await DemoProcess.TypeAsync(demo.Command("node1", " promote"));
        await Eventually.PassesAsync(() => demo.PsqlAsync("INSERT INTO city (name) VALUES ('Essen')"), "a write on the new primary");
        await DemoProcess.TypeAsync(demo.Command("psql", "primary_conninfo"));
        await Eventually.TrueAsync(
            async () => (await demo.PsqlAsync("SHOW POOL_NODES")).Contains("streaming", StringComparison.Ordinal), "the other standby to follow");
    }

    [TestCase(Signal.Terminate)]
    [TestCase(Signal.Hangup)]
    public async Task It_ends_although_a_client_is_busy(Signal signal)
    {
        await using var demo = await DemoProcess.Start().ReadyAsync();
        var busy = Command.RunAsync(
            "psql", ["-X", "-h", "127.0.0.1", "-p", $"{demo.Port}", "-U", "postgres", "demo", "-c", "SELECT pg_sleep(600) FROM city FOR UPDATE"]);
        await Eventually.TrueAsync(
            async () => await demo.PsqlAsync("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") == "1\n",
            "the client to be busy");

        demo.Send(signal);

        Assert.That(await demo.EndAsync(), Is.Zero, demo.Output);
        Assert.That(demo.HasLeftNothing, demo.Output);
        Assert.That((await busy).ExitCode, Is.Not.Zero);
    }

    [TestCase(Signal.Interrupt)]
    [TestCase(Signal.Terminate)]
    public async Task Told_to_end_while_it_starts_it_removes_what_is_there(Signal signal)
    {
        await using var demo = DemoProcess.Start();
        await demo.WaitForAsync("Starting PostgreSQL");

        demo.Send(signal);

        Assert.That(await demo.EndAsync(), Is.Zero, demo.Output);
        Assert.That(demo.HasLeftNothing, demo.Output);
    }

    [TestCase("Starting PostgreSQL")]
    [TestCase("Ctrl-C")]
    public async Task Killed_it_leaves_nothing_either(string when)
    {
        await using var demo = DemoProcess.Start();
        await demo.WaitForAsync(when);

        demo.Send(Signal.Kill);

        await Eventually.TrueAsync(() => demo.HasLeftNothing, "the guard to remove everything");
    }

    [Test]
    public async Task What_it_keeps_runs_on_and_can_be_removed_as_it_says()
    {
        await using var demo = await DemoProcess.Start("--keep").ReadyAsync();
        demo.Send(Signal.Interrupt);
        Assert.That(await demo.EndAsync(), Is.Zero, demo.Output);

        Assert.That(Signals.WorkingUnder(demo.DirectoryPath), Is.Not.Empty);
        var told = demo.Output[demo.Output.IndexOf("To remove them:", StringComparison.Ordinal)..];
        foreach (var command in told.Split('\n').Skip(1))
            await DemoProcess.TypeAsync(command);
        Assert.That(demo.HasLeftNothing, demo.Output);
    }

    [Test]
    public async Task A_port_that_is_taken_is_told_before_anything_is_started()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;

        await using var demo = DemoProcess.StartOn(port);

        Assert.That(await demo.EndAsync(), Is.EqualTo(70));
        Assert.That(demo.Output, Is.EqualTo($"pgrouter demo: port {port} is in use; choose another one with --port"));
    }
}
