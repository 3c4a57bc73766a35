namespace PgRouter.Core.Admin.PgBouncer;

/// <summary>PgBouncer's commands that do something to one database, or to all when none is named.</summary>
internal sealed class DatabaseCommand : AdminCommand
{
    private readonly DatabaseVerb _verb;
    private readonly bool _needsName;

    private DatabaseCommand(string name, DatabaseVerb verb, bool needsName, string summary)
        : base(AdminDialect.PgBouncer, name, summary)
    {
        _verb = verb;
        _needsName = needsName;
    }

    public static IReadOnlyList<AdminCommand> Commands { get; } =
    [
        new DatabaseCommand("PAUSE", DatabaseVerb.Pause, needsName: false, "let clients wait; ends when all servers are released and closed"),
        new DatabaseCommand("RESUME", DatabaseVerb.Resume, needsName: false, "end PAUSE, KILL or SUSPEND"),
        new DatabaseCommand("DISABLE", DatabaseVerb.Disable, needsName: true, "refuse new clients of a database"),
        new DatabaseCommand("ENABLE", DatabaseVerb.Enable, needsName: true, "end DISABLE"),
        new DatabaseCommand("RECONNECT", DatabaseVerb.Reconnect, needsName: false, "replace servers when they are next idle"),
        new DatabaseCommand("WAIT_CLOSE", DatabaseVerb.WaitClose, needsName: false, "wait until the servers of RECONNECT are closed"),
        new DatabaseCommand("KILL", DatabaseVerb.Kill, needsName: false, "drop clients and servers at once, then as PAUSE"),
    ];

    public override string Syntax => _needsName ? $"{Name} db" : $"{Name} [db]";

    public override AdminAccess Access => AdminAccess.Operate;

    public override IReadOnlyList<AdminColumn>? Describe(AdminCall call) => null;

    public override async ValueTask<AdminResult> RunAsync(AdminCall call, CancellationToken cancellationToken)
    {
        if (call.Arguments.Count > 1)
            return AdminErrors.Unexpected(call.Arguments[1], $"{Name} {call.Arguments[0]}");
        var database = call.Arguments.Count == 1 ? call.Arguments[0] : null;
        if (database is null && _needsName)
            return AdminErrors.Refuse(AdminErrors.SyntaxError, "a database is required", $"Write {Syntax}.");
        if (database is not null && ConsoleDatabase.Is(database))
            return AdminErrors.Refuse(AdminErrors.FeatureNotSupported, $"cannot {Name.ToLowerInvariant()} admin db: {database}");
        var isUnknown = database is not null && _verb != DatabaseVerb.Resume
            && !(await DatabaseNames.InUseAsync(call.Services.Snapshots).ConfigureAwait(false)).Contains(database, StringComparer.Ordinal);
        if (await call.Services.Verbs.RunAsync(_verb, database, cancellationToken).ConfigureAwait(false) is { } refusal)
            return AdminErrors.Refuse(refusal);
        return new AdminResult
        {
            Tag = Name,
            Warning = isUnknown ? $"no client has used database \"{database}\" yet" : null,
        };
    }
}
