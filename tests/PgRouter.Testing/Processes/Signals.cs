using System.Globalization;
using System.Runtime.InteropServices;

namespace PgRouter.Testing.Processes;

/// <summary>The signals the test bed sends, with their Linux numbers.</summary>
public enum Signal
{
    /// <summary>Re-read the configuration.</summary>
    Hangup = 1,

    /// <summary>Interrupt from the terminal; PostgreSQL's fast shutdown.</summary>
    Interrupt = 2,

    /// <summary>PostgreSQL's immediate shutdown.</summary>
    Quit = 3,

    /// <summary>The end without a chance to clean up.</summary>
    Kill = 9,

    /// <summary>A polite request to end.</summary>
    Terminate = 15,

    /// <summary>Go on after <see cref="Stop"/>.</summary>
    Continue = 18,

    /// <summary>Freeze: sockets stay open, nothing answers.</summary>
    Stop = 19,
}

/// <summary>Signals and the process table of Linux. All members are thread-safe.</summary>
public static class Signals
{
    /// <summary>Sends <paramref name="signal"/>; false when the process is gone or not ours.</summary>
    public static bool Send(int processId, Signal signal) => Kill(processId, (int)signal) == 0;

    /// <summary>Whether the process runs. A zombie counts as dead: a container whose first process does not reap keeps it forever.</summary>
    public static bool IsAlive(int processId) => StateOf(processId) is not (null or 'Z' or 'X');

    /// <summary>The processes whose working directory is <paramref name="directory"/> or lies below it.</summary>
    /// <remarks>
    /// A postmaster and all its children work in the data directory, also after the postmaster has died and its children have
    /// another parent: that makes the directory a better key than the process tree.
    /// </remarks>
    public static IReadOnlyList<int> WorkingUnder(string directory)
    {
        var found = new List<int>();
        foreach (var entry in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(entry), NumberStyles.None, CultureInfo.InvariantCulture, out var id))
                continue;
            var cwd = WorkingDirectoryOf(id);
            var inside = cwd == directory || (cwd?.StartsWith(directory + "/", StringComparison.Ordinal) ?? false);
            if (inside && IsAlive(id))
                found.Add(id);
        }

        return found;
    }

    /// <summary>A text that names this incarnation of a process id: its start time in clock ticks since boot; null when it is gone.</summary>
    public static string? StartTimeOf(int processId) => StatFieldsOf(processId)?[19];

    private static string? WorkingDirectoryOf(int processId)
    {
        try
        {
            return new FileInfo($"/proc/{processId}/cwd").LinkTarget;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static char? StateOf(int processId) => StatFieldsOf(processId)?[0][0];

    // proc(5): the command name is in parentheses and may itself hold spaces and parentheses, so fields count from the last one.
    private static string[]? StatFieldsOf(int processId)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{processId}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return null;
        }
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static extern int Kill(int processId, int signal);
}
