namespace PgRouter.Core.Configuration;

/// <summary>
/// A checked value. <see cref="Text"/> is its canonical form: two spellings of one value (10s, 10000ms) have the same text. The
/// typed member that belongs to the setting's kind is filled, the others are empty.
/// </summary>
internal sealed record SettingValue(string Text)
{
    public bool Bool { get; init; }

    /// <summary>Integer, Mode, and Size in bytes.</summary>
    public long Integer { get; init; }

    public double Real { get; init; }

    public TimeSpan Duration { get; init; }

    public IReadOnlyList<string> Items { get; init; } = [];
}

/// <summary>A value with the name it was given under and the place where it was given.</summary>
/// <param name="Name">Canonical name, with the number if it has one.</param>
/// <param name="Index">The number behind the name, null without one.</param>
/// <param name="Scope">The database or user it is for, null when it is for all.</param>
internal sealed record ConfiguredValue(
    string Name, Setting Setting, int? Index, SettingValue Value, ConfigSource Source, ScopeOf? Scope = null);
