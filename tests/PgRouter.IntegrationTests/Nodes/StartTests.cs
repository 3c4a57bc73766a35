using System.Globalization;
using System.Net;
using System.Net.Sockets;
using PgRouter.IntegrationTests.Scenario13;
using PgRouter.Testing;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Processes;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Nodes;

/// <summary>Starting under bad conditions: nodes that are down, a port that is taken, a pid file that is held.</summary>
[TestFixture]
public sealed class StartTests
{
    private const int CannotListen = 70;
    private const int CannotCreatePidFile = 73;

    [Test]
    public async Task Started_while_nodes_are_down_it_comes_right_by_itself()
    {
        await using var cluster = await PgCluster.StartAsync(new PgClusterOptions { Standbys = 1 });
        await cluster.StopNodeAsync(1);
        await cluster.StopNodeAsync(0);
        await using var router = await RouterProcessFixture.StartAsync(cluster, NodeSettings.Quick);
        var programs = new ClientPrograms(cluster, router.Endpoint);

        var refused = await programs.TryPsqlAsync("SELECT 1");
        Assert.That(refused.ExitCode, Is.EqualTo(2), "psql's code for no connection");
        Assert.That(refused.Error, Does.Contain("FATAL"));

        await cluster.StartNodeAsync(0);
        await Eventually.ValueAsync(
            () => programs.TryPsqlAsync("CREATE TABLE came_right (n int)"), result => result.ExitCode == 0, "a write", NodeSettings.UpWithin);
        await NodeTable.WaitForStatusAsync(programs, 1, "down", NodeSettings.DownWithin);

        await cluster.StartNodeAsync(1);
        await NodeTable.WaitForStatusAsync(programs, 1, "up", NodeSettings.UpWithin);
        await Eventually.ValueAsync(
            () => programs.PsqlAsync("SELECT inet_server_port()"),
            port => port == cluster.Nodes[1].Port.ToString(CultureInfo.InvariantCulture),
            "a read on the standby",
            NodeSettings.UpWithin);
    }

    [Test]
    public async Task A_taken_port_is_named_and_the_exit_code_is_not_zero()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;

        var result = await RunAsync(port, "");

        Assert.That(result.ExitCode, Is.EqualTo(CannotListen));
        Assert.That(result.Output + result.Error, Does.Contain("could not listen on").And.Contain(port.ToString(CultureInfo.InvariantCulture)));
    }

    [Test]
    public async Task A_second_router_with_the_same_pid_file_is_refused_and_the_first_goes_on()
    {
        var cluster = await SharedCluster.GetAsync();
        var directory = Directory.CreateTempSubdirectory("pgrouter-pid-").FullName;
        var pidFile = Path.Combine(directory, "pgrouter.pid");
        await using (var router = await RouterProcessFixture.StartAsync(cluster, new Dictionary<string, string> { ["pid_file_name"] = pidFile }))
        {
            var second = await RunAsync(FreePorts.Take(), $"pid_file_name = '{pidFile}'");

            Assert.That(second.ExitCode, Is.EqualTo(CannotCreatePidFile));
            Assert.That(second.Output + second.Error, Does.Contain("another router").And.Contain(pidFile));
            await using var client = await RawClient.LoginAsync(router.Endpoint);
            Assert.That(await client.ScalarAsync("SELECT 1"), Is.EqualTo("1"));
        }

        Assert.That(File.Exists(pidFile), Is.False, "the pid file goes with its router");
        Directory.Delete(directory, recursive: true);
    }

    /// <summary>Runs the router to its end with one backend that nobody needs.</summary>
    private static async Task<CommandResult> RunAsync(int port, string line)
    {
        var directory = Directory.CreateTempSubdirectory("pgrouter-start-").FullName;
        try
        {
            var config = Path.Combine(directory, "pgpool.conf");
            await File.WriteAllTextAsync(
                config,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"""
                    listen_addresses = '127.0.0.1'
                    port = {port}
                    unix_socket_directories = '{directory}'
                    backend_hostname0 = '127.0.0.1'
                    backend_port0 = 1
                    {line}

                    """));
            return await Command.RunAsync(RouterProcessFixture.ExecutablePath(), ["-f", config], deadline: TimeSpan.FromSeconds(30));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }
}
