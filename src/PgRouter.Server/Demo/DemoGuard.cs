using System.Diagnostics;

namespace PgRouter.Server.Demo;

/// <summary>
/// Ends the servers and removes the data when the demonstration ends, however it ends. A shell in a session of its own waits at a pipe that
/// the kernel closes together with this process: one way to clean up for Ctrl-C, an error and a kill -9 alike.
/// </summary>
internal sealed class DemoGuard : IAsyncDisposable
{
    /// <summary>
    /// $1 = directory of the demonstration, $2 = directory of PostgreSQL's programs. A server and all its children work in the data
    /// directory, also one that the user has started again. SIGQUIT is PostgreSQL's immediate shutdown, which gives back shared memory.
    /// </summary>
    private const string Script =
        """
        trap '' HUP INT QUIT TERM
        read -r word
        [ "$word" = keep ] && exit 0
        servers() {
            for process in /proc/[0-9]*; do
                case "$(readlink "$process/cwd")" in "$1"|"$1"/*) ;; *) continue ;; esac
                case "$(readlink "$process/exe")" in "$2"/*) echo "${process#/proc/}" ;; esac
            done
        }
        programs=$(readlink -f "$2")
        tries=0
        while left=$(servers "$1" "$programs"); [ -n "$left" ]; do
            tries=$((tries + 1))
            case $tries in 1) signal=QUIT ;; 100) signal=KILL ;; *) signal=0 ;; esac
            kill -$signal $left 2>/dev/null
            sleep 0.1
        done
        rm -rf "$1"
        """;

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private readonly Process _shell;

    private DemoGuard(Process shell) => _shell = shell;

    /// <summary>Starts to watch over a directory that is there already.</summary>
    public static DemoGuard Start(string directory, PostgresPrograms programs)
    {
        var start = new ProcessStartInfo("setsid", ["sh", "-c", Script, "pgrouter-demo", directory, programs.Directory])
        {
            WorkingDirectory = "/",
            RedirectStandardInput = true,
        };
        return new DemoGuard(Process.Start(start)!);
    }

    /// <summary>Leaves servers and data as they are.</summary>
    public async Task KeepAsync()
    {
        await _shell.StandardInput.WriteLineAsync("keep").ConfigureAwait(false);
        await _shell.StandardInput.FlushAsync().ConfigureAwait(false);
    }

    /// <summary>Has everything removed and waits for it.</summary>
    /// <exception cref="DemoException">It did not come to an end.</exception>
    public async ValueTask DisposeAsync()
    {
        using var limit = new CancellationTokenSource(Deadline);
        using (_shell)
        {
            _shell.StandardInput.Close();
            try
            {
                await _shell.WaitForExitAsync(limit.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                throw new DemoException($"the servers did not end within {Deadline.TotalSeconds} s; look at the processes of PostgreSQL");
            }
        }
    }
}
