using PgRouter.Core.Configuration;
using PgRouter.Core.Servers;

namespace PgRouter.Core.Pooling;

/// <summary>When a server has lived long enough: server_lifetime, child_max_connections, server_idle_timeout, server_check_delay.</summary>
internal static class ServerLife
{
    /// <summary>
    /// The part of its lifetime that a server may lose, so that servers opened together are not all closed together.
    /// </summary>
    private const double MostLost = 0.2;

    /// <summary>The golden ratio's fraction: its multiples spread evenly over [0, 1) however many there are (Weyl's sequence).</summary>
    private const double Golden = 0.618033988749895;

    public static bool IsExpired(ServerConnection server, SessionLimits limits, int maxUses, long nowMs) =>
        (limits.ServerLifetime.Ticks > 0 && nowMs - server.ConnectedAtMs > LifetimeMs(server.Id, limits.ServerLifetime))
        || (maxUses > 0 && server.UseCount >= maxUses);

    public static bool IsIdleTooLong(ServerConnection server, SessionLimits limits, long nowMs) =>
        limits.ServerIdleTimeout.Ticks > 0 && nowMs - server.IdleSinceMs > limits.ServerIdleTimeout.TotalMilliseconds;

    /// <summary>Unused for so long that it is asked whether it still lives before a client gets it.</summary>
    public static bool NeedsCheck(ServerConnection server, TimeSpan checkDelay, long nowMs) =>
        (nowMs - server.IdleSinceMs) * TimeSpan.TicksPerMillisecond >= checkDelay.Ticks;

    /// <summary>The lifetime of one server, in milliseconds.</summary>
    public static double LifetimeMs(long serverId, TimeSpan lifetime) =>
        lifetime.TotalMilliseconds * (1 - (MostLost * (serverId * Golden % 1)));
}
