using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Processes;
using PgRouter.Testing.Protocol;

namespace PgRouter.Testing.Routers;

/// <summary>
/// The built router as a child process in front of a cluster, with a generated pgpool.conf. Disposing stops it with SIGTERM and
/// fails when it does not end in order.
/// </summary>
public sealed class RouterProcessFixture : IAsyncDisposable
{
    private const int LogLinesShown = 60;

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _log;
    private bool _killed;

    private RouterProcessFixture(Process process, ConcurrentQueue<string> log, string directory, int port)
    {
        _process = process;
        _log = log;
        DirectoryPath = directory;
        Endpoint = new Endpoint("127.0.0.1", port);
    }

    /// <summary>Where it listens.</summary>
    public Endpoint Endpoint { get; }

    /// <summary>Process id.</summary>
    public int Pid => _process.Id;

    /// <summary>Its temporary directory: configuration and Unix socket.</summary>
    public string DirectoryPath { get; }

    /// <summary>The configuration file.</summary>
    public string ConfigFile => Path.Combine(DirectoryPath, "pgpool.conf");

    /// <summary>Everything it wrote to standard output and standard error so far.</summary>
    public IReadOnlyCollection<string> Log => _log;

    /// <summary>Whether the process runs.</summary>
    public bool IsRunning => !_process.HasExited;

