using System.CommandLine;
using PgRouter.Core.Configuration;
using PgRouter.Core.Hosting;
using PgRouter.Server.Demo;
using PgRouter.Server.Processes;

namespace PgRouter.Server.CommandLine;

/// <summary>
/// The command line: pgpool's single-dash options and its commands reload and stop, and PgRouter's check, config, demo,
/// show and version. Options
/// may stand before or after the command, as in "pgpool -m fast stop".
/// </summary>
internal sealed class PgRouterCommand
{
    private readonly IRouterHost _host;
    private readonly ISignalSender _signals;
    private readonly IReadOnlyDictionary<string, string> _environment;
    private readonly RootCommand _root;

    private readonly Option<string?> _file = Recursive<string?>("--config-file", "-f", "Configuration file (pgpool.conf).", "FILE");
    private readonly Option<string?> _hba = Recursive<string?>("--hba-file", "-a", "HBA file; overrides the configuration.", "FILE");
    private readonly Option<string?> _pcp = Recursive<string?>("--pcp-file", "-F", "Accepted; there is no PCP port.", "FILE");
    private readonly Option<string?> _key = Recursive<string?>("--key-file", "-k",
        "File of the key of encrypted passwords (pg_enc); overrides the configuration.", "FILE");
    private readonly Option<string> _mode = Recursive<string>("--mode", "-m", "How to stop: smart, fast or immediate.", "MODE");

    /// <summary>Prepares the commands.</summary>
    public PgRouterCommand(IRouterHost host, ISignalSender signals, IReadOnlyDictionary<string, string> environment)
    {
        (_host, _signals, _environment) = (host, signals, environment);
        _file.Aliases.Add("-c");
        _mode.DefaultValueFactory = _ => "smart";
        _mode.CustomParser = result => ExpandMode(result.Tokens[0].Value, result.AddError);
        _root = BuildRoot();
    }

    /// <summary>The version as "pgrouter 0.1.0".</summary>
    public static string Version =>
        $"pgrouter {typeof(PgRouterCommand).Assembly.GetName().Version!.ToString(3)}";

    /// <summary>Runs one command line and returns the exit code.</summary>
    public async Task<int> InvokeAsync(IReadOnlyList<string> arguments, TextWriter output, TextWriter error)
    {
        var parsed = _root.Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
        {
            foreach (var problem in parsed.Errors)
                error.WriteLine($"pgrouter: {problem.Message}");
            error.WriteLine("Try \"pgrouter -h\".");
            return ExitCodes.Usage;
        }
        // The host handles the signals itself, so the parser must not.
        var invocation = new InvocationConfiguration
        {
            Output = output,
            Error = error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        };
        return await parsed.InvokeAsync(invocation).ConfigureAwait(false);
    }

    private static Option<T> Recursive<T>(string name, string alias, string description, string helpName) =>
        new(name, alias) { Description = description, HelpName = helpName, Recursive = true };

    private static Option<bool> Flag(string name, string alias, string description) =>
        new(name, alias) { Description = description, Recursive = true };

    /// <summary>pgpool takes s, f and i too.</summary>
    private static string ExpandMode(string text, Action<string> addError)
    {
        switch (text)
        {
            case "smart" or "s":
                return "smart";
            case "fast" or "f":
                return "fast";
            case "immediate" or "i":
                return "immediate";
            default:
                addError($"-m: found \"{text}\"; allowed: smart, fast, immediate");
                return "smart";
        }
    }

    private RootCommand BuildRoot()
    {
        var root = new RootCommand("PgRouter: a router and connection pool in front of a PostgreSQL cluster.")
        {
            _file, _hba, _pcp, _key, _mode,
            Flag("--no-daemon", "-n", "Accepted; it always runs in the foreground."),
            Flag("--discard-status", "-D", "Accepted; no status is kept."),
            Flag("--debug", "-d", "Accepted; see log_min_messages."),
            Flag("--debug-assertions", "-x", "Accepted."),
            Flag("--clear-oidmaps", "-C", "Accepted; there is no query cache."),
        };
        root.Options.Remove(root.Options.OfType<VersionOption>().Single());
        root.Options.Add(new VersionOption("--version", "-v") { Action = new VersionAction() });
        root.SetAction((parsed, token) => RunAsync(parsed, token));
        root.Subcommands.Add(Check());
        root.Subcommands.Add(Config());
        root.Subcommands.Add(DemoCommand.Create());
        root.Subcommands.Add(ExplainCommand.Create(Load));
        root.Subcommands.Add(Reload());
        root.Subcommands.Add(ShowCommand.Create(Load));
        root.Subcommands.Add(Stop());
        root.Subcommands.Add(VersionCommand());
        return root;
    }

