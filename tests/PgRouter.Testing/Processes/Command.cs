using System.Diagnostics;
using System.Text;

namespace PgRouter.Testing.Processes;

/// <summary>What a finished command left behind.</summary>
/// <param name="ExitCode">Zero for success by convention.</param>
/// <param name="Output">Standard output.</param>
/// <param name="Error">Standard error.</param>
public sealed record CommandResult(int ExitCode, string Output, string Error);

/// <summary>Runs external commands to their end, with a deadline and without standard input.</summary>
public static class Command
{
    private static readonly TimeSpan DefaultDeadline = TimeSpan.FromSeconds(120);

    /// <summary>Runs a command and returns whatever it answered.</summary>
    /// <exception cref="TimeoutException">It ran longer than the deadline (and was killed).</exception>
    public static async Task<CommandResult> RunAsync(
        string file,
        IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string>? environment = null,
        string? input = null,
        TimeSpan? deadline = null)
    {
        var start = new ProcessStartInfo(file, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            WorkingDirectory = "/",
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;

        using var process = Process.Start(start) ?? throw new TestBedException($"Could not start {file}.");
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await FeedAsync(process, input);
        try
        {
            await Eventually.DoneAsync(process.WaitForExitAsync(), $"the end of {file}", deadline ?? DefaultDeadline);
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        return new CommandResult(process.ExitCode, await output, await error);
    }

    /// <summary>Runs a command that must succeed and returns its standard output.</summary>
    /// <exception cref="TestBedException">It ended with another exit code than zero; carries what it printed.</exception>
    public static async Task<string> RequireAsync(
        string file,
        IReadOnlyList<string> arguments,
        IReadOnlyDictionary<string, string>? environment = null,
        TimeSpan? deadline = null)
    {
        var result = await RunAsync(file, arguments, environment, null, deadline);
        if (result.ExitCode != 0)
        {
            throw new TestBedException(
                $"{file} {string.Join(' ', arguments)} ended with exit code {result.ExitCode}:\n{result.Output}{result.Error}");
        }

        return result.Output;
    }

    private static async Task FeedAsync(Process process, string? input)
    {
        try
        {
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // The command ended without reading its input: its exit code and messages tell the caller more than the broken pipe.
            Trace.WriteLine($"{process.StartInfo.FileName} did not read its input");
        }
    }
}
