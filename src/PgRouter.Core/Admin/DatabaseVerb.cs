namespace PgRouter.Core.Admin;

/// <summary>What an operator may do to one database, or to all of them.</summary>
internal enum DatabaseVerb
{
    /// <summary>Clients get no servers any more; done when every server has been released and closed.</summary>
    Pause,

    /// <summary>Ends Pause, Kill and Suspend.</summary>
    Resume,

    /// <summary>Servers open now are closed when they are next idle.</summary>
    Reconnect,

    /// <summary>New clients are refused.</summary>
    Disable,

    Enable,

    /// <summary>Clients and servers are dropped at once, then as after Pause.</summary>
    Kill,

    /// <summary>Waits until the servers of Reconnect have been closed.</summary>
    WaitClose,
}
