namespace PgRouter.Core.Configuration;

/// <summary>The lists that say what runs on the primary and which node a client prefers. Immutable; replaced whole by a reload.</summary>
internal sealed record RoutingLists
{
    public static readonly RoutingLists Empty = new();

    /// <summary>read_only_function_list: when there is one, any other function of users keeps its statement on the primary.</summary>
    public PatternList ReadOnlyFunctions { get; init; } = PatternList.Empty;

    /// <summary>write_function_list.</summary>
    public PatternList WriteFunctions { get; init; } = PatternList.Empty;

    /// <summary>primary_routing_query_pattern_list.</summary>
    public PatternList PrimaryStatements { get; init; } = PatternList.Empty;

    /// <summary>user_redirect_preference_list.</summary>
    public RedirectList Users { get; init; } = RedirectList.Empty;

    /// <summary>database_redirect_preference_list.</summary>
    public RedirectList Databases { get; init; } = RedirectList.Empty;

    /// <summary>app_name_redirect_preference_list.</summary>
    public RedirectList Applications { get; init; } = RedirectList.Empty;

    /// <summary>Some list says of statements where they run, by their functions or by themselves.</summary>
    public bool NamesStatements => ListsFunctions || !PrimaryStatements.IsEmpty;

    public bool ListsFunctions => !ReadOnlyFunctions.IsEmpty || !WriteFunctions.IsEmpty;

    /// <summary>
    /// The node that a client's reads prefer; null when none does. An application's counts before a database's, that before a user's, as in
    /// pgpool. The application name is that of the start-up packet; a client without one matches no pattern for applications.
    /// </summary>
    public NodePreference? PreferenceOf(string application, string database, string user) =>
        (application.Length > 0 ? Applications.Find(application) : null) ?? Databases.Find(database) ?? Users.Find(user);
}
