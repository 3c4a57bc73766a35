namespace PgRouter.Server.Processes;

/// <summary>
/// Passwords and keys are in the memory of the process: what the kernel writes when it dies must not hold it. dotnet-dump, which somebody has to start, still
/// does. Source: core(5), /proc/PID/coredump_filter.
/// </summary>
internal static class CoreDumps
{
    /// <summary>Headers of the program's files, no memory.</summary>
    private const string HeadersOnly = "0x10";

    public static void LeaveMemoryOut()
    {
        try
        {
            File.WriteAllText("/proc/self/coredump_filter", HeadersOnly);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A kernel without core dumps (CONFIG_ELF_CORE) has no such file, and nothing to leave out.
            Console.Error.WriteLine($"pgrouter: core dumps cannot be limited: {e.Message}");
        }
    }
}
