using System.Runtime.InteropServices;

namespace PgRouter.Core.Hosting;

/// <summary>Signals to the own process. Source: kill(2), signal(2).</summary>
internal static partial class ProcessSignal
{
    public const int Interrupt = 2;
    public const int Quit = 3;
    public const int Terminate = 15;

    public static void Send(int signal)
    {
        if (Kill(Environment.ProcessId, signal) < 0)
            throw new InvalidOperationException($"kill: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    /// <summary>
    /// A shell without job control starts what it puts in the background with SIGINT and SIGQUIT ignored, and .NET leaves it so; but here they
    /// mean fast and immediate stop. To be called before anything asks .NET for signals.
    /// </summary>
    public static void HeedThemAll()
    {
        Disposition(Interrupt, DefaultAction);
        Disposition(Quit, DefaultAction);
    }

    private const nint DefaultAction = 0;

    [LibraryImport("libc", EntryPoint = "signal", SetLastError = true)]
    private static partial nint Disposition(int signal, nint action);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);
}
