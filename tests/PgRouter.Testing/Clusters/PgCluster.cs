using System.Globalization;
using Npgsql;
using PgRouter.Testing.Processes;

namespace PgRouter.Testing.Clusters;

/// <summary>
/// A real PostgreSQL primary with streaming standbys on free ports of 127.0.0.1, in a temporary directory of its own. Superuser
/// <c>postgres</c>, password <c>postgres</c>. One caller at a time changes the cluster; reading and SQL are thread-safe.
/// </summary>
public sealed class PgCluster : IAsyncDisposable
{
    /// <summary>The superuser's name and password.</summary>
    public const string Superuser = "postgres";

    private readonly PostgresBinaries _binaries;
    private readonly ClusterDirectory _directory;
    private readonly NodeFiles _files;

    private PgCluster(PgClusterOptions options, PostgresBinaries binaries, ClusterDirectory directory)
    {
        Options = options;
        _binaries = binaries;
        _directory = directory;
        _files = new NodeFiles(options);
        Nodes = [.. Enumerable.Range(0, options.Standbys + 1).Select(index => new PgNode(index, directory.Path))];
    }

    /// <summary>What the cluster was asked to be.</summary>
    public PgClusterOptions Options { get; }

    /// <summary>All nodes; the first one starts as primary.</summary>
    public IReadOnlyList<PgNode> Nodes { get; }

    /// <summary>The directory that holds everything of the cluster.</summary>
    public string DirectoryPath => _directory.Path;

    /// <summary>The programs it was made with, for psql, pgbench and the like.</summary>
    public PostgresBinaries Binaries => _binaries;

    /// <summary>Makes and starts a cluster; returns when all standbys stream.</summary>
    /// <exception cref="TestBedException">A program failed; the message carries its output and the servers' logs.</exception>
    public static async Task<PgCluster> StartAsync(PgClusterOptions? options = null)
    {
        var binaries = await PostgresBinaries.FindAsync();
        var directory = await ClusterDirectory.CreateAsync();
        var cluster = new PgCluster(options ?? new PgClusterOptions(), binaries, directory);
        try
        {
            await cluster.MakePrimaryAsync();
            for (var index = 1; index < cluster.Nodes.Count; index++)
                await cluster.MakeStandbyAsync(cluster.Nodes[index], cluster.Nodes[0]);
            await cluster.WaitForReplayAsync();
            return cluster;
        }
        catch (Exception failure)
        {
            var logs = cluster.KeepLogs();
            directory.Remove();
            throw new TestBedException($"The test cluster did not start: {failure.Message}\n{logs}", failure);
        }
    }

    /// <summary>An Npgsql connection string for one node, over TCP and without client-side pooling.</summary>
    public string ConnectionString(int node, string database = "postgres", string user = Superuser, string? password = Superuser) =>
        Connection(Nodes[node], Nodes[node].Host, database, user, password);

