using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace PgRouter.Server.Demo;

/// <summary>PostgreSQL's programs on this machine. They refuse to run as root, so then they run as the system user postgres.</summary>
internal sealed class PostgresPrograms
{
    private const string DebianRoot = "/usr/lib/postgresql";
    private static readonly string[] Needed = ["initdb", "pg_basebackup", "pg_ctl", "postgres", "psql"];
    private static readonly string[] AsPostgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"];

    private PostgresPrograms(string directory) => Directory = directory;

    /// <summary>Where initdb, pg_ctl and the others are.</summary>
    public string Directory { get; }

    /// <summary>Whether this process is root.</summary>
    public static bool IsRoot { get; } = GetEffectiveUserId() == 0;

    /// <summary>The newest PostgreSQL below /usr/lib/postgresql, else the first in PATH that has all programs.</summary>
    /// <exception cref="DemoException">There is none.</exception>
    public static PostgresPrograms Find(string searchPath)
    {
        var debian = System.IO.Directory.Exists(DebianRoot)
            ? System.IO.Directory.GetDirectories(DebianRoot).OrderByDescending(Version).Select(path => Path.Combine(path, "bin"))
            : [];
        var directory = debian.Concat(searchPath.Split(':', StringSplitOptions.RemoveEmptyEntries)).FirstOrDefault(HasAll);
        return directory is not null
            ? new PostgresPrograms(directory)
            : throw new DemoException(
                $"found no PostgreSQL with {string.Join(", ", Needed)} below {DebianRoot} or in PATH; run scripts/install-deps.sh");
    }

    /// <summary>The command as words, ready to run or to be typed.</summary>
    public string[] Command(string program, params string[] arguments)
    {
        var path = Path.Combine(Directory, program);
        return IsRoot ? [.. AsPostgres, path, .. arguments] : [path, .. arguments];
    }

    /// <summary>Runs a program in <paramref name="workingDirectory"/>; cancelling kills it.</summary>
    /// <exception cref="DemoException">It failed; the message carries what it printed.</exception>
    public Task RunAsync(string workingDirectory, CancellationToken cancellation, string program, params string[] arguments) =>
        RunAsync(Command(program, arguments), workingDirectory, cancellation);

    /// <summary>Gives a directory to the user that runs the servers.</summary>
    public static Task GiveAsync(string directory, CancellationToken cancellation) =>
        IsRoot ? RunAsync(["chown", "postgres:", directory], "/", cancellation) : Task.CompletedTask;

    private static async Task RunAsync(string[] command, string workingDirectory, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            WorkingDirectory = workingDirectory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // The environment may name another server, user or database for libpq.
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("PG", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var printed = Task.WhenAll(
            process.StandardOutput.ReadToEndAsync(cancellation), process.StandardError.ReadToEndAsync(cancellation));
        try
        {
            await process.WaitForExitAsync(cancellation).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
        if (process.ExitCode != 0)
            throw new DemoException($"{string.Join(' ', command)} failed:\n{string.Concat(await printed.ConfigureAwait(false))}");
    }

    private static bool HasAll(string directory) => Needed.All(program => File.Exists(Path.Combine(directory, program)));

    private static double Version(string path) =>
        double.TryParse(Path.GetFileName(path), NumberStyles.Float, CultureInfo.InvariantCulture, out var version) ? version : 0;

    [DllImport("libc", EntryPoint = "geteuid")]
    private static extern uint GetEffectiveUserId();
}
