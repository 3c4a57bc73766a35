namespace PgRouter.Core.Configuration;

/// <summary>What a configuration file, the environment and the command line came to. Immutable.</summary>
internal sealed record ConfigResult
{
    /// <summary>Null when there is a mistake.</summary>
    public RouterConfig? Config { get; init; }

    /// <summary>Every mistake, in the order of the files.</summary>
    public required IReadOnlyList<ConfigMistake> Mistakes { get; init; }

    /// <summary>What works otherwise than the reader of the file might think.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>The values given, by canonical name with number (backend_port0), with the place of each.</summary>
    public required IReadOnlyDictionary<string, ConfiguredValue> Values { get; init; }
}

/// <summary>What a reload did. With mistakes it did nothing.</summary>
internal sealed record ReloadReport
{
    public IReadOnlyList<ConfigMistake> Mistakes { get; init; } = [];

    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Mistakes in the files of passwords, rules and certificates: each of those keeps what was read before.</summary>
    public IReadOnlyList<string> FileMistakes { get; init; } = [];

    /// <summary>Names of the settings whose new value is in force.</summary>
    public IReadOnlyList<string> Changed { get; init; } = [];

    /// <summary>Names of the settings that differ in the file but keep their value until the next start.</summary>
    public IReadOnlyList<string> NeedRestart { get; init; } = [];

    public bool Succeeded => Mistakes.Count == 0;
}
