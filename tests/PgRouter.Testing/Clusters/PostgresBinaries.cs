using System.Globalization;
using System.Runtime.InteropServices;
using PgRouter.Testing.Processes;

namespace PgRouter.Testing.Clusters;

/// <summary>The PostgreSQL programs of this machine and how to run them: never as root, which they refuse.</summary>
public sealed class PostgresBinaries
{
    private const string DebianRoot = "/usr/lib/postgresql";
    private const string Account = "postgres";

    private PostgresBinaries(string directory) => Directory = directory;

    /// <summary>The directory that holds initdb, postgres, pg_ctl and the others.</summary>
    public string Directory { get; }

    /// <summary>Whether the programs run as the system user postgres, because this process is root.</summary>
    public static bool RunsAsPostgresAccount { get; } = GetEffectiveUserId() == 0;

    /// <summary>The newest PostgreSQL below /usr/lib/postgresql, else the one pg_config names.</summary>
    /// <exception cref="TestBedException">There is none; says how to install it.</exception>
    public static async Task<PostgresBinaries> FindAsync()
    {
        var debian = !System.IO.Directory.Exists(DebianRoot)
            ? null
            : System.IO.Directory.EnumerateDirectories(DebianRoot)
                .Select(path => Path.Combine(path, "bin"))
                .Where(HoldsServer)
                .MaxBy(bin => VersionOf(Path.GetFileName(Path.GetDirectoryName(bin)!)));
        if (debian is not null)
            return new PostgresBinaries(debian);

        var asked = await PgConfigDirectoryAsync();
        return asked is not null && HoldsServer(asked)
            ? new PostgresBinaries(asked)
            : throw new TestBedException("No PostgreSQL server programs found: run scripts/install-deps.sh, or put pg_config on the PATH.");
    }

    /// <summary>The full path of one program.</summary>
    public string PathOf(string program) => Path.Combine(Directory, program);

    /// <summary>Runs a program that must succeed, as the account that owns the data; returns its standard output.</summary>
    /// <exception cref="TestBedException">It failed; carries what it printed.</exception>
    public Task<string> RunAsync(string program, params string[] arguments)
    {
        if (!RunsAsPostgresAccount)
            return Command.RequireAsync(PathOf(program), arguments);

        string[] asPostgres = [$"--reuid={Account}", $"--regid={Account}", "--init-groups", PathOf(program), .. arguments];
        return Command.RequireAsync("setpriv", asPostgres, new Dictionary<string, string> { ["HOME"] = "/tmp" });
    }

    /// <summary>Gives a directory and all in it to the account that runs the servers.</summary>
    public static Task GiveAsync(string path) =>
        RunsAsPostgresAccount ? Command.RequireAsync("chown", ["-R", $"{Account}:", path]) : Task.CompletedTask;

    private static bool HoldsServer(string directory) =>
        File.Exists(Path.Combine(directory, "initdb")) && File.Exists(Path.Combine(directory, "postgres"));

    private static double VersionOf(string name) =>
        double.TryParse(name, NumberStyles.Float, CultureInfo.InvariantCulture, out var version) ? version : 0;

    private static async Task<string?> PgConfigDirectoryAsync()
    {
        try
        {
            return (await Command.RequireAsync("pg_config", ["--bindir"])).Trim();
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    [DllImport("libc", EntryPoint = "geteuid")]
    private static extern uint GetEffectiveUserId();
}
