using System.Runtime.InteropServices;

namespace PgRouter.Core.Hosting;

/// <summary>A signal to the own process. Source: kill(2).</summary>
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

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);
}
