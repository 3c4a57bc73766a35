namespace PgRouter.Core.Admin.PgBouncer;

/// <summary>
/// What drivers ask and say when they connect, answered for a console that is no database: a few SHOWs, SELECT 1, SELECT version(), SETs
/// without effect, DISCARD ALL.
/// </summary>
internal static class ConsoleParameters
{
    // Sent as ParameterStatus at login, with server_version before them; the names are PostgreSQL's GUC_REPORT ones.
    private static readonly KeyValuePair<string, string>[] Reported =
    [
        new("server_encoding", "UTF8"),
        new("client_encoding", "UTF8"),
        new("DateStyle", "ISO"),
        new("TimeZone", "UTC"),
        new("IntervalStyle", "postgres"),
        new("integer_datetimes", "on"),
        new("standard_conforming_strings", "on"),
        new("is_superuser", "off"),
        new("default_transaction_read_only", "off"),
        new("in_hot_standby", "off"),
    ];

    private static readonly KeyValuePair<string, string>[] Unreported =
    [
        new("transaction_read_only", "off"),
        new("transaction_isolation", "read committed"),
        new("default_transaction_isolation", "read committed"),
        new("max_identifier_length", "63"),
        new("search_path", ""),
    ];

    /// <summary>Settings of a client that may be SET, because nothing the console answers depends on them.</summary>
    public static IReadOnlyList<string> Settable { get; } =
        ["application_name", "extra_float_digits", "client_min_messages", "statement_timeout", "TimeZone", "IntervalStyle", "search_path"];

    public static IReadOnlyList<KeyValuePair<string, string>> AtLogin(AdminServices services) =>
        [new("server_version", ServerVersion(services)), .. Reported];

    public static IReadOnlyList<AdminCommand> Commands() =>
    [
        new ConsoleAnswer("SHOW SERVER_VERSION", "server_version", "SHOW", ServerVersion),
        .. Reported.Concat(Unreported).Select(p => new ConsoleAnswer($"SHOW {p.Key.ToUpperInvariant()}", p.Key, "SHOW", _ => p.Value)),
        new ConsoleAnswer("SHOW TRANSACTION ISOLATION LEVEL", "transaction_isolation", "SHOW", _ => "read committed"),
        new ConsoleAnswer("SHOW TIME ZONE", "TimeZone", "SHOW", _ => "UTC"),
        new ConsoleAnswer("SELECT 1", "?column?", "SELECT 1", _ => "1", AdminType.Int4),
        new ConsoleAnswer("SELECT VERSION()", "version", "SELECT 1", services => $"PgRouter {services.Version}"),
        new SetClientParameter(),
        new DiscardAll(),
    ];

    /// <summary>
    /// The primary's version, because drivers choose their dialect by it; until it is known the router's own, marked as such the way
    /// PgBouncer marks its own.
    /// </summary>
    private static string ServerVersion(AdminServices services)
    {
        var number = services.Snapshots.Cluster.Primary?.State.ServerVersion ?? 0;
        return number == 0 ? $"{services.Version}/pgrouter" : $"{number / 10000}.{number % 10000}";
    }
}

/// <summary>A question of a driver whose answer is one value.</summary>
internal sealed class ConsoleAnswer(string name, string column, string tag,
    Func<AdminServices, string> value, AdminType type = AdminType.Text)
    : AdminCommand(AdminDialect.PgBouncer, name, "for drivers")
{
    private readonly AdminColumn[] _columns = [new(column, type)];

    public override bool IsHidden => true;

    public override IReadOnlyList<AdminColumn>? Describe(AdminCall call) => call.Arguments.Count == 0 ? _columns : null;

    public override ValueTask<AdminResult> RunAsync(AdminCall call, CancellationToken cancellationToken) => ValueTask.FromResult(
        call.Arguments.Count > 0
            ? AdminErrors.Unexpected(call.Arguments[0], Name)
            : new AdminResult { Columns = _columns, Rows = [[value(call.Services)]], Tag = tag });
}
