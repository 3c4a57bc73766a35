namespace PgRouter.Server.CommandLine;

/// <summary>Which file is read when -f does not say.</summary>
internal static class ConfigPaths
{
    private static readonly string[] Defaults = ["/etc/pgrouter/pgpool.conf", "/etc/pgpool-II/pgpool.conf", "/etc/pgpool2/pgpool.conf"];

    /// <summary>The file of -f, else the first of the usual ones that is there, else null: the environment alone.</summary>
    public static string? Resolve(string? asked) => asked ?? Array.Find(Defaults, File.Exists);
}
