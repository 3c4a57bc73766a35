namespace PgRouter.Core.Health;

/// <summary>Asks one node what it is. One call at a time.</summary>
internal interface INodeProbe : IAsyncDisposable
{
    /// <summary>Answers, refuses or fails; comes back promptly once <paramref name="limit"/> is cancelled, and does not throw.</summary>
    ValueTask<ProbeResult> ProbeAsync(ProbeSettings settings, CancellationToken limit);
}