    /// <summary>The executable that <c>make build</c> left in artifacts/pgrouter.</summary>
    /// <exception cref="TestBedException">It is not there.</exception>
    public static string ExecutablePath()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "PgRouter.sln")))
            directory = directory.Parent;
        var path = Path.Combine(directory?.FullName ?? "/", "artifacts", "pgrouter", "pgrouter");
        return File.Exists(path) ? path : throw new TestBedException($"{path} does not exist: run 'make build' first.");
    }

    /// <summary>Starts the router in front of all nodes of a cluster; returns when it accepts a connection.</summary>
    /// <param name="cluster">The servers behind it.</param>
    /// <param name="settings">Lines of pgpool.conf that replace or join the generated ones.</param>
    /// <param name="files">More files for its directory, by name: pool_hba.conf, pool_passwd and the like.</param>
    /// <exception cref="TestBedException">It ended or did not listen in time; carries its log.</exception>
    public static Task<RouterProcessFixture> StartAsync(
        PgCluster cluster, IReadOnlyDictionary<string, string>? settings = null, IReadOnlyDictionary<string, string>? files = null) =>
        StartAsync([.. cluster.Nodes.Select(node => new Endpoint(node.Host, node.Port))], settings, files);

    /// <summary>Starts the router in front of any backends, for instance fake servers or fault proxies.</summary>
    public static async Task<RouterProcessFixture> StartAsync(
        IReadOnlyList<Endpoint> backends, IReadOnlyDictionary<string, string>? settings = null, IReadOnlyDictionary<string, string>? files = null)
    {
        var directory = Directory.CreateTempSubdirectory("pgrouter-run-").FullName;
        var port = FreePorts.Take();
        var all = DefaultSettings(backends, directory, port);
        foreach (var (name, value) in settings ?? new Dictionary<string, string>())
            all[name] = value;
        foreach (var (name, text) in files ?? new Dictionary<string, string>())
            await File.WriteAllTextAsync(Path.Combine(directory, name), text);
        var config = Path.Combine(directory, "pgpool.conf");
        await WriteConfigAsync(config, all);
        return await LaunchAsync(config, directory, port);
    }

    /// <summary>Starts the router with a configuration of the caller's own, as somebody brings it along; none of the usual lines is added.</summary>
    /// <param name="configuration">The text of pgpool.conf, made from the port it must listen on (127.0.0.1 included) and its directory.</param>
    public static async Task<RouterProcessFixture> StartWithConfigurationAsync(Func<int, string, string> configuration)
    {
        var directory = Directory.CreateTempSubdirectory("pgrouter-run-").FullName;
        var port = FreePorts.Take();
        var config = Path.Combine(directory, "pgpool.conf");
        await File.WriteAllTextAsync(config, configuration(port, directory));
        return await LaunchAsync(config, directory, port);
    }

    private static async Task<RouterProcessFixture> LaunchAsync(string config, string directory, int port)
    {
        var fixture = Launch(config, directory, port);
        try
        {
            await Eventually.TrueAsync(fixture.AcceptsOrEndedAsync, "the router to accept a connection");
            return fixture.IsRunning ? fixture : throw new TestBedException("the router ended at start");
        }
        catch (Exception failure)
        {
            await fixture.KillAsync();
            await fixture.DisposeAsync();
            throw new TestBedException($"{failure.Message}\n{fixture.LogTail()}", failure);
        }
    }

    /// <summary>Writes a new configuration file and sends SIGHUP. The caller waits for the effect it expects.</summary>
    public async Task ReloadAsync(IReadOnlyDictionary<string, string> changes)
    {
        var lines = (await File.ReadAllLinesAsync(ConfigFile)).Where(line => !changes.ContainsKey(line.Split('=')[0].Trim()));
        await File.WriteAllLinesAsync(ConfigFile, lines.Concat(changes.Select(Line)));
        Send(Signal.Hangup);
    }

    /// <summary>Sends a signal.</summary>
    public void Send(Signal signal) => Signals.Send(Pid, signal);

    /// <summary>Ends it without a chance to clean up; disposing does not complain about it afterwards.</summary>
    public async Task KillAsync()
    {
        _killed = true;
        Send(Signal.Kill);
        await Eventually.DoneAsync(_process.WaitForExitAsync(), "the end of the killed router");
    }

    /// <summary>Returns the exit code when it has ended because the test told it to in another way; disposing does not complain about it.</summary>
    public async Task<int> EndedAsync()
    {
        await Eventually.DoneAsync(_process.WaitForExitAsync(), "the end of the router");
        _killed = true;
        return _process.ExitCode;
    }

    /// <summary>Sends SIGTERM and returns the exit code.</summary>
    public async Task<int> TerminateAsync(TimeSpan? deadline = null)
    {
        Send(Signal.Terminate);
        await Eventually.DoneAsync(_process.WaitForExitAsync(), "the end of the router after SIGTERM", deadline);
        return _process.ExitCode;
    }

    /// <summary>Returns when a line of the log contains the text.</summary>
    public Task WaitForLogAsync(string text, TimeSpan? deadline = null) =>
        Eventually.TrueAsync(() => _log.Any(line => line.Contains(text, StringComparison.Ordinal)), $"a log line with: {text}", deadline);

    /// <summary>The last lines of the log, for messages.</summary>
    public string LogTail(int lines = LogLinesShown) => string.Join('\n', _log.TakeLast(lines));

    /// <summary>A connection string of Npgsql through the router.</summary>
    public string ConnectionString(string database = "postgres", string user = "postgres", string password = "postgres") =>
        $"Host={Endpoint.Host};Port={Endpoint.Port};Database={database};Username={user};Password={password};Pooling=false;Timeout=15";

    /// <summary>Stops it and removes its directory.</summary>
    /// <exception cref="TestBedException">It had ended by itself, or ended with another exit code than zero; carries its log.</exception>
    public async ValueTask DisposeAsync()
    {
        var endedByItself = !IsRunning && !_killed;
        try
        {
            var code = IsRunning ? await TerminateAsync() : _process.ExitCode;
            if (!_killed && (endedByItself || code != 0))
                throw new TestBedException($"The router ended with exit code {code}{(endedByItself ? " by itself" : "")}:\n{LogTail()}");
        }
        catch (TimeoutException stuck)
        {
            await KillAsync();
            throw new TestBedException($"{stuck.Message}\n{LogTail()}", stuck);
        }
        finally
        {
            _process.Dispose();
            Directory.Delete(DirectoryPath, recursive: true);
        }
    }

    private static RouterProcessFixture Launch(string config, string directory, int port)
    {
        var log = new ConcurrentQueue<string>();
        var process = new Process
        {
            StartInfo = new ProcessStartInfo(ExecutablePath(), ["-f", config])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                WorkingDirectory = directory,
            },
        };
        if (TestIo.Choice.Length > 0)
            process.StartInfo.Environment["PGROUTER__pgrouter__io"] = TestIo.Choice;
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return new RouterProcessFixture(process, log, directory, port);

        void Keep(string? line)
        {
            if (line is not null)
                log.Enqueue(line);
        }
    }

    private async Task<bool> AcceptsOrEndedAsync()
    {
        if (!IsRunning)
            return true;
        try
        {
            await using var probe = await RawClient.ConnectAsync(Endpoint);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static Dictionary<string, string> DefaultSettings(IReadOnlyList<Endpoint> backends, string directory, int port)
    {
        var settings = new Dictionary<string, string>
        {
            ["listen_addresses"] = "127.0.0.1",
            ["port"] = port.ToString(CultureInfo.InvariantCulture),
            ["unix_socket_directories"] = directory,
            ["load_balance_mode"] = "on",
            ["sr_check_user"] = PgCluster.Superuser,
            ["sr_check_password"] = PgCluster.Superuser,
            ["sr_check_database"] = "postgres",
            ["sr_check_period"] = "1",
            ["health_check_user"] = PgCluster.Superuser,
            ["health_check_password"] = PgCluster.Superuser,
            ["health_check_period"] = "1",
            // All tests come from one address.
            ["pgrouter.max_login_failures"] = "0",
        };
        for (var index = 0; index < backends.Count; index++)
        {
            settings[$"backend_hostname{index}"] = backends[index].Host;
            settings[$"backend_port{index}"] = backends[index].Port.ToString(CultureInfo.InvariantCulture);
            settings[$"backend_weight{index}"] = "1";
        }

        return settings;
    }

    private static Task WriteConfigAsync(string path, Dictionary<string, string> settings) =>
        File.WriteAllLinesAsync(path, settings.Select(Line), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));

    private static string Line(KeyValuePair<string, string> setting) => $"{setting.Key} = '{setting.Value.Replace("'", "''")}'";
}
