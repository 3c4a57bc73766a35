using System.Reflection;
using PgRouter.Core.Admin.PgBouncer;
using PgRouter.Core.Admin.Pgpool;

namespace PgRouter.Core.Admin;

/// <summary>
/// The table of all commands and the way in: finds the command a text names, checks the right to use it, runs it. One per process; safe
/// from any thread.
/// </summary>
internal sealed class AdminCommands
{
    private const int LongestWordShown = 100;

    private readonly Dictionary<string, AdminCommand> _byName;
    private readonly int _longestName;
    private readonly AdminServices _services;

    /// <param name="snapshots">What is shown.</param>
    /// <param name="settings">Settings in force.</param>
    /// <param name="verbs">What operators may do.</param>
    /// <param name="clock">Clock and local time zone; null = the system's.</param>
    /// <param name="more">Commands of other rooms, registered beside the ones here; a name that is taken is an error.</param>
    /// <exception cref="ArgumentException">Two commands have one name.</exception>
    public AdminCommands(
        IRouterSnapshots snapshots, ISettingsSource settings, IRouterVerbs verbs,
        TimeProvider? clock = null, IEnumerable<AdminCommand>? more = null)
    {
        All = [.. PgpoolCommands(), .. PgBouncerCommands(), .. ConsoleParameters.Commands(), .. more ?? []];
        _byName = All.ToDictionary(c => c.Name, StringComparer.OrdinalIgnoreCase);
        _longestName = All.Max(c => c.Name.Count(letter => letter == ' ') + 1);
        Averages = new AverageWindow(clock ?? TimeProvider.System, AverageWindow.DefaultPeriod);
        _services = new AdminServices
        {
            Snapshots = snapshots,
            Settings = settings,
            Verbs = verbs,
            Clock = clock ?? TimeProvider.System,
            Averages = Averages,
            Version = ProductVersion(),
            Commands = All,
        };
    }

    /// <summary>Every command, in the order SHOW HELP lists them.</summary>
    public IReadOnlyList<AdminCommand> All { get; }

    /// <summary>The averages shown by SHOW STATS; a host that ticks it every 60 s makes each window exactly that long.</summary>
    public AverageWindow Averages { get; }

    /// <summary>ParameterStatus messages for a client that logs in to the virtual database: name and value.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> LoginParameters() => ConsoleParameters.AtLogin(_services);

