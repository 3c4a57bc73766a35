using System.Globalization;
using PgRouter.Testing.Processes;

namespace PgRouter.Testing.Clusters;

/// <summary>One PostgreSQL server of a test cluster. Its place, port and name never change, its role may.</summary>
public sealed class PgNode
{
    internal PgNode(int index, string clusterDirectory)
    {
        Index = index;
        Port = FreePorts.Take();
        DataDirectory = Path.Combine(clusterDirectory, $"node{index}");
        LogFile = Path.Combine(clusterDirectory, $"node{index}.log");
        SocketDirectory = Path.Combine(clusterDirectory, "s");
        ApplicationName = $"standby{index}";
    }

    /// <summary>Position in <see cref="PgCluster.Nodes"/>; 0 is the first primary.</summary>
    public int Index { get; }

    /// <summary>The address the node listens on.</summary>
    public string Host => "127.0.0.1";

    /// <summary>TCP port, also the number in the Unix socket's name.</summary>
    public int Port { get; }

    /// <summary>Directory of the Unix socket, shared by all nodes of the cluster.</summary>
    public string SocketDirectory { get; }

    /// <summary>Path of the node's Unix socket.</summary>
    public string SocketPath => Path.Combine(SocketDirectory, $".s.PGSQL.{Port}");

    /// <summary>PGDATA.</summary>
    public string DataDirectory { get; }

    /// <summary>What the server logs.</summary>
    public string LogFile { get; }

    /// <summary>The name under which this node streams when it is a standby.</summary>
    public string ApplicationName { get; }

    /// <summary>Process id of the postmaster; null when it does not run.</summary>
    public int? Pid
    {
        get
        {
            var id = PidInFile();
            return id is { } running && Signals.IsAlive(running) ? running : null;
        }
    }

    internal string PidFile => Path.Combine(DataDirectory, "postmaster.pid");

    private int? PidInFile()
    {
        try
        {
            var first = File.ReadLines(PidFile).FirstOrDefault();
            return int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : null;
        }
        catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>The last lines of the server's log, for messages.</summary>
    public string LogTail(int lines = 30) =>
        File.Exists(LogFile) ? string.Join('\n', File.ReadLines(LogFile).TakeLast(lines)) : "(no log)";

    /// <inheritdoc/>
    public override string ToString() => $"node{Index} at {Host}:{Port}";
}
