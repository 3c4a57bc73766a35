namespace PgRouter.IntegrationTests.Wire;

/// <summary>A part of a generated session that leaves nothing unread: it ends with the ReadyForQuery of its last message.</summary>
/// <param name="Lines">Lines of a script that can be left out one by one.</param>
/// <param name="End">What follows them and cannot be left out; null if the lines read for themselves.</param>
internal sealed record SessionPart(IReadOnlyList<string> Lines, string? End)
{
    /// <summary>One statement.</summary>
    public static SessionPart Of(string line) => new([line], null);

    /// <summary>The part with fewer lines, in all the ways in which one is left out.</summary>
    public IEnumerable<SessionPart> Shrink() => Lines.Count < 2 ? [] : Lines.Select((_, index) => this with { Lines = [.. Lines.Where((_, at) => at != index)] });

    /// <inheritdoc/>
    public override string ToString()
    {
        var syncs = Lines.Count(line => line == "S");
        return string.Join('\n', Lines) + (End is null ? "" : $"\n{End}" + (syncs > 0 ? $"\n> Z {syncs + 1}" : "\n> Z"));
    }
}

/// <summary>A generated session; its text is a script that can be pasted into a file of the folder Scripts.</summary>
/// <param name="Parts">In the order in which they are played.</param>
internal sealed record GeneratedSession(IReadOnlyList<SessionPart> Parts)
{
    /// <summary>Shorter sessions, the shortest first: halves, then without one part, then with a shorter part.</summary>
    public IEnumerable<GeneratedSession> Shrink()
    {
        for (var size = Parts.Count / 2; size >= 1; size /= 2)
        {
            for (var from = 0; from + size <= Parts.Count; from += size)
                yield return new GeneratedSession([.. Parts.Take(from), .. Parts.Skip(from + size)]);
        }

        for (var index = 0; index < Parts.Count; index++)
        {
            foreach (var shorter in Parts[index].Shrink())
                yield return new GeneratedSession([.. Parts.Take(index), shorter, .. Parts.Skip(index + 1)]);
        }
    }

    /// <inheritdoc/>
    public override string ToString() => string.Join('\n', Parts) + "\n";
}
