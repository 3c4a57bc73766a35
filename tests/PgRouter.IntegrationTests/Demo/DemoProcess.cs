using System.Collections.Concurrent;
using System.Diagnostics;
using PgRouter.Testing;
using PgRouter.Testing.Processes;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Demo;

/// <summary>A running "pgrouter demo". Killed when disposed, if it has not ended before.</summary>
internal sealed class DemoProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _lines = new();

    private DemoProcess(int port, string[] options)
    {
        Port = port;
        var start = new ProcessStartInfo(
            RouterProcessFixture.ExecutablePath(), ["demo", "--port", $"{port}", .. options])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public int Port { get; }

    public string Output => string.Join('\n', _lines);

    /// <summary>The directory it told of.</summary>
    public string DirectoryPath => _lines.First(line => line.StartsWith("Starting PostgreSQL", StringComparison.Ordinal)).Split(' ')[^1];

    /// <summary>Whether nothing of it is left: neither its directory nor a process that works there.</summary>
    public bool HasLeftNothing => !Directory.Exists(DirectoryPath) && Signals.WorkingUnder(DirectoryPath).Count == 0;

    public static DemoProcess Start(params string[] options) => new(FreePorts.Take(), options);

    public static DemoProcess StartOn(int port) => new(port, []);

    public async Task<DemoProcess> ReadyAsync()
    {
        await WaitForAsync("Ctrl-C");
        return this;
    }

    /// <summary>Returns when the text was printed.</summary>
    public async Task WaitForAsync(string text)
    {
        await Eventually.TrueAsync(() => Output.Contains(text, StringComparison.Ordinal) || _process.HasExited, $"\"{text}\"", StartLimit);
        Assert.That(Output, Does.Contain(text));
    }

    /// <summary>The printed command that contains all the words.</summary>
    public string Command(params string[] words) =>
        _lines.First(
            line => line.StartsWith("  ", StringComparison.Ordinal) && words.All(word => line.Contains(word, StringComparison.Ordinal)));

    /// <summary>Runs a printed command as a person would.</summary>
    public static async Task<string> TypeAsync(string command)
    {
        var result = await Testing.Processes.Command.RunAsync("sh", ["-c", command]);
        if (result.ExitCode != 0)
            throw new TestBedException($"{command}\n{result.Output}{result.Error}"); // Not an assertion: a caller may try again.
        return result.Output;
    }

    public Task<string> PsqlAsync(string sql) =>
        TypeAsync($"psql -X -At -h 127.0.0.1 -p {Port} -U postgres demo -c \"{sql}\"");

    public void Send(Signal signal) => Signals.Send(_process.Id, signal);

    /// <summary>Its exit code.</summary>
    public async Task<int> EndAsync()
    {
        await Eventually.DoneAsync(_process.WaitForExitAsync(), "the end of the demonstration", StartLimit);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            Send(Signal.Kill);
        await EndAsync();
        _process.Dispose();
    }

    private void Keep(string? line)
    {
        if (line is not null)
            _lines.Enqueue(line);
    }
}
