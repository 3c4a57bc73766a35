using System.Text.RegularExpressions;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Scripts;

namespace PgRouter.IntegrationTests.Wire;

/// <summary>One protocol script; its name is the test's.</summary>
public sealed partial record NamedScript(string Name, string Text)
{
    private static readonly Regex[] Always = [TemporarySchema, Notifier];

    /// <summary>Whether it reads a permanent table that it has just changed: a standby may not show that yet.</summary>
    public bool NeedsPrimary => Name.Contains("[primary]", StringComparison.Ordinal);

    /// <summary>The number of a server's schema for temporary tables.</summary>
    [GeneratedRegex(@"pg_temp_\d+")]
    private static partial Regex TemporarySchema { get; }

    /// <summary>The process id at the beginning of a notification.</summary>
    [GeneratedRegex("^A \".*?wire_channel")]
    private static partial Regex Notifier { get; }

    /// <summary>The verb <c>r</c> at the beginning of a line, behind the connection's name.</summary>
    [GeneratedRegex(@"^(\w+: )?r ", RegexOptions.Multiline)]
    private static partial Regex RunVerb { get; }

    /// <summary>The script in both protocols, if it leaves that open by the verb <c>r</c>; else the script itself.</summary>
    public IEnumerable<NamedScript> InBothProtocols() => RunVerb.IsMatch(Text)
        ? [new NamedScript(Name + ", simple", RunVerb.Replace(Text, "$1q ")), new NamedScript(Name + ", extended", RunVerb.Replace(Text, "$1x "))]
        : [this];

    /// <summary>Plays it at both endpoints; a difference is an exception that shows it.</summary>
    public Task RequireEqualAsync(Endpoint direct, Endpoint routed, PlayOptions? play = null) =>
        Comparison.RequireEqualAsync(Text, direct, routed, Options(play));

    /// <inheritdoc/>
    public override string ToString() => Name;

    /// <summary>What may differ: numbers of processes and of temporary schemas.</summary>
    internal static ComparisonOptions Options(PlayOptions? play = null) => new() { Play = play ?? new PlayOptions(), MaskedPatterns = Always };
}
