namespace PgRouter.Core.Admin;

/// <summary>Whose words a command uses.</summary>
internal enum AdminDialect
{
    /// <summary>pgpool-II's: understood in every database and in the console.</summary>
    Pgpool,

    /// <summary>PgBouncer's: understood in the virtual database only.</summary>
    PgBouncer,
}

/// <summary>What every command may ask. One per process.</summary>
internal sealed record AdminServices
{
    public required IRouterSnapshots Snapshots { get; init; }

    public required ISettingsSource Settings { get; init; }

    public required IRouterVerbs Verbs { get; init; }

    public required TimeProvider Clock { get; init; }

    public required AverageWindow Averages { get; init; }

    /// <summary>Version of the router, as "0.1.0".</summary>
    public required string Version { get; init; }

    /// <summary>Every command there is, for SHOW HELP.</summary>
    public required IReadOnlyList<AdminCommand> Commands { get; init; }
}

/// <summary>One use of a command: what it may ask, who uses it, and the words after its name.</summary>
internal sealed record AdminCall(AdminServices Services, AdminContext Context, IReadOnlyList<string> Arguments);

/// <summary>A command: immutable, one instance per process, used by many sessions at once.</summary>
internal abstract class AdminCommand(AdminDialect dialect, string name, string summary)
{
    public AdminDialect Dialect { get; } = dialect;

    /// <summary>Its words in upper case, one blank between them.</summary>
    public string Name { get; } = name;

    /// <summary>One line for SHOW HELP.</summary>
    public string Summary { get; } = summary;

    /// <summary>Name and arguments, for SHOW HELP.</summary>
    public virtual string Syntax => Name;

    public virtual AdminAccess Access => AdminAccess.Show;

    /// <summary>Left out of SHOW HELP: a word that only drivers send.</summary>
    public virtual bool IsHidden => false;

    /// <summary>Columns of the answer without running the command; null when it has no rows or will be refused.</summary>
    public abstract IReadOnlyList<AdminColumn>? Describe(AdminCall call);

    /// <summary>Runs it; refusals are results, exceptions are bugs or cancellation.</summary>
    public abstract ValueTask<AdminResult> RunAsync(AdminCall call, CancellationToken cancellationToken);
}

/// <summary>A command without arguments whose answer is one table.</summary>
internal abstract class TableCommand<TRow>(AdminDialect dialect, string name, string summary) : AdminCommand(dialect, name, summary)
{
    /// <summary>Columns and what fills them; the same object for every call.</summary>
    protected abstract AdminTable<TRow> Table { get; }

    protected abstract ValueTask<IEnumerable<TRow>> RowsAsync(AdminCall call);

    public sealed override IReadOnlyList<AdminColumn>? Describe(AdminCall call) => call.Arguments.Count == 0 ? Table.Columns : null;

    public sealed override async ValueTask<AdminResult> RunAsync(AdminCall call, CancellationToken cancellationToken)
    {
        if (call.Arguments.Count > 0)
            return AdminErrors.Unexpected(call.Arguments[0], Name);
        var rows = Table.Fill(await RowsAsync(call).ConfigureAwait(false), call.Services.Clock.LocalTimeZone);
        return new AdminResult { Columns = Table.Columns, Rows = rows, Tag = Tag(rows.Count) };
    }

    // pgpool-II answers its SHOWs with the tag of a SELECT, PgBouncer with SHOW.
    private string Tag(int rows) => Dialect == AdminDialect.Pgpool ? $"SELECT {rows}" : "SHOW";
}

/// <summary>A word of one of the peers that this router does not carry out, and why.</summary>
internal sealed class RefusedCommand(AdminDialect dialect, string name, AdminAccess access, string reason, string? hint = null)
    : AdminCommand(dialect, name, $"not supported: {reason}")
{
    public override AdminAccess Access { get; } = access;

    public override bool IsHidden => true;

    public override IReadOnlyList<AdminColumn>? Describe(AdminCall call) => null;

    public override ValueTask<AdminResult> RunAsync(AdminCall call, CancellationToken cancellationToken) =>
        ValueTask.FromResult(AdminErrors.Refuse(AdminErrors.FeatureNotSupported, $"{Name} is not supported: {reason}", hint));
}
