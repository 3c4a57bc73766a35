using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Processes;
using PgRouter.Testing.Protocol;

namespace PgRouter.Testing.Routers;

/// <summary>Debian's pgpool-II as a child process in front of a cluster, for the comparison with it. No test of the suite needs it.</summary>
public sealed class PgpoolProcess : IAsyncDisposable
{
    private const string Program = "/usr/sbin/pgpool";

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _log = [];
    private readonly string _directory;

    private PgpoolProcess(string directory, int port)
    {
        _directory = directory;
        Endpoint = new Endpoint("127.0.0.1", port);
        string[] run = [Program, "-n", "-D", "-f", Path.Combine(directory, "pgpool.conf"), "-F", Path.Combine(directory, "pcp.conf")];
        var start = PostgresBinaries.RunsAsPostgresAccount
            ? new ProcessStartInfo("setpriv", ["--reuid=postgres", "--regid=postgres", "--init-groups", .. run])
            : new ProcessStartInfo(run[0], run[1..]);
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        start.Environment["HOME"] = "/tmp";
        _process = Process.Start(start) ?? throw new TestBedException($"Could not start {Program}.");
        _process.OutputDataReceived += (_, line) => _log.Enqueue(line.Data ?? "");
        _process.ErrorDataReceived += (_, line) => _log.Enqueue(line.Data ?? "");
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Where it listens.</summary>
    public Endpoint Endpoint { get; }

    /// <summary>The last lines of its log, for messages.</summary>
    public string LogTail => string.Join('\n', _log.TakeLast(60));

    /// <summary>Starts it in front of backends; returns when it answers a query.</summary>
    /// <param name="backends">Nodes by their number.</param>
    /// <param name="settings">Lines of pgpool.conf that replace or join the generated ones.</param>
    public static async Task<PgpoolProcess> StartAsync(IReadOnlyList<Endpoint> backends, IReadOnlyDictionary<string, string> settings)
    {
        if (!File.Exists(Program))
            throw new TestBedException($"{Program} is not there: run scripts/install-bench-deps.sh.");
        var directory = Directory.CreateTempSubdirectory("pgpool-run-").FullName;
        var port = FreePorts.Take();
        var lines = Defaults(backends, directory, port);
        foreach (var (name, value) in settings)
            lines[name] = value;
        await File.WriteAllLinesAsync(Path.Combine(directory, "pgpool.conf"), lines.Select(line => $"{line.Key} = '{line.Value}'"));
        await File.WriteAllTextAsync(Path.Combine(directory, "pcp.conf"), "");
        await PostgresBinaries.GiveAsync(directory);
        var pgpool = new PgpoolProcess(directory, port);
        try
        {
            await Eventually.TrueAsync(pgpool.AnswersAsync, "pgpool to answer a query");
            return pgpool;
        }
        catch (TimeoutException failure)
        {
            await pgpool.DisposeAsync();
            throw new TestBedException($"{failure.Message}\n{pgpool.LogTail}", failure);
        }
    }

    /// <summary>Ends it at once, with its children.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await Eventually.DoneAsync(_process.WaitForExitAsync(), "the end of pgpool");
        _process.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task<bool> AnswersAsync()
    {
        try
        {
            await using var client = await RawClient.LoginAsync(Endpoint);
            return await client.ScalarAsync("SELECT 1") == "1";
        }
        catch (Exception e) when (e is System.Net.Sockets.SocketException or IOException or TestBedException)
        {
            return _process.HasExited ? throw new TimeoutException("pgpool ended at start") : false;
        }
    }

    private static Dictionary<string, string> Defaults(IReadOnlyList<Endpoint> backends, string directory, int port)
    {
        var settings = new Dictionary<string, string>
        {
            ["backend_clustering_mode"] = "streaming_replication",
            ["listen_addresses"] = "127.0.0.1",
            ["port"] = port.ToString(CultureInfo.InvariantCulture),
            ["socket_dir"] = directory,
            ["pcp_listen_addresses"] = "",
            ["pcp_port"] = FreePorts.Take().ToString(CultureInfo.InvariantCulture),
            ["pcp_socket_dir"] = directory,
            ["wd_ipc_socket_dir"] = directory,
            ["pid_file_name"] = Path.Combine(directory, "pgpool.pid"),
            ["logdir"] = directory,
            ["enable_pool_hba"] = "off",
            ["pool_passwd"] = "",
            ["num_init_children"] = "32",
            ["max_pool"] = "1",
            ["connection_cache"] = "off",
            ["load_balance_mode"] = "on",
            ["sr_check_user"] = PgCluster.Superuser,
            ["sr_check_period"] = "1",
            ["health_check_period"] = "0",
        };
        for (var node = 0; node < backends.Count; node++)
        {
            settings[$"backend_hostname{node}"] = backends[node].Host;
            settings[$"backend_port{node}"] = backends[node].Port.ToString(CultureInfo.InvariantCulture);
            settings[$"backend_weight{node}"] = "1";
            settings[$"backend_flag{node}"] = "ALLOW_TO_FAILOVER";
        }
        return settings;
    }
}
