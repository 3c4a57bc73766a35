using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace PgRouter.Server.Demo;

/// <summary>
/// A primary and two streaming standbys on free ports of 127.0.0.1, in a temporary directory. No passwords: whoever is on this machine can
/// log in. Gone when disposed, unless kept.
/// </summary>
internal sealed class DemoCluster : IAsyncDisposable
{
    public const string User = "postgres";
    public const string Database = "demo";
    private const int NodeCount = 3;
    private const int FirstPort = 15432;
    private const int LastPort = 15999;

    private const string Sample =
        """
        CREATE TABLE city (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL);
        INSERT INTO city (name) VALUES ('Amsterdam'), ('Berlin'), ('Copenhagen');
        """;

    private readonly DemoGuard _guard;

    private DemoCluster(string directory, PostgresPrograms programs, DemoGuard guard)
    {
        (DirectoryPath, Programs, _guard) = (directory, programs, guard);
        Nodes = [.. FreePorts().Select((port, id) => new DemoNode(id, port, Path.Combine(directory, $"node{id}")))];
    }

    /// <summary>Holds everything of the demonstration.</summary>
    public string DirectoryPath { get; }

    public PostgresPrograms Programs { get; }

    /// <summary>The first one starts as primary.</summary>
    public IReadOnlyList<DemoNode> Nodes { get; }

    /// <summary>Makes and starts the servers; progress goes to <paramref name="output"/>.</summary>
    /// <exception cref="DemoException">A program is missing or failed.</exception>
    public static async Task<DemoCluster> StartAsync(PostgresPrograms programs, TextWriter output, CancellationToken cancellation)
    {
        var directory = Directory.CreateTempSubdirectory("pgrouter-demo-").FullName;
        var cluster = new DemoCluster(directory, programs, DemoGuard.Start(directory, programs));
        try
        {
            await PostgresPrograms.GiveAsync(directory, cancellation).ConfigureAwait(false);
            output.WriteLine($"Starting PostgreSQL ({programs.Directory}) in {directory}");
            await cluster.MakePrimaryAsync(cancellation).ConfigureAwait(false);
            foreach (var standby in cluster.Nodes.Skip(1))
                await cluster.MakeStandbyAsync(standby, cancellation).ConfigureAwait(false);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>The command that acts on a server, as one types it.</summary>
    public string Control(int id, string action) => string.Join(' ', Programs.Command("pg_ctl", "-D", Nodes[id].DataDirectory, action));

    /// <summary>How a standby reaches the server it follows (primary_conninfo).</summary>
    public static string SourceOf(DemoNode standby, DemoNode source) =>
        $"host=127.0.0.1 port={source.Port} user={User} application_name={standby.Name}";

    /// <summary>Servers and data survive the disposal.</summary>
    public Task KeepAsync() => _guard.KeepAsync();

    public ValueTask DisposeAsync() => _guard.DisposeAsync();

    private async Task MakePrimaryAsync(CancellationToken cancellation)
    {
        var node = Nodes[0];
        await RunAsync(cancellation, "initdb", "-D", node.DataDirectory, "-U", User, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
            .ConfigureAwait(false);
        AppendSettings(node, DemoNode.CommonSettings + node.OwnSettings);
        await StartAsync(node, cancellation).ConfigureAwait(false);
        await SqlAsync(node, "postgres", $"CREATE DATABASE {Database}", cancellation).ConfigureAwait(false);
        await SqlAsync(node, Database, Sample, cancellation).ConfigureAwait(false);
    }

    private async Task MakeStandbyAsync(DemoNode node, CancellationToken cancellation)
    {
        var source = SourceOf(node, Nodes[0]);
        await RunAsync(cancellation, "pg_basebackup", "-D", node.DataDirectory, "-R", "-X", "stream", "-c", "fast", "-N", "-d", source)
            .ConfigureAwait(false);
        AppendSettings(node, node.OwnSettings);
        await StartAsync(node, cancellation).ConfigureAwait(false);
    }

    private Task StartAsync(DemoNode node, CancellationToken cancellation) =>
        RunAsync(cancellation, "pg_ctl", "-D", node.DataDirectory, "-l", node.LogFile, "-w", "start");

    private Task SqlAsync(DemoNode node, string database, string sql, CancellationToken cancellation) => RunAsync(
        cancellation, "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p",
        node.Port.ToString(CultureInfo.InvariantCulture), "-U", User, "-c", sql, database);

    private Task RunAsync(CancellationToken cancellation, string program, params string[] arguments) =>
        Programs.RunAsync(DirectoryPath, cancellation, program, arguments);

    private static void AppendSettings(DemoNode node, string settings) =>
        File.AppendAllText(Path.Combine(node.DataDirectory, "postgresql.conf"), settings);

    /// <summary>Below the kernel's range for outgoing connections, so that none of those takes one before its server does.</summary>
    private static List<int> FreePorts()
    {
        var ports = Enumerable.Range(FirstPort, LastPort - FirstPort + 1).Where(IsFree).Take(NodeCount).ToList();
        return ports.Count == NodeCount
            ? ports
            : throw new DemoException($"found no {NodeCount} free ports from {FirstPort} to {LastPort} on 127.0.0.1");
    }

    /// <summary>Whether nobody listens on a port of 127.0.0.1.</summary>
    public static bool IsFree(int port)
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            probe.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
