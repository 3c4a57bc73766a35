using PgRouter.Core.Cluster;

namespace PgRouter.Core.Configuration;

/// <summary>What a setting's value is made of.</summary>
internal enum SettingKind
{
    /// <summary>on, off, true, false, yes, no, 1, 0.</summary>
    Bool,
    Integer,
    Real,

    /// <summary>A file mode, read as octal.</summary>
    Mode,

    /// <summary>A number in the setting's unit, or with us, ms, s, min, h or d.</summary>
    Duration,

    /// <summary>A number in the setting's unit, or with B, kB, MB, GB or TB.</summary>
    Size,

    /// <summary>One of a list of words.</summary>
    Word,
    Text,

    /// <summary>Items separated by commas (or by <see cref="Setting.Separator"/>).</summary>
    List,
}

/// <summary>Unit of a number given without one.</summary>
internal enum SettingUnit
{
    None,
    Bytes,
    Kilobytes,
    Milliseconds,
    Seconds,
    Minutes,
    Hours,
    Days,
}

/// <summary>When a changed value takes effect.</summary>
internal enum SettingEffect
{
    Reload,
    Restart,
}

/// <summary>What PgRouter does with a setting.</summary>
internal enum SettingSupport
{
    Implemented,

    /// <summary>Read and checked, without effect; the row says why that is harmless or what to do instead.</summary>
    Accepted,

    /// <summary>
    /// Any value but the default is a mistake, because ignoring it would give other answers or less safety than asked for.
    /// </summary>
    Refused,
}

/// <summary>Whether names with a number behind them exist.</summary>
internal enum SettingSuffix
{
    None,

    /// <summary>Both forms; with a number it is for that node alone (health_check_period1).</summary>
    Optional,

    /// <summary>Only with a number (backend_hostname0).</summary>
    Required,
}

/// <summary>The groups PGPOOL SHOW knows by name, and the headings of the sample file.</summary>
internal enum SettingGroup
{
    Listening,
    Backend,
    Authentication,
    Pooling,
    Balancing,
    StreamingReplication,
    HealthCheck,
    Failover,
    Recovery,
    Watchdog,
    Heartbeat,
    Tls,
    Logging,
    Cache,
    Other,
}

/// <summary>
/// One row of the table of settings: everything the reader, the checks, SHOW, the sample file and the documentation know of it.
/// Immutable.
/// </summary>
internal sealed record Setting(string Name, SettingKind Kind, string Default, string Meaning)
{
    /// <summary>The same setting under PgBouncer's name; used without a warning and shown by PgBouncer's SHOW CONFIG.</summary>
    public string? PgBouncerName { get; init; }

    /// <summary>Names of earlier versions; understood with a warning.</summary>
    public IReadOnlyList<string> OldNames { get; init; } = [];

    public SettingGroup Group { get; init; }

    public SettingUnit Unit { get; init; }

    /// <summary>Least number allowed, in the setting's unit.</summary>
    public double Min { get; init; }

    /// <summary>Largest number allowed, in the setting's unit.</summary>
    public double Max { get; init; } = int.MaxValue;

    /// <summary>The words of a <see cref="SettingKind.Word"/>.</summary>
    public IReadOnlyList<string> Words { get; init; } = [];

    /// <summary>Words that are known but cannot be honoured, with the reason.</summary>
    public IReadOnlyDictionary<string, string> RefusedWords { get; init; } = new Dictionary<string, string>();

    /// <summary>Between the items of a <see cref="SettingKind.List"/>.</summary>
    public char Separator { get; init; } = ',';

    /// <summary>
    /// For patterns: a backslash in a quoted value stands for itself, and an item may contain the separator behind a backslash, as in pgpool.
    /// </summary>
    public bool KeepsBackslashes { get; init; }

    /// <summary>What is wrong with a value of the right kind; empty when nothing is.</summary>
    public Func<SettingValue, string>? Check { get; init; }

    public SettingEffect Effect { get; init; }

    public SettingSuffix Suffix { get; init; }

    /// <summary>Shown as ***** and never quoted in a message.</summary>
    public bool IsSecret { get; init; }

    /// <summary>Why the setting has no effect here; null unless it is only accepted.</summary>
    public string? AcceptedBecause { get; init; }

    /// <summary>Why any value but the default cannot be honoured; null unless it is refused.</summary>
    public string? RefusedBecause { get; init; }

    /// <summary>How a value lands in the configuration.</summary>
    public Action<ConfigDraft, SettingValue>? Apply { get; init; }

    /// <summary>How a value with a node's number lands in that node.</summary>
    public Func<NodeConfig, SettingValue, NodeConfig>? ApplyToNode { get; init; }

    /// <summary>How a value lands in the health check, of all nodes or of the numbered one.</summary>
    public Func<HealthCheckConfig, SettingValue, HealthCheckConfig>? ApplyToHealth { get; init; }

    /// <summary>How a value lands in the encryption towards all nodes or towards the numbered one.</summary>
    public Func<ServerTlsConfig, SettingValue, ServerTlsConfig>? ApplyToServerTls { get; init; }

    /// <summary>Of what the setting can be; none for a setting of everything.</summary>
    public ScopeKind Scopes { get; init; }

    /// <summary>How a value lands in the lines of a database or user.</summary>
    public Func<LimitOverrides, SettingValue, LimitOverrides>? ApplyToLimits { get; init; }

    /// <summary>The value in force, when it depends on other settings too; null = the value given, else the default.</summary>
    public Func<RouterConfig, string>? InForce { get; init; }

    public SettingSupport Support =>
        AcceptedBecause is not null ? SettingSupport.Accepted
        : RefusedBecause is not null ? SettingSupport.Refused
        : SettingSupport.Implemented;

    /// <summary>Every name the setting can be written with.</summary>
    public IEnumerable<string> AllNames =>
        PgBouncerName is null ? OldNames.Prepend(Name) : OldNames.Prepend(PgBouncerName).Prepend(Name);
}
