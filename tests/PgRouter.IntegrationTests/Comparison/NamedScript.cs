using System.Text.RegularExpressions;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Scripts;

namespace PgRouter.IntegrationTests.Wire;

/// <summary>One protocol script; its name is the test's.</summary>
public sealed partial record NamedScript(string Name, string Text)
{
    private static readonly Regex[] Always = [TemporarySchema, Notifier, SourcePlace];

    /// <summary>The number of a server's schema for temporary tables.</summary>
    [GeneratedRegex(@"pg_temp_\d+")]
    private static partial Regex TemporarySchema { get; }

    /// <summary>The process id at the beginning of a notification.</summary>
    [GeneratedRegex("^A \".*?wire_channel")]
    private static partial Regex Notifier { get; }

    /// <summary>File, line and routine of PostgreSQL's source at the end of an error that may be the router's own, which has none.</summary>
    [GeneratedRegex("""(?<=C42P05.*|C25P02.*)(F[\w.]+\\x00L\d+\\x00R\w+\\x00)?\\x00"$""")]
    private static partial Regex SourcePlace { get; }

    /// <summary>Plays it at both endpoints; a difference is an exception that shows it.</summary>
    public Task RequireEqualAsync(Endpoint direct, Endpoint routed, PlayOptions? play = null) =>
        Comparison.RequireEqualAsync(
            Text,
            direct,
            routed,
            new ComparisonOptions { Play = play ?? new PlayOptions(), MaskedPatterns = Always });

    /// <inheritdoc/>
    public override string ToString() => Name;
}