    /// <summary>Runs statements on one node as superuser, over the Unix socket, which pg_hba always trusts.</summary>
    public async Task ExecuteAsync(int node, string sql, string database = "postgres")
    {
        await using var connection = await OpenAsync(node, database);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Runs one query on one node as superuser and returns its first value, or default when it is null or absent.</summary>
    public async Task<T?> ScalarAsync<T>(int node, string sql, string database = "postgres")
    {
        await using var connection = await OpenAsync(node, database);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync() is T value ? value : default;
    }

    /// <summary>Stops a node in order; returns when its postmaster is gone.</summary>
    public async Task StopNodeAsync(int node, StopMode mode = StopMode.Fast)
    {
        var word = mode == StopMode.Fast ? "fast" : "immediate";
        await _binaries.RunAsync("pg_ctl", "stop", "-D", Nodes[node].DataDirectory, "-m", word, "-w", "-t", "60");
    }

    /// <summary>Kills the postmaster and all its children with SIGKILL, as a crash of the machine would.</summary>
    public Task KillNodeAsync(int node)
    {
        var directory = Nodes[node].DataDirectory;
        return Eventually.TrueAsync(
            () =>
            {
                var left = Signals.WorkingUnder(directory);
                foreach (var id in left)
                    Signals.Send(id, Signal.Kill);
                return left.Count == 0;
            },
            $"the death of {Nodes[node]}");
    }

    /// <summary>Starts a stopped or killed node; returns when it accepts connections.</summary>
    public async Task StartNodeAsync(int node)
    {
        var target = Nodes[node];
        // A killed postmaster may stay a zombie, whose id still looks taken to PostgreSQL's check of its two lock files.
        if (target.Pid is null)
        {
            File.Delete(target.PidFile);
            File.Delete(target.SocketPath + ".lock");
        }

        try
        {
            await _binaries.RunAsync("pg_ctl", "start", "-D", target.DataDirectory, "-l", target.LogFile, "-w", "-t", "60");
        }
        catch (TestBedException failure)
        {
            throw new TestBedException($"{target} did not start: {failure.Message}\n{target.LogTail()}", failure);
        }
    }

    /// <summary>Stops and starts a node.</summary>
    public async Task RestartNodeAsync(int node)
    {
        await StopNodeAsync(node);
        await StartNodeAsync(node);
    }

    /// <summary>Freezes all processes of a node: connections stay open and new ones are accepted by the kernel, nothing answers.</summary>
    public void PauseProcess(int node) => SignalAll(node, Signal.Stop);

    /// <summary>Lets a frozen node go on.</summary>
    public void ResumeProcess(int node) => SignalAll(node, Signal.Continue);

    /// <summary>Makes a standby a primary; returns when it accepts writes. The old primary is left as it is.</summary>
    public async Task PromoteAsync(int node)
    {
        await _binaries.RunAsync("pg_ctl", "promote", "-D", Nodes[node].DataDirectory, "-w", "-t", "60");
        await Eventually.TrueAsync(async () => !await IsStandbyAsync(node), $"the end of recovery of {Nodes[node]}");
    }

    /// <summary>Whether the node is in recovery.</summary>
    public Task<bool> IsStandbyAsync(int node) => ScalarAsync<bool>(node, "SELECT pg_is_in_recovery()");

    /// <summary>Stops replay on a standby: it receives WAL, shows nothing of it.</summary>
    public async Task PauseReplayAsync(int node)
    {
        await ExecuteAsync(node, "SELECT pg_wal_replay_pause()");
        await Eventually.TrueAsync(
            async () => await ScalarAsync<string>(node, "SELECT pg_get_wal_replay_pause_state()") == "paused",
            $"the pause of replay on {Nodes[node]}");
    }

    /// <summary>Lets replay go on.</summary>
    public Task ResumeReplayAsync(int node) => ExecuteAsync(node, "SELECT pg_wal_replay_resume()");

    /// <summary>Returns when every running standby has replayed what the primary has written until now.</summary>
    public async Task WaitForReplayAsync(int primary = 0, TimeSpan? deadline = null)
    {
        // A record of our own gives a position that replay surely reaches: the current insert position may lie behind a page header
        // that no standby sees before the next record. Its commit flushes everything before it.
        var position = await ScalarAsync<string>(primary, "SELECT pg_logical_emit_message(true, 'testbed', '')::text");
        foreach (var node in Nodes.Where(node => node.Index != primary && node.Pid is not null))
        {
            if (!await IsStandbyAsync(node.Index))
                continue;
            await Eventually.TrueAsync(
                () => ScalarAsync<bool>(node.Index, $"SELECT pg_last_wal_replay_lsn() >= '{position}'::pg_lsn"),
                $"replay of {position} on {node}",
                deadline);
        }
    }

    /// <summary>
    /// Makes a node a streaming standby of another one: by pg_rewind when the cluster writes full pages and the node stopped in order,
    /// else from a new base backup. The node may run or not.
    /// </summary>
    public async Task RewindOrRebuildAsStandbyAsync(int node, int ofNode)
    {
        var (target, source) = (Nodes[node], Nodes[ofNode]);
        if (!Options.FullPageWrites || !await TryRewindAsync(target, source))
        {
            await KillNodeAsync(node);
            Directory.Delete(target.DataDirectory, recursive: true);
            await MakeStandbyAsync(target, source);
        }

        await WaitForReplayAsync(ofNode);
    }

    /// <summary>
    /// Changes the pg_hba method for TCP clients on all running nodes and stores the superuser's password in the form the method
    /// needs. New connections see it at once.
    /// </summary>
    /// <param name="method">trust, password, md5, scram-sha-256 or reject.</param>
    /// <param name="primary">The node that accepts writes now.</param>
    public async Task SetAuthenticationAsync(string method, int primary = 0)
    {
        var encryption = method == "md5" ? "md5" : "scram-sha-256";
        await CreateOrAlterRoleAsync(Superuser, Superuser, encryption, primary);
        foreach (var node in Nodes.Where(node => Directory.Exists(node.DataDirectory)))
        {
            _files.WriteHba(node, method);
            if (node.Pid is not null)
                await ReloadAsync(node);
        }
    }

    /// <summary>Writes the pg_hba.conf of one node as it is given. New connections see it at once.</summary>
    public async Task WriteHbaAsync(int node, string text)
    {
        await File.WriteAllTextAsync(Path.Combine(Nodes[node].DataDirectory, "pg_hba.conf"), text);
        await ReloadAsync(Nodes[node]);
    }

    /// <summary>Turns TLS on at one node, with these files in PEM; clients are asked for certificates of the authority.</summary>
    public async Task UseTlsAsync(int node, string certificate, string key, string authority)
    {
        foreach (var (name, text) in new[] { ("server.crt", certificate), ("server.key", key), ("root.crt", authority) })
        {
            var path = Path.Combine(Nodes[node].DataDirectory, name);
            await File.WriteAllTextAsync(path, text);
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            await PostgresBinaries.GiveAsync(path);
        }
        await ExecuteAsync(node, "ALTER SYSTEM SET ssl_ca_file = 'root.crt'");
        await ExecuteAsync(node, "ALTER SYSTEM SET ssl = on");
        await ReloadAsync(Nodes[node]);
        if (await ScalarAsync<string>(node, "SHOW ssl") != "on")
            throw new TestBedException($"{Nodes[node]} did not turn TLS on:\n{Nodes[node].LogTail()}");
    }

    /// <summary>Makes a login role, or changes its password; returns when the standbys know it.</summary>
    public async Task CreateOrAlterRoleAsync(string name, string password, string encryption = "scram-sha-256", int primary = 0)
    {
        var (role, secret) = (name.Replace("\"", "\"\""), password.Replace("'", "''"));
        var exists = await ScalarAsync<bool>(primary, $"SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name.Replace("'", "''")}')");
        var verb = exists ? "ALTER" : "CREATE";
        await ExecuteAsync(primary, $"SET password_encryption = '{encryption}'; {verb} ROLE \"{role}\" LOGIN PASSWORD '{secret}'");
        await WaitForReplayAsync(primary);
    }

    /// <summary>Copies the servers' logs to a directory that outlives the cluster and returns a text with its path and their tails.</summary>
    public string KeepLogs()
    {
        var kept = Directory.CreateTempSubdirectory("pgrouter-logs-").FullName;
        var report = new System.Text.StringBuilder($"Server logs are kept in {kept}\n");
        foreach (var node in Nodes.Where(node => File.Exists(node.LogFile)))
        {
            File.Copy(node.LogFile, Path.Combine(kept, Path.GetFileName(node.LogFile)));
            report.Append(CultureInfo.InvariantCulture, $"--- {node}\n{node.LogTail()}\n");
        }

        return report.ToString();
    }

    /// <summary>Kills all nodes and removes the directory. Does nothing the second time.</summary>
    public ValueTask DisposeAsync()
    {
        _directory.Remove();
        return ValueTask.CompletedTask;
    }

    private async Task MakePrimaryAsync()
    {
        var node = Nodes[0];
        var passwordFile = Path.Combine(DirectoryPath, "password");
        await File.WriteAllTextAsync(passwordFile, Superuser + "\n");
        await _binaries.RunAsync(
            "initdb", "-D", node.DataDirectory, "-U", Superuser, $"--pwfile={passwordFile}", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N");
        _files.WriteSettings(node);
        _files.WriteHba(node, "trust");
        await StartNodeAsync(0);
        if (Options.AuthenticationMethod != "trust")
            await SetAuthenticationAsync(Options.AuthenticationMethod);
    }

    private async Task MakeStandbyAsync(PgNode node, PgNode source)
    {
        await _binaries.RunAsync("pg_basebackup", "-D", node.DataDirectory, "-R", "-X", "stream", "-c", "fast", "-N", "-d", SourceOf(node, source));
        _files.WriteSettings(node);
        await StartNodeAsync(node.Index);
    }

    private async Task<bool> TryRewindAsync(PgNode target, PgNode source)
    {
        if (target.Pid is not null)
            await StopNodeAsync(target.Index);
        try
        {
            await _binaries.RunAsync(
                "pg_rewind", "-D", target.DataDirectory, "-R", "-N", "--source-server", SourceOf(target, source) + " dbname=postgres");
        }
        catch (TestBedException refused)
        {
            Console.Error.WriteLine($"pg_rewind refused {target}, a base backup follows: {refused.Message}");
            return false;
        }

        // pg_rewind copies the source's configuration files as well.
        _files.WriteSettings(target);
        await StartNodeAsync(target.Index);
        return true;
    }

    private static string SourceOf(PgNode standby, PgNode source) =>
        $"host={source.SocketDirectory} port={source.Port} user={Superuser} application_name={standby.ApplicationName}";

    // A reload is a signal to the postmaster; the time of the last load tells when the new files are in force.
    private async Task ReloadAsync(PgNode node)
    {
        const string Loaded = "SELECT pg_conf_load_time()::text";
        var before = await ScalarAsync<string>(node.Index, Loaded);
        await ExecuteAsync(node.Index, "SELECT pg_reload_conf()");
        await Eventually.TrueAsync(async () => await ScalarAsync<string>(node.Index, Loaded) != before, $"the reload of {node}");
    }

    private void SignalAll(int node, Signal signal)
    {
        // The postmaster first: it must not fork while its children are signalled.
        if (Nodes[node].Pid is { } postmaster)
            Signals.Send(postmaster, signal);
        foreach (var id in Signals.WorkingUnder(Nodes[node].DataDirectory))
            Signals.Send(id, signal);
    }

    private async Task<NpgsqlConnection> OpenAsync(int node, string database)
    {
        var connection = new NpgsqlConnection(Connection(Nodes[node], Nodes[node].SocketDirectory, database, Superuser, Superuser));
        await connection.OpenAsync();
        return connection;
    }

    private static string Connection(PgNode node, string host, string database, string user, string? password) =>
        new NpgsqlConnectionStringBuilder
        {
            Host = host,
            Port = node.Port,
            Database = database,
            Username = user,
            Password = password,
            Pooling = false,
            Timeout = 15,
        }.ConnectionString;
}
