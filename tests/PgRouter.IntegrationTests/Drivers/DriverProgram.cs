using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using PgRouter.Testing;
using PgRouter.Testing.Processes;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Drivers;

/// <summary>
/// A program that uses a driver: run once against the primary and then twice at the same time through the router, it must print the same
/// three times. Each run has a schema of its own.
/// </summary>
internal static partial class DriverProgram
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(100);

    /// <summary>The folder of the programs beside the test assembly.</summary>
    public static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "Drivers", "Programs");

    /// <summary>Runs <paramref name="file"/> three times and fails when the outputs differ.</summary>
    /// <param name="file">The program.</param>
    /// <param name="arguments">Its arguments; <c>{schema}</c> stands for the schema of the run.</param>
    /// <param name="environment">More environment than the address and the schema.</param>
    /// <param name="poolSize">Servers per node: each copy may pin some (LISTEN, temporary tables), and must find one more.</param>
    public static async Task CompareAsync(
        string file, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string>? environment = null, int poolSize = 4)
    {
        await using var router = await DriverBed.StartRouterAsync(poolSize);
        var primary = DriverBed.Cluster.Nodes[0];
        var direct = await RunAsync(file, arguments, environment, new Endpoint(primary.Host, primary.Port), "drv_a");
        var routed = await Task.WhenAll(
            RunAsync(file, arguments, environment, router.Endpoint, "drv_b"),
            RunAsync(file, arguments, environment, router.Endpoint, "drv_c"));
        Assert.That(direct, Does.EndWith("exit code 0"), $"{file} failed without the router");
        foreach (var output in routed)
            RequireSame(direct, output, router);
    }

    /// <summary>Fails with what to do when a driver is not there.</summary>
    public static async Task RequireAsync(string file, params string[] probe)
    {
        try
        {
            await Command.RequireAsync(file, probe);
        }
        catch (Exception missing) when (missing is TestBedException or System.ComponentModel.Win32Exception)
        {
            Assert.Fail($"{file} {string.Join(' ', probe)} does not work: run scripts/install-deps.sh\n{missing.Message}");
        }
    }

    private static async Task<string> RunAsync(
        string file, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string>? environment, Endpoint server, string schema)
    {
        var all = new Dictionary<string, string>(environment ?? new Dictionary<string, string>())
        {
            ["PGHOST"] = server.Host,
            ["PGPORT"] = server.Port.ToString(CultureInfo.InvariantCulture),
            ["PGUSER"] = "postgres",
            ["PGDATABASE"] = "postgres",
            ["PGSSLMODE"] = "disable",
            ["LC_ALL"] = "C.UTF-8",
            ["DRIVER_SCHEMA"] = schema,
            ["DRIVER_NODE_PORTS"] = string.Join(',', DriverBed.Cluster.Nodes.Select(node => node.Port)),
        };
        var own = arguments.Select(argument => argument.Replace("{schema}", schema, StringComparison.Ordinal));
        // By timeout(1), because a program that hangs must still show how far it came.
        var seconds = Deadline.TotalSeconds.ToString(CultureInfo.InvariantCulture);
        var result = await Command.RunAsync("timeout", ["-s", "INT", "-k", "5", seconds, file, .. own], all);
        return Masked($"{result.Output}{result.Error}exit code {result.ExitCode}");
    }

    private static string Masked(string output) => ServerProcess().Replace(Schema().Replace(output, "drv_x"), "PID x");

    private static void RequireSame(string direct, string routed, RouterProcessFixture router)
    {
        if (direct == routed)
            return;
        var left = direct.Split('\n');
        var right = routed.Split('\n');
        var same = left.Zip(right).TakeWhile(pair => pair.First == pair.Second).Count();
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"the routed output differs after {same} equal lines (- direct, + routed)\n");
        Append(' ', left.Take(same).Skip(same - 3));
        Append('-', left.Skip(same).Take(8));
        Append('+', right.Skip(same).Take(25));
        Assert.Fail($"{text}the router's log:\n{router.LogTail()}");

        void Append(char sign, IEnumerable<string> lines) => text.AppendJoin("", lines.Select(line => $"{sign} {line}\n"));
    }

    [GeneratedRegex("drv_[abc]")]
    private static partial Regex Schema();

    [GeneratedRegex("PID [0-9]+")]
    private static partial Regex ServerProcess();
}
