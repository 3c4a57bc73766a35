namespace PgRouter.IntegrationTests.Wire;

/// <summary>
/// Protocol scripts of one subject in one text: a line <c>=== name</c> begins the next one. A name with <c>[primary]</c> needs a router
/// that does not balance reads. The verb <c>r "sql"</c> stands for <c>q</c> in one variant of the script and for <c>x</c> in another.
/// </summary>
internal static class ScriptBook
{
    private const string Mark = "=== ";

    /// <summary>Scripts that are small enough to be sent byte by byte.</summary>
    public static IReadOnlyList<NamedScript> Wire { get; } =
    [
        .. Read(SimpleScripts.Text), .. Read(ExtendedScripts.Text), .. Read(ErrorScripts.Text), .. Read(CopyScripts.Text),
        .. Read(TransactionScripts.Text), .. Read(SessionScripts.Text), .. Read(NameScripts.Text), .. Read(NotificationScripts.Text),
        .. GeneratedScripts.Small(),
    ];

    /// <summary>Sessions written from PostgreSQL's documentation: the files of the folder Scripts.</summary>
    public static IReadOnlyList<NamedScript> Sessions { get; } =
    [
        .. Directory.GetFiles(FolderOfScripts, "*.script").Order(StringComparer.Ordinal).SelectMany(file => Read(File.ReadAllText(file)))
            .SelectMany(script => script.InBothProtocols()),
    ];

    /// <summary>Scripts with messages of megabytes.</summary>
    public static IReadOnlyList<NamedScript> Large { get; } = [.. GeneratedScripts.Large()];

    /// <summary>What the scripts of <see cref="Sessions"/> find in the database.</summary>
    public static string Schema => File.ReadAllText(Path.Combine(FolderOfScripts, "schema.sql"));

    /// <summary>The same for another database of the cluster: roles and the settings of a database are there already.</summary>
    public static string SchemaWithoutRoles => Schema[Schema.IndexOf("CREATE TABLE", StringComparison.Ordinal)..];

    private static string FolderOfScripts => Path.Combine(AppContext.BaseDirectory, "Comparison", "Scripts");

    private static IEnumerable<NamedScript> Read(string text)
    {
        foreach (var part in ("\n" + text).Split("\n" + Mark, StringSplitOptions.RemoveEmptyEntries))
        {
            var end = part.IndexOf('\n', StringComparison.Ordinal);
            yield return new NamedScript(part[..end].Trim(), part[(end + 1)..]);
        }
    }
}