    private Command Check()
    {
        var command = new Command(
            "check", "Reads the configuration and tells every mistake in it; then asks the nodes whether they let everybody in.");
        command.SetAction(async (parsed, _) =>
        {
            var result = Load(parsed);
            ConfigReport.Print(result, Output(parsed));
            if (result.Config is null)
                return ExitCodes.HasMistakes;
            var mistakes = new AccessFiles().Load(result.Config);
            foreach (var mistake in mistakes)
                Output(parsed).WriteLine($"ERROR:  {mistake}");
            foreach (var warning in await TrustCheck.FindAsync(result.Config).ConfigureAwait(false))
                Output(parsed).WriteLine($"WARNING:  {warning}");
            return mistakes.Count == 0 ? ExitCodes.Ok : ExitCodes.HasMistakes;
        });
        return command;
    }

    private static Command Config()
    {
        var sample = new Option<bool>("--sample") { Description = "A sample file with every setting." };
        var command = new Command("config", "Prints configuration.") { sample };
        command.Validators.Add(result =>
        {
            if (!result.GetValue(sample))
                result.AddError("config: nothing to print; allowed: --sample");
        });
        command.SetAction(parsed => Output(parsed).Write(SampleFile.Write()));
        return command;
    }

    private Command Reload()
    {
        var command = new Command("reload", "Makes the running router read its configuration again.");
        command.SetAction(parsed => Controller(parsed) is { } controller ? controller.Reload() : ExitCodes.BadConfiguration);
        return command;
    }

    private Command Stop()
    {
        var command = new Command("stop", "Stops the running router and waits until it has ended.");
        command.SetAction((parsed, token) => Controller(parsed) is { } controller
            ? controller.StopAsync(Enum.Parse<StopMode>(parsed.GetRequiredValue(_mode), ignoreCase: true), token)
            : Task.FromResult(ExitCodes.BadConfiguration));
        return command;
    }

    private static Command VersionCommand()
    {
        var command = new Command("version", "Prints the version.");
        command.SetAction(parsed => Output(parsed).WriteLine(Version));
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken token)
    {
        var path = ConfigPaths.Resolve(parsed.GetValue(_file));
        var result = Load(parsed);
        ConfigReport.Print(result, Error(parsed));
        if (result.Config is null)
            return ExitCodes.BadConfiguration;
        var store = new ConfigStore(path, result, () => Load(parsed));
        return await _host.RunAsync(new RunOptions(path, store), token).ConfigureAwait(false);
    }

    private ConfigResult Load(ParseResult parsed) =>
        ConfigLoader.Load(ConfigPaths.Resolve(parsed.GetValue(_file)), _environment, parsed.GetValue(_hba), parsed.GetValue(_key));

    private RunningRouter? Controller(ParseResult parsed)
    {
        var result = Load(parsed);
        if (result.Config is not null)
            return new RunningRouter(PidFile.Candidates(result.Config), _signals, Output(parsed), Error(parsed));
        ConfigReport.Print(result, Error(parsed));
        return null;
    }

    private static TextWriter Output(ParseResult parsed) => parsed.InvocationConfiguration.Output;

    private static TextWriter Error(ParseResult parsed) => parsed.InvocationConfiguration.Error;

    private sealed class VersionAction : System.CommandLine.Invocation.SynchronousCommandLineAction
    {
        public override bool Terminating => true;

        public override int Invoke(ParseResult parseResult)
        {
            Output(parseResult).WriteLine(Version);
            return ExitCodes.Ok;
        }
    }
}
