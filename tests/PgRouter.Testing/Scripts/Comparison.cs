using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using PgRouter.Testing.Protocol;

namespace PgRouter.Testing.Scripts;

/// <summary>What may differ between the direct and the routed answer.</summary>
public sealed record ComparisonOptions
{
    /// <summary>How both sides are played.</summary>
    public PlayOptions Play { get; init; } = new();

    /// <summary>Columns whose values are not compared, by their name in the RowDescription.</summary>
    public IReadOnlyCollection<string> MaskedColumns { get; init; } = ["pg_backend_pid", "pid"];

    /// <summary>Patterns whose matches in the readable form of a message are not compared: see <see cref="Masks"/>.</summary>
    public IReadOnlyCollection<Regex> MaskedPatterns { get; init; } = [];

    /// <summary>Compare the login as well; the order of ParameterStatus and the contents of BackendKeyData never count.</summary>
    public bool CompareStartup { get; init; } = true;
}

/// <summary>Ready-made patterns for <see cref="ComparisonOptions.MaskedPatterns"/>.</summary>
public static partial class Masks
{
    /// <summary>A WAL position.</summary>
    [GeneratedRegex(@"\b[0-9A-F]{1,8}/[0-9A-F]{1,8}\b")]
    public static partial Regex Lsn { get; }

    /// <summary>File, line and routine of PostgreSQL's source at the end of an error, which an error of the router's own does not have.</summary>
    [GeneratedRegex("""F[\w.]+\\x00L\d+\\x00R\w+\\x00\\x00"$""")]
    internal static partial Regex SourcePlace { get; }

    /// <summary>A timestamp in ISO style, with or without zone.</summary>
    [GeneratedRegex(@"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?([+-]\d\d(:\d\d)?)?")]
    public static partial Regex Timestamp { get; }
}

/// <summary>Both transcripts and whether they say the same.</summary>
/// <param name="Direct">What PostgreSQL answered.</param>
/// <param name="Routed">What the router answered.</param>
/// <param name="Difference">Null when they are equal, else a readable account of the first differences.</param>
public sealed record ComparisonResult(Transcript Direct, Transcript Routed, string? Difference)
{
    /// <summary>Whether every compared byte is the same.</summary>
    public bool AreEqual => Difference is null;
}

/// <summary>Plays one script directly and through the router and compares the answers byte for byte.</summary>
public static class Comparison
{
    private const string Masked = "<masked>";

    /// <summary>Plays both sides one after the other, so that the script should leave the database as it found it.</summary>
    public static async Task<ComparisonResult> RunAsync(string script, Endpoint direct, Endpoint routed, ComparisonOptions? options = null)
    {
        var chosen = options ?? new ComparisonOptions();
        var left = await ScriptPlayer.PlayAsync(script, direct, chosen.Play);
        var right = await ScriptPlayer.PlayAsync(script, routed, chosen.Play);
        return Compare(left, right, chosen);
    }

    /// <summary>Compares two transcripts of one script.</summary>
    public static ComparisonResult Compare(Transcript direct, Transcript routed, ComparisonOptions options)
    {
        var left = Lines(direct, options);
        var right = Lines(routed, options);
        for (var index = 0; index < Math.Min(left.Count, right.Count); index++)
            left[index] = LikeOwnError(left[index], right[index]);
        return new ComparisonResult(direct, routed, Diff(left, right));
    }

    /// <summary>Like <see cref="RunAsync"/>, but a difference is an exception that shows it.</summary>
    /// <exception cref="TestBedException">The answers differ.</exception>
    public static async Task RequireEqualAsync(string script, Endpoint direct, Endpoint routed, ComparisonOptions? options = null)
    {
        var result = await RunAsync(script, direct, routed, options);
        if (result.Difference is { } difference)
            throw new TestBedException($"The routed answer differs (- {direct}, + {routed}):\n{difference}");
    }

    // The router knows PostgreSQL's errors, but not the places in PostgreSQL's source where they are made.
    private static string LikeOwnError(string direct, string routed) =>
        direct.Contains(": E \"", StringComparison.Ordinal) && !Masks.SourcePlace.IsMatch(routed)
            ? Masks.SourcePlace.Replace(direct, "\\x00\"")
            : direct;

    // PostgreSQL raises the one where nothing was ever asked for and where the sequence is gone; the other at whatever message it gets first, and
    // a server that has not seen a statement yet gets its Parse first.
    private static readonly string[] OfManyPlaces = ["is not yet defined in this session", "\\x00C25P02\\x00"];

    private static List<string> Lines(Transcript transcript, ComparisonOptions options)
    {
        var columns = new Dictionary<string, IReadOnlyList<string>>();
        var oids = new ObjectNumbers();
        var lines = new List<string>();
        foreach (var group in transcript.Replies.GroupBy(reply => (reply.Connection, reply.Line, reply.AtStartup)))
        {
            if (group.Key.AtStartup && !options.CompareStartup)
                continue;
            var texts = group.Select(reply => (reply.Message?.Type, Text: Readable(reply, columns, oids, options))).ToList();
            // Only at login is the order of ParameterStatus free: there it says nothing.
            var ordered = group.Key.AtStartup ? texts.OrderBy(text => RankAtStartup(text.Type)).ThenBy(text => text.Text, StringComparer.Ordinal) : texts.AsEnumerable();
            lines.AddRange(ordered.Select(text => $"{group.Key.Connection}, line {group.Key.Line}: {text.Text}"));
        }

        return lines;
    }

    private static int RankAtStartup(char? type) => type switch
    {
        'R' => 0,
        'S' => 1,
        'K' => 2,
        'Z' => 4,
        _ => 3,
    };

    private static string Readable(
        Reply reply, Dictionary<string, IReadOnlyList<string>> columns, ObjectNumbers oids, ComparisonOptions options)
    {
        if (reply.Message is not { } message)
            return "(end)";
        if (message.Type == 'K')
            return "K " + Masked;
        if (message.Type == 'T')
            columns[reply.Connection] = message.ColumnNames();
        var text = message.Type == 'D' ? ReadableRow(message, columns.GetValueOrDefault(reply.Connection, []), options) : oids.Renumber(message).ToString();
        if (message.Type == 'E' && OfManyPlaces.Any(error => text.Contains(error, StringComparison.Ordinal)))
            text = Masks.SourcePlace.Replace(text, "\\x00\"");
        return options.MaskedPatterns.Aggregate(text, (current, pattern) => pattern.Replace(current, Masked));
    }

    private static string ReadableRow(RawMessage row, IReadOnlyList<string> names, ComparisonOptions options) =>
        "D " + string.Join(' ', row.Columns().Select((value, index) => value switch
        {
            null => "NULL",
            _ when index < names.Count && options.MaskedColumns.Contains(names[index]) => Masked,
            _ => RawMessage.Quoted(value),
        }));

    private static string? Diff(List<string> direct, List<string> routed)
    {
        const int Context = 3;
        const int Shown = 12;
        var same = direct.Zip(routed).TakeWhile(pair => pair.First == pair.Second).Count();
        if (same == direct.Count && same == routed.Count)
            return null;
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"first difference after {same} equal messages\n");
        Append(' ', direct.Take(same).Skip(same - Context));
        Append('-', direct.Skip(same).Take(Shown));
        Append('+', routed.Skip(same).Take(Shown));
        return text.ToString();

        void Append(char sign, IEnumerable<string> lines) =>
            text.AppendJoin("", lines.Select(line => $"{sign} {line}\n"));
    }
}
