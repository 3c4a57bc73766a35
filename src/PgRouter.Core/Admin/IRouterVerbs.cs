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

    /// <summary>
    /// Does something to the database of this name, or to all (null). Returns when it is done, which may take as long as a transaction, or
    /// why it was refused. A cancelled Pause is undone.
    /// </summary>
    /// <exception cref="OperationCanceledException">The operator cancelled it, or went away.</exception>
    ValueTask<AdminError?> RunAsync(DatabaseVerb verb, string? database, CancellationToken cancellationToken);

    /// <summary>
    /// Stops reading sockets, clients' and servers', and returns when nothing is left to be sent; connections that do not take it within
    /// suspend_timeout are dropped. Cancelled, it is undone.
    /// </summary>
    /// <exception cref="OperationCanceledException">The operator cancelled it, or went away.</exception>
    ValueTask<AdminError?> SuspendAsync(CancellationToken cancellationToken);

    /// <summary>Drops a client, by the id of SHOW CLIENTS, and the servers it holds. False when there is none.</summary>
    ValueTask<bool> KillClientAsync(int id, CancellationToken cancellationToken);
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
