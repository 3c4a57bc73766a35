using System.Collections.Frozen;

namespace PgRouter.Sql;

/// <summary>
/// What a piece of code says of itself: the body of a function, a DO block, the definition of a view, an expression. Immutable. Names are in
/// lower case unless they were quoted.
/// </summary>
public sealed class RoutineBody
{
    /// <summary>Code that cannot be looked into.</summary>
    public static readonly RoutineBody Opaque = new(SessionTraits.Anything, [], []);

    /// <summary>Code that does nothing of note.</summary>
    public static readonly RoutineBody Harmless = new(SessionTraits.None, [], []);

    internal RoutineBody(SessionTraits traits, IEnumerable<FunctionName> calls, IEnumerable<string> names)
    {
        Traits = traits;
        Calls = calls.ToFrozenSet();
        Names = names.ToFrozenSet(StringComparer.Ordinal);
    }

    /// <summary>What the text itself does; what the functions do that it calls comes on top.</summary>
    public SessionTraits Traits { get; }

    /// <summary>Whatever may be a function call that is not certainly one of PostgreSQL's own; names of tables and types stand among them.</summary>
    public FrozenSet<FunctionName> Calls { get; }

    /// <summary>Every identifier: the relations that the text uses are among them.</summary>
    public FrozenSet<string> Names { get; }

    /// <summary>A name in the text is only known when it runs, as with <c>EXECUTE format('.. %I ..')</c>.</summary>
    public bool HasUnknownNames => Names.Contains(UnknownName);

    /// <summary>Whatever is called from it, or runs behind it in the same transaction, may find other objects by the same names.</summary>
    public bool MayChangeNames =>
        Traits.HasFlag(SessionTraits.IsOpaque) || Names.Contains(SearchPath) || Names.Contains("role") || Names.Contains("authorization")
        || Names.Contains("session_authorization");

    /// <summary>The setting that says which schemas a name is looked for in.</summary>
    public const string SearchPath = "search_path";

    /// <summary>Stands for a name that is put in at run time: no character, so that nobody calls anything so.</summary>
    internal const string UnknownName = "\uFFFF";
}

/// <summary>A function by the name in a text; the schema is null when not written.</summary>
public readonly record struct FunctionName(string? Schema, string Name);
