using PgRouter.Core.Configuration;

namespace PgRouter.Server;

/// <summary>Runs the router in the foreground until it is told to stop.</summary>
internal interface IRouterHost
{
    /// <summary>Returns the exit code. Cancelling the token stops the router as SIGINT does.</summary>
    Task<int> RunAsync(RunOptions options, CancellationToken cancellationToken);
}

/// <summary>What the command line and the configuration file came to.</summary>
/// <param name="ConfigPath">The configuration file; null = the environment alone.</param>
/// <param name="Store">The configuration, without mistakes.</param>
internal sealed record RunOptions(string? ConfigPath, ConfigStore Store);