    /// <summary>
    /// Runs one command. Never throws for bad input: refusals are in <see cref="AdminResult.Error"/>.
    /// </summary>
    /// <exception cref="OperationCanceledException">The session ended meanwhile.</exception>
    public async ValueTask<AdminResult> ExecuteAsync(string command, AdminContext context, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var words = Words(command, context, out var error);
        if (error is not null)
            return AdminErrors.Refuse(error);
        if (words.Count == 0)
            return new AdminResult();
        var found = Find(words, context, out var arguments);
        if (found is null)
            return AdminErrors.Refuse(Unknown(words, context));
        if (AdminAuthorization.Check(_services.Snapshots.Config, context.User, found.Access) is { } denied)
            return AdminErrors.Refuse(denied);
        return await found.RunAsync(new AdminCall(_services, context, arguments), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A command as the audit shows it: its words, without what stands behind SET; null when it only shows and was allowed.</summary>
    public string? AuditOf(string command, AdminContext context, AdminResult result)
    {
        var words = Words(command, context, out var error);
        if (error is not null || Find(words, context, out var arguments) is not { } found)
            return null;
        if (found.Access == AdminAccess.Show && result.Error?.SqlState != AdminErrors.InsufficientPrivilege)
            return null;
        return found is SetClientParameter or PgpoolSet ? found.Name : string.Join(' ', arguments.Prepend(found.Name));
    }

    /// <summary>
    /// Columns of the answer for Describe, without running anything. Null when the command has no rows, is not known or will be
    /// refused: the session answers NoData, and the refusal comes at Execute.
    /// </summary>
    public IReadOnlyList<AdminColumn>? Describe(string command, AdminContext context)
    {
        var words = Words(command, context, out var error);
        return error is null && Find(words, context, out var arguments) is { } found
            ? found.Describe(new AdminCall(_services, context, arguments))
            : null;
    }

    private static IReadOnlyList<AdminCommand> PgpoolCommands() =>
    [
        new ShowPoolNodes(),
        new ShowPoolProcesses(),
        new ShowPoolPools(),
        new ShowPoolBackendStats(),
        new ShowPoolHealthCheckStats(),
        new ShowPoolStatus(),
        new ShowPoolVersion(),
        new ShowRoutes(),
        new PgpoolShow(),
        new PgpoolSet(),
        new PgpoolReset(),
        .. PgpoolRefused.Commands,
    ];

    private static IReadOnlyList<AdminCommand> PgBouncerCommands() =>
    [
        new ShowHelp(),
        new ShowPools(),
        new ShowNodePools(),
        new ShowNodes(),
        new ShowClients(),
        new ShowServers(),
        new ShowDatabases(),
        new ShowUsers(),
        new ShowPins(),
        new ShowStats(),
        new ShowStatsTotals(),
        new ShowStatsAverages(),
        new ShowTotals(),
        new ShowLists(),
        new ShowListeners(),
        new ShowConfig(),
        new ShowState(),
        new ShowVersion(),
        new Reload(),
        new Shutdown(),
        .. DatabaseCommand.Commands,
        new Suspend(),
        new KillClient(),
        .. PgBouncerRefused.Commands,
    ];

    /// <summary>Words of the command; in the console "SELECT x" is PgBouncer's other way to say "SHOW x".</summary>
    private IReadOnlyList<CommandWord> Words(string command, AdminContext context, out AdminError? error)
    {
        var words = CommandText.Split(command, out error);
        var isAlias = context.IsConsole && words.Count > 1 && Is(words[0].Text, "SELECT")
            && !_byName.ContainsKey($"SELECT {words[1].Text}");
        return isAlias ? [words[0] with { Text = "SHOW" }, .. words.Skip(1)] : words;
    }

    /// <summary>The command with the longest name that the text begins with.</summary>
    private AdminCommand? Find(IReadOnlyList<CommandWord> words, AdminContext context, out IReadOnlyList<string> arguments)
    {
        var names = words.Take(_longestName).TakeWhile(w => !w.IsQuoted).Select(w => w.Text).ToList();
        for (var length = names.Count; length > 0; length--)
        {
            if (_byName.TryGetValue(string.Join(' ', names.Take(length)), out var command) && IsUnderstood(command, context))
            {
                arguments = words.Skip(length).Select(w => w.Text).ToList();
                return command;
            }
        }
        arguments = [];
        return null;
    }

    private static bool IsUnderstood(AdminCommand command, AdminContext context) =>
        context.IsConsole || command.Dialect == AdminDialect.Pgpool;

    private AdminError Unknown(IReadOnlyList<CommandWord> words, AdminContext context)
    {
        var known = All.Where(c => IsUnderstood(c, context)).ToList();
        var verb = words[0].Text;
        var isFamily = words.Count > 1 && known.Any(c => c.Name.StartsWith(verb + " ", StringComparison.OrdinalIgnoreCase));
        var text = isFamily ? $"{verb} {words[1].Text}" : verb;
        var hint = NearestName.Find(text, known.Select(c => c.Name)) is { } near ? $"Did you mean {near}?" : Listing(known, context);
        return isFamily
            ? new AdminError(AdminErrors.UndefinedObject,
                $"there is nothing named \"{Clip(words[1].Text)}\" to {verb.ToLowerInvariant()}", hint)
            : new AdminError(AdminErrors.SyntaxError, $"unknown command \"{Clip(text)}\"", hint);
    }

    private static string Listing(List<AdminCommand> known, AdminContext context) => context.IsConsole
        ? "SHOW HELP lists the commands; SQL needs a connection to a database of the cluster."
        : $"There are {string.Join(", ", known.Where(c => !c.IsHidden).Select(c => c.Syntax))}.";

    // A message repeats a word so that it can be found again, not all of a text that is no command.
    private static string Clip(string word) => word.Length <= LongestWordShown ? word : word[..LongestWordShown] + "...";

    private static bool Is(string word, string other) => word.Equals(other, StringComparison.OrdinalIgnoreCase);

    private static string ProductVersion()
    {
        var version = typeof(AdminCommands).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
        return version.Split('+')[0];
    }
}
