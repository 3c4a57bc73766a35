namespace PgRouter.Core.Routing;

/// <summary>The rules by name, in the order of the ladder (docs/routing.md).</summary>
internal enum RouteReason : byte
{
    Local,
    Held,
    Hint,
    Write,
    VolatileFunction,
    Catalog,
    List,
    Consistency,
    Transaction,
    Balanced,
    NoStandby,
    NoPrimary,
}

/// <summary>The reasons as people read them: <c>volatile function</c>, in every explanation, log, metric and in docs/routing.md.</summary>
internal static class RouteReasons
{
    /// <summary>By the number of the reason.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Enum.GetNames<RouteReason>().Select(ToWords)];

    public static string Word(this RouteReason reason) => All[(int)reason];

    /// <summary>Lower case, a blank in front of what was a capital.</summary>
    private static string ToWords(string name) =>
        string.Concat(name.Select((letter, i) => char.IsUpper(letter) && i > 0 ? $" {char.ToLowerInvariant(letter)}" : $"{char.ToLowerInvariant(letter)}"));
}
