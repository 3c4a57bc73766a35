using System.ComponentModel;
using System.Runtime.InteropServices;
using PgRouter.Core.Hosting;

namespace PgRouter.Server.Processes;

/// <summary>The router that runs in another process, found by its pid file and told what to do by signals.</summary>
internal sealed class RunningRouter(IReadOnlyList<string> pidFiles, ISignalSender signals, TextWriter output, TextWriter error)
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>Tells it to read its configuration again; what came of it stands in its log.</summary>
    public int Reload() => Send(PosixSignal.SIGHUP, "reload", out _);

    /// <summary>Tells it to stop and waits until its pid file is free.</summary>
    public async Task<int> StopAsync(StopMode mode, CancellationToken cancellationToken)
    {
        var code = Send(SignalOf(mode), "stop", out var pid);
        if (code != ExitCodes.Ok)
            return code;
        while (PidFile.FindRunning(pidFiles) == pid)
            await Task.Delay(PollInterval, cancellationToken).ConfigureAwait(false);
        output.WriteLine("done.");
        return ExitCodes.Ok;
    }

    /// <summary>pgpool's signals.</summary>
    public static PosixSignal SignalOf(StopMode mode) => mode switch
    {
        StopMode.Smart => PosixSignal.SIGTERM,
        StopMode.Fast => PosixSignal.SIGINT,
        _ => PosixSignal.SIGQUIT,
    };

    private int Send(PosixSignal signal, string verb, out int pid)
    {
        pid = PidFile.FindRunning(pidFiles) ?? 0;
        if (pid == 0)
        {
            error.WriteLine($"pgrouter: no router runs (looked at {string.Join(", ", pidFiles)}); name its configuration with -f");
            return ExitCodes.NotRunning;
        }
        try
        {
            signals.Send(pid, signal);
        }
        catch (Win32Exception e)
        {
            error.WriteLine($"pgrouter: cannot send {signal} to pid {pid}: {e.Message}");
            return ExitCodes.NotPermitted;
        }
        output.WriteLine($"{verb} request sent to pgrouter (pid: {pid}).");
        return ExitCodes.Ok;
    }
}
