namespace PgRouter.Testing.Clusters;

/// <summary>
/// One primary with two standbys for all tests that only read, write and reload: started when first asked for, stopped by the
/// assembly's tear-down. A test that stops, kills, promotes or pauses a node starts a cluster of its own.
/// </summary>
public static class SharedCluster
{
    private static readonly SemaphoreSlim Gate = new(1, 1);
    private static PgCluster? _cluster;

    /// <summary>The shared cluster. Thread-safe; a failed start is tried again by the next caller.</summary>
    public static async Task<PgCluster> GetAsync()
    {
        await Gate.WaitAsync();
        try
        {
            return _cluster ??= await PgCluster.StartAsync();
        }
        finally
        {
            Gate.Release();
        }
    }

    /// <summary>Stops the shared cluster if it was started.</summary>
    /// <param name="keepLogs">Copy the servers' logs first and print where they are: for runs with failures.</param>
    public static async Task DisposeAsync(bool keepLogs)
    {
        await Gate.WaitAsync();
        try
        {
            if (_cluster is null)
                return;
            if (keepLogs)
                Console.Error.WriteLine(_cluster.KeepLogs());
            await _cluster.DisposeAsync();
            _cluster = null;
        }
        finally
        {
            Gate.Release();
        }
    }
}
