namespace PgRouter.Core.Configuration;

/// <summary>Where a value was given: a line of a file, or an environment variable (line 0).</summary>
internal readonly record struct ConfigSource(string Name, int Line = 0)
{
    public override string ToString() => Line > 0 ? $"{Name}:{Line}" : Name;
}

/// <summary>One assignment as it was written, before anything is known about the setting.</summary>
internal sealed record ConfigEntry(string Name, string Value, ConfigSource Source);

/// <summary>Something in the configuration that must be changed before it can be used.</summary>
/// <param name="Source">File and line, or the environment variable.</param>
/// <param name="Setting">Name as written; empty when the line has none.</param>
/// <param name="Message">What was found and what is allowed.</param>
internal sealed record ConfigMistake(ConfigSource Source, string Setting, string Message)
{
    public override string ToString() => Setting.Length == 0 ? $"{Source}: {Message}" : $"{Source}: {Setting}: {Message}";
}
