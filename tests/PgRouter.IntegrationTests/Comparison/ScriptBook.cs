namespace PgRouter.IntegrationTests.Wire;

/// <summary>Protocol scripts of one subject in one text: a line <c>=== name</c> begins the next one.</summary>
internal static class ScriptBook
{
    private const string Mark = "=== ";

    /// <summary>All scripts that are small enough to be sent byte by byte.</summary>
    public static IReadOnlyList<NamedScript> All { get; } =
    [
        .. Read(SimpleScripts.Text), .. Read(ExtendedScripts.Text), .. Read(ErrorScripts.Text), .. Read(CopyScripts.Text),
        .. Read(TransactionScripts.Text), .. Read(SessionScripts.Text), .. Read(NameScripts.Text), .. Read(NotificationScripts.Text),
        .. GeneratedScripts.Small(),
    ];

    /// <summary>Scripts with messages of megabytes.</summary>
    public static IReadOnlyList<NamedScript> Large { get; } = [.. GeneratedScripts.Large()];

    private static IEnumerable<NamedScript> Read(string text)
    {
        foreach (var part in ("\n" + text).Split("\n" + Mark, StringSplitOptions.RemoveEmptyEntries))
        {
            var end = part.IndexOf('\n', StringComparison.Ordinal);
            yield return new NamedScript(part[..end].Trim(), part[(end + 1)..]);
        }
    }
}
