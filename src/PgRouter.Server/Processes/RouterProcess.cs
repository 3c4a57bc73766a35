using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PgRouter.Core.Configuration;
using PgRouter.Core.Hosting;
using PgRouter.Server.Logging;

namespace PgRouter.Server.Processes;

/// <summary>
/// The life of the process around an <see cref="IRouter"/>: pid file, logging, services, signals, the service manager, and the order
/// in which they start and stop. It knows nothing of what the router does.
/// </summary>
/// <param name="configureServices">
/// Registers the <see cref="IRouter"/> and what it needs; <see cref="ConfigStore"/>, TimeProvider and logging are registered already.
/// Hosted services start after the router and stop after it.
/// </param>
/// <param name="notifier">The service manager.</param>
internal sealed class RouterProcess(Action<IServiceCollection> configureServices, ServiceNotifier notifier) : IRouterHost
{
    public async Task<int> RunAsync(RunOptions options, CancellationToken cancellationToken)
    {
        CoreDumps.LeaveMemoryOut();
        using var host = BuildHost(options.Store);
        var logger = host.Services.GetRequiredService<ILoggerFactory>().CreateLogger<RouterProcess>();
        try
        {
            using var pidFile = PidFile.Create(PidFile.Candidates(options.Store.Current));
            await RunAsync(host, logger, cancellationToken).ConfigureAwait(false);
            return ExitCodes.Ok;
        }
        catch (PidFileException e)
        {
            ProcessLog.CannotStart(logger, e.Message, null);
            return ExitCodes.CannotCreate;
        }
        catch (AccessFilesException e)
        {
            foreach (var mistake in e.Mistakes)
                ProcessLog.ConfigurationMistake(logger, mistake);
            return ExitCodes.BadConfiguration;
        }
        // The edge of the process: whatever stopped the router is logged, and the exit code tells the service manager.
        catch (Exception e)
        {
            ProcessLog.CannotStart(logger, e.Message, e);
            return ExitCodes.Internal;
        }
    }

    private IHost BuildHost(ConfigStore store)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddSingleton(store);
        builder.Services.AddSingleton(TimeProvider.System);
        // The default lifetime would take the signals for itself.
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Logging.AddRouterLogging(store);
        configureServices(builder.Services);
        return builder.Build();
    }

    private async Task RunAsync(IHost host, ILogger logger, CancellationToken cancellationToken)
    {
        var router = host.Services.GetRequiredService<IRouter>();
        using var requests = new SignalRequests(cancellationToken);
        await router.StartAsync(cancellationToken).ConfigureAwait(false);
        await host.StartAsync(cancellationToken).ConfigureAwait(false);
        Notify(logger, notifier.Ready);
        ProcessLog.Started(logger);
        await ServeAsync(router, requests, logger).ConfigureAwait(false);
        await host.StopAsync(CancellationToken.None).ConfigureAwait(false);
        ProcessLog.Stopped(logger);
    }

    /// <summary>Reloads as often as asked, until asked to stop; while it stops, a more urgent request hurries it up.</summary>
    private async Task ServeAsync(IRouter router, SignalRequests requests, ILogger logger)
    {
        Task? stopping = null;
        StopMode? asked = null;
        while (stopping is null || !stopping.IsCompleted)
        {
            var next = requests.NextAsync();
            if (stopping is not null && await Task.WhenAny(stopping, next).ConfigureAwait(false) == stopping)
                break;
            if (await next.ConfigureAwait(false) is not { } mode)
            {
                if (stopping is null)
                    Reload(router, logger);
                continue;
            }
            if (asked >= mode)
                continue;
            if (asked is null)
                Notify(logger, notifier.Stopping);
            asked = mode;
            ProcessLog.Stopping(logger, mode);
            stopping = stopping is null ? router.StopAsync(mode) : Task.WhenAll(stopping, router.StopAsync(mode));
        }
        await stopping.ConfigureAwait(false);
    }

    private void Reload(IRouter router, ILogger logger)
    {
        Notify(logger, notifier.Reloading);
        var report = router.Reload();
        foreach (var warning in report.Warnings)
            ProcessLog.ConfigurationWarning(logger, warning);
        foreach (var mistake in report.Mistakes)
            ProcessLog.ConfigurationMistake(logger, mistake.ToString());
        if (report.Succeeded)
            ProcessLog.Reloaded(logger, Names(report.Changed), Names(report.NeedRestart));
        else
            ProcessLog.ReloadRefused(logger);
        Notify(logger, notifier.Ready);
    }

    private static string Names(IReadOnlyList<string> names) => names.Count == 0 ? "none" : string.Join(", ", names);

    /// <summary>A service manager that cannot be reached is no reason to stop serving.</summary>
    private static void Notify(ILogger logger, Action send)
    {
        try
        {
            send();
        }
        catch (SocketException e)
        {
            ProcessLog.CannotNotify(logger, e.Message);
        }
    }

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
