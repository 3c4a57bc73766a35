namespace PgRouter.Sql;

/// <summary>Gathers what <see cref="BodyReader"/> finds.</summary>
internal sealed class BodyScan
{
    private readonly HashSet<FunctionName> _calls = [];
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private SessionTraits _traits;

    public void Add(SessionTraits traits) => _traits |= traits;

    public void AddName(string name, bool isCall)
    {
        _names.Add(name);
        if (!isCall && (name == "information_schema" || (name.StartsWith("pg_", StringComparison.Ordinal) && name != "pg_catalog")))
            _traits |= SessionTraits.ReadsNode;
        if (name is "pg_prepared_statements" or "pg_cursors")
            _traits |= SessionTraits.ReadsSession;
        else if (name == "pg_temp")
            _traits |= SessionTraits.CreatesTemporary;
    }

    /// <summary>
    /// A name of PostgreSQL's own counts as that function and, since a schema in front of pg_catalog in search_path may hide it, as a name to be
    /// looked up too.
    /// </summary>
    public void AddCall(string? schema, string name)
    {
        if (schema is null or "pg_catalog")
            _traits |= BuiltinTraits.Of(name);
        if (schema != "pg_catalog")
            _calls.Add(new FunctionName(schema, name));
    }

    /// <summary>
    /// A name put in at run time stands before a parenthesis: a function, unless it is the table of an INSERT or a CREATE with its columns.
    /// </summary>
    public void AddUnknownCall(BodyTokens tokens, int i)
    {
        var start = tokens[i - 1].IsSign(".") ? i - 2 : i;
        if (!(tokens[start - 1].Is("into") || tokens[start - 1].Is("table") || tokens[start - 1].Is("exists")))
            _traits |= SessionTraits.Anything;
    }

    public RoutineBody ToBody() => _traits.HasFlag(SessionTraits.IsOpaque) ? RoutineBody.Opaque : new RoutineBody(_traits, _calls, _names);
}
