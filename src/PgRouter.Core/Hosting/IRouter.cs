using PgRouter.Core.Configuration;

namespace PgRouter.Core.Hosting;

/// <summary>The router as its process sees it: started once, reloaded, stopped. Calls come from one thread at a time, save where noted.</summary>
internal interface IRouter
{
    /// <summary>Returns when clients can connect. Throws when it cannot listen, with a message that says what to change.</summary>
    Task StartAsync(CancellationToken cancellationToken);

    /// <summary>Reads the configuration again and puts it into force; with mistakes nothing changes.</summary>
    ReloadReport Reload();

    /// <summary>
    /// Returns when every connection is closed. May be called again with a more urgent mode while an earlier call has not returned;
    /// both then return when the router has stopped.
    /// </summary>
    Task StopAsync(StopMode mode);
}

/// <summary>How urgently to stop, pgpool's words; a greater value is more urgent.</summary>
internal enum StopMode
{
    /// <summary>No new clients; ends when the last client has left.</summary>
    Smart,

    /// <summary>Clients are told and disconnected, after their transaction if it ends soon.</summary>
    Fast,

    /// <summary>Everything is cut at once.</summary>
    Immediate,
}
