using System.Collections;
using Microsoft.Extensions.DependencyInjection;
using PgRouter.Core.Hosting;
using PgRouter.Server.CommandLine;
using PgRouter.Server.Processes;

ProcessSignal.HeedThemAll();
var environment = Environment.GetEnvironmentVariables()
    .Cast<DictionaryEntry>()
    .ToDictionary(variable => (string)variable.Key, variable => (string?)variable.Value ?? "");
var host = new RouterProcess(static services => services.AddSingleton<IRouter, RouterInstance>(), ServiceNotifier.FromEnvironment());
return await new PgRouterCommand(host, new SignalSender(), environment).InvokeAsync(args, Console.Out, Console.Error);
