using System.ComponentModel;
using System.Runtime.InteropServices;

namespace PgRouter.Server.Processes;

/// <summary>Sends a signal to a process.</summary>
internal interface ISignalSender
{
    /// <summary>Throws <see cref="Win32Exception"/> with errno when the signal cannot be sent.</summary>
    void Send(int pid, PosixSignal signal);
}

/// <summary>kill(2).</summary>
internal sealed class SignalSender : ISignalSender
{
    public void Send(int pid, PosixSignal signal)
    {
        if (Kill(pid, Number(signal)) != 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError());
    }

    /// <summary>The numbers of signal(7); the values of <see cref="PosixSignal"/> are negative stand-ins.</summary>
    private static int Number(PosixSignal signal) => signal switch
    {
        PosixSignal.SIGHUP => 1,
        PosixSignal.SIGINT => 2,
        PosixSignal.SIGQUIT => 3,
        PosixSignal.SIGTERM => 15,
        _ => throw new ArgumentOutOfRangeException(nameof(signal), signal, "Only HUP, INT, QUIT and TERM are sent."),
    };

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static extern int Kill(int pid, int signal);
}
