using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using PgRouter.Core.Configuration;
using PgRouter.Core.Hosting;
using PgRouter.Server.CommandLine;
using PgRouter.Server.Processes;

namespace PgRouter.Server.Demo;

/// <summary>"pgrouter demo": three throw-away servers, the router in front of them in this process, and a guide to try it.</summary>
internal static class DemoCommand
{
    private const int DefaultPort = 9999;
    private const int HighestPort = 65535;

    /// <summary>The command for the command line.</summary>
    public static Command Create()
    {
        var port = new Option<int>("--port") { Description = "Where the router listens.", DefaultValueFactory = _ => DefaultPort };
        var keep = new Option<bool>("--keep") { Description = "Leave the servers and their data when it ends." };
        port.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > HighestPort)
                result.AddError($"--port: allowed: a whole number from 1 to {HighestPort}");
        });
        var command = new Command("demo", "Starts a throw-away primary, two standbys and the router in front of them.") { port, keep };
        command.SetAction(async parsed =>
        {
            var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
            using var signals = new DemoSignals();
            try
            {
                return await RunAsync(parsed.GetValue(port), parsed.GetValue(keep), output, error, signals.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (signals.Token.IsCancellationRequested)
            {
                output.WriteLine("Stopped before it was ready.");
                return ExitCodes.Ok;
            }
            catch (DemoException e)
            {
                error.WriteLine($"pgrouter demo: {e.Message}");
                return ExitCodes.Internal;
            }
        });
        return command;
    }

    private static async Task<int> RunAsync(int port, bool keep, TextWriter output, TextWriter error, CancellationToken cancellation)
    {
        if (!DemoCluster.IsFree(port))
            throw new DemoException($"port {port} is in use; choose another one with --port");
        var programs = PostgresPrograms.Find(Environment.GetEnvironmentVariable("PATH") ?? "");
        var cluster = await DemoCluster.StartAsync(programs, output, cancellation).ConfigureAwait(false);
        await using (cluster.ConfigureAwait(false))
        {
            if (keep)
                await cluster.KeepAsync().ConfigureAwait(false);
            var code = await RouteAsync(cluster, port, keep, output, error, cancellation).ConfigureAwait(false);
            if (keep)
                output.WriteLine(DemoGuide.Kept(cluster));
            return code;
        }
    }

    private static async Task<int> RouteAsync(
        DemoCluster cluster, int port, bool keep, TextWriter output, TextWriter error, CancellationToken cancellation)
    {
        var path = DemoConfiguration.Write(cluster, port);
        var loaded = ConfigLoader.Load(path, new Dictionary<string, string>());
        ConfigReport.Print(loaded, error);
        if (loaded.Config is null)
            return ExitCodes.BadConfiguration;
        var guide = DemoGuide.Text(cluster, path, port, keep);
        var host = new RouterProcess(services => Register(services, guide, output), ServiceNotifier.FromEnvironment());
        var store = new ConfigStore(path, loaded, () => ConfigLoader.Load(path, new Dictionary<string, string>()));
        return await host.RunAsync(new RunOptions(path, store), cancellation).ConfigureAwait(false);
    }

    private static void Register(IServiceCollection services, string guide, TextWriter output)
    {
        services.AddSingleton<RouterInstance>();
        services.AddSingleton<IRouter>(provider => provider.GetRequiredService<RouterInstance>());
        services.AddSingleton<IHostedService>(provider => new NodeWatcher(
            provider.GetRequiredService<RouterInstance>().Snapshots, guide, output, provider.GetRequiredService<TimeProvider>()));
    }
}
