using System.Threading.Channels;
using PgRouter.Core.Health;

namespace PgRouter.Tests.Health;

/// <summary>A probe whose answers a test gives by hand, one call after the other.</summary>
internal sealed class FakeProbe : INodeProbe
{
    private readonly Channel<TaskCompletionSource<ProbeResult>> _calls = Channel.CreateUnbounded<TaskCompletionSource<ProbeResult>>();

    public bool IsDisposed { get; private set; }

    public async ValueTask<ProbeResult> ProbeAsync(ProbeSettings settings, CancellationToken limit)
    {
        var call = new TaskCompletionSource<ProbeResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var ended = limit.Register(() => call.TrySetResult(ProbeResult.Failed("limit")));
        _calls.Writer.TryWrite(call);
        return await call.Task;
    }

    /// <summary>The next call that the loop makes.</summary>
    public async Task<TaskCompletionSource<ProbeResult>> NextCall() =>
        await _calls.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20));

    /// <summary>Waits for the next call and answers it.</summary>
    public async Task Answer(ProbeResult result) => (await NextCall()).SetResult(result);

    public Task Fail() => Answer(ProbeResult.Failed("connection refused"));

    public ValueTask DisposeAsync()
    {
        IsDisposed = true;
        return ValueTask.CompletedTask;
    }
}
