namespace PgRouter.Core.Admin;

/// <summary>What an operator can make the router do from a console. Safe to call from any thread.</summary>
internal interface IRouterVerbs
{
    /// <summary>
    /// Reads the configuration again. Returns the mistakes found, each a full sentence; empty when the new configuration is in force. With
    /// any mistake the old one stays.
    /// </summary>
    ValueTask<IReadOnlyList<string>> ReloadAsync(CancellationToken cancellationToken);

    /// <summary>Begins to stop and returns at once, so that the client still gets its answer.</summary>
    void Shutdown(ShutdownMode mode);
}

/// <summary>PgBouncer's words after SHUTDOWN.</summary>
internal enum ShutdownMode
{
    /// <summary>No word: close everything now.</summary>
    Immediate,

    /// <summary>WAIT_FOR_SERVERS: no new transactions, end when every server is idle.</summary>
    WaitForServers,

    /// <summary>WAIT_FOR_CLIENTS: no new clients, end when the last has left.</summary>
    WaitForClients,
}
