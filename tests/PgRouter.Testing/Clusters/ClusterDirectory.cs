using System.Globalization;
using System.Runtime.InteropServices;
using PgRouter.Testing.Processes;

namespace PgRouter.Testing.Clusters;

/// <summary>
/// The temporary directory of one cluster, which lives no longer than the test process: removed when it is disposed, when the
/// process ends or is asked to end, and by the next run when this one was killed.
/// </summary>
internal sealed class ClusterDirectory
{
    private const string Prefix = "pgrouter-test-";
    private const string OwnerFile = "owner.pid";

    private static readonly HashSet<ClusterDirectory> Live = [];

    // Held for as long as the process runs; disposing a registration would give the signal back to the runtime.
    private static readonly IReadOnlyList<PosixSignalRegistration> EndSignals = RegisterEndSignals();

    private ClusterDirectory(string path) => Path = path;

    public string Path { get; }

    public static async Task<ClusterDirectory> CreateAsync()
    {
        GC.KeepAlive(EndSignals);
        SweepDeadRuns();
        var id = Environment.ProcessId;
        var suffix = Convert.ToHexStringLower(Guid.NewGuid().ToByteArray().AsSpan(0, 4));
        var path = System.IO.Path.Combine("/tmp", $"{Prefix}{id}-{suffix}");
        System.IO.Directory.CreateDirectory(System.IO.Path.Combine(path, "s"));
        await File.WriteAllTextAsync(System.IO.Path.Combine(path, OwnerFile), Signals.StartTimeOf(id));
        await PostgresBinaries.GiveAsync(path);
        var created = new ClusterDirectory(path);
        lock (Live)
            Live.Add(created);
        return created;
    }

    /// <summary>Kills every process that works in the directory and removes it. Does nothing the second time.</summary>
    public void Remove()
    {
        lock (Live)
        {
            if (!Live.Remove(this))
                return;
        }

        Remove(Path);
    }

    private static void Remove(string path)
    {
        // A postmaster may fork between the look and the kill, so look again until nothing is left.
        for (var left = Signals.WorkingUnder(path); left.Count > 0; left = Signals.WorkingUnder(path))
        {
            foreach (var id in left)
                Signals.Send(id, Signal.Kill);
            Thread.Yield();
        }

        System.IO.Directory.Delete(path, recursive: true);
    }

    private static void SweepDeadRuns()
    {
        foreach (var path in System.IO.Directory.EnumerateDirectories("/tmp", Prefix + "*"))
        {
            try
            {
                if (!OwnerRuns(path))
                    Remove(path);
            }
            catch (Exception others) when (others is IOException or UnauthorizedAccessException)
            {
                // Another user's run, or one that another process sweeps at this moment: not ours to remove.
                Console.Error.WriteLine($"left {path} in place: {others.Message}");
            }
        }
    }

    private static bool OwnerRuns(string path)
    {
        var name = System.IO.Path.GetFileName(path)[Prefix.Length..];
        if (!int.TryParse(name.Split('-')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var id) || !Signals.IsAlive(id))
            return false;
        var owner = System.IO.Path.Combine(path, OwnerFile);
        // No owner file yet: a live process with that id is just making the directory.
        return !File.Exists(owner) || File.ReadAllText(owner) == Signals.StartTimeOf(id);
    }

    private static List<PosixSignalRegistration> RegisterEndSignals()
    {
        AppDomain.CurrentDomain.ProcessExit += (_, _) => RemoveAll();
        // .NET 10 installs no handler for SIGTERM and SIGHUP of its own, so ProcessExit alone would miss them.
        return [.. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP }
            .Select(signal => PosixSignalRegistration.Create(signal, _ => RemoveAll()))];
    }

    private static void RemoveAll()
    {
        ClusterDirectory[] all;
        lock (Live)
            all = [.. Live];
        foreach (var directory in all)
            directory.Remove();
    }
}
