namespace PgRouter.Sql;

/// <summary>What is learnt of one statement while its tree is read; becomes a <see cref="Statement"/>.</summary>
internal sealed class StatementFacts
{
    private readonly List<FunctionUse> _functions = [];
    private List<string>? _builtins;
    private readonly List<TableUse> _tables = [];
    private readonly List<SettingChange> _settings = [];
    private List<PidCallFound>? _pidCalls;

    public StatementKind Kind { get; set; }

    public StatementClass Class { get; private set; } = StatementClass.Read;

    public string Cause { get; private set; } = "";

    /// <summary>What the statement itself does to the session.</summary>
    public SessionEffects Effects { get; set; }

    /// <summary>What the functions it calls do, which counts only when they are executed.</summary>
    public SessionEffects FunctionEffects { get; set; }

    public TransactionVerb Verb { get; set; }

    public bool? ReadOnly { get; set; }

    public string? Isolation { get; set; }

    public string? Name { get; set; }

    public bool Chains { get; set; }

    public bool LiteralsMatter { get; set; }

    /// <summary>False when the statement only stores or plans its expressions (CREATE VIEW, EXPLAIN, PREPARE).</summary>
    public bool ExecutesFunctions { get; set; } = true;

    /// <summary>
    /// The JSON depth at which a function is a column of a bare <c>SELECT f(), g()</c>, called exactly once; -1 if there is none.
    /// </summary>
    public int BareCallDepth { get; set; } = -1;

    /// <summary>Inside an output column that has no name of its own, or in a clause whose expressions must match one.</summary>
    public bool IsInOutputColumn { get; set; }

    /// <summary>The JSON depth at which a function is an item of FROM, -1 if there is none.</summary>
    public int FromItemDepth { get; set; } = -1;

    /// <summary>Inside the arguments of pg_cancel_backend or pg_terminate_backend.</summary>
    public bool IsInSignal { get; set; }

    public bool ChangesSchema { get; set; }

    public bool HasPlainArguments { get; set; }

    /// <summary>CREATE TABLE AS: DDL that runs its query now.</summary>
    public bool CarriesOutQuery { get; set; }

    /// <summary>Names process ids of servers, so that every process id in it is one of a server.</summary>
    public bool MeansServerPids { get; set; }

    /// <summary>True when every table named is changed or locked (DDL, TRUNCATE, LOCK).</summary>
    public bool WritesAllTables { get; set; }

    /// <inheritdoc cref="Statement.CallsForPrimary"/>
    public bool CallsForPrimary { get; set; }

    /// <inheritdoc cref="Statement.WritesUnseen"/>
    public bool WritesUnseen { get; set; }

    /// <inheritdoc cref="Statement.IsTemporary"/>
    public bool IsTemporary { get; set; }

    /// <summary>Names behind a dot that may be functions.</summary>
    public NameMask Attributes { get; private set; }

    public void AddAttribute(string name) => Attributes = Attributes.With(name);

    /// <summary>Computes something: an operator, a cast, a function with arguments.</summary>
    public bool Computes { get; set; }

    /// <summary>The code of a DO.</summary>
    public RoutineBody? Block { get; set; }

    public int TableCount => _tables.Count;

    public bool HasSettings => _settings.Count > 0;

    public void Raise(StatementClass statementClass, string cause)
    {
        if (Cause.Length != 0 && statementClass <= Class)
            return;
        if (statementClass >= Class)
            Class = statementClass;
        Cause = cause;
    }

    /// <summary>Sets the class downwards too, for statements that are only state.</summary>
    public void Assign(StatementClass statementClass, string cause) => (Class, Cause) = (statementClass, cause);

    public void AddFunction(FunctionUse function)
    {
        if (!_functions.Contains(function))
            _functions.Add(function);
    }

    public void AddBuiltin(string name)
    {
        if (_builtins?.Contains(name) != true)
            (_builtins ??= []).Add(name);
    }

    public void AddPidCall(PidCallFound call) => (_pidCalls ??= []).Add(call);

    public int PidCallCount => _pidCalls?.Count ?? 0;

    /// <summary>Items of FROM at this depth, among the calls from <paramref name="first"/> on, have this place.</summary>
    public void PlaceFromItems(int first, int depth, PidCallPlace place)
    {
        for (var i = first; i < PidCallCount; i++)
        {
            if (_pidCalls![i] is { Place: PidCallPlace.FromItem } call && call.Depth == depth)
                _pidCalls[i] = call with { Place = place };
        }
    }

    /// <summary>The calls that concern process ids; untouched when they are stored and not carried out, or mean servers.</summary>
    public IEnumerable<PidCallFound> PidCalls()
    {
        if (_pidCalls is null)
            return [];
        var isUntouched = MeansServerPids || (Kind is StatementKind.Ddl or StatementKind.Other && !CarriesOutQuery) || _tables.Exists(Sql.PidCalls.IsOfServers);
        return isUntouched ? _pidCalls.Select(call => call with { Place = PidCallPlace.Untouched }) : _pidCalls;
    }

    public void AddSetting(SettingChange setting) => _settings.Add(setting);

    public void AddTable(TableUse table) => _tables.Add(table with { IsWritten = table.IsWritten || WritesAllTables });

    /// <summary>Takes out the tables from <paramref name="start"/> on that are names of common table expressions.</summary>
    public void RemoveHiddenTables(int start, Func<int, TableUse, bool> isHidden)
    {
        var kept = start;
        for (var i = start; i < _tables.Count; i++)
        {
            if (!isHidden(i, _tables[i]))
                _tables[kept++] = _tables[i];
        }

        _tables.RemoveRange(kept, _tables.Count - kept);
    }

    public Statement ToStatement()
    {
        foreach (var table in _tables)
            JudgeTable(table);
        var first = _settings.Count > 0 ? _settings[0] : default;
        return new Statement
        {
            Kind = Kind,
            Class = Class,
            Cause = Cause.Length == 0 ? Kind.ToString().ToUpperInvariant() : Cause,
            Effects = ExecutesFunctions ? Effects | FunctionEffects : Effects,
            Verb = Verb,
            ReadOnly = ReadOnly,
            Isolation = Isolation,
            Name = Name ?? first.Name,
            Value = first.Value,
            IsLocal = first.IsLocal,
            Settings = _settings.Count == 0 ? [] : _settings.ToArray(),
            Chains = Chains,
            ChangesSchema = ChangesSchema,
            HasPlainArguments = HasPlainArguments,
            Functions = _functions.Count == 0 ? [] : _functions.ToArray(),
            Builtins = _builtins is null ? [] : _builtins.ToArray(),
            Tables = _tables.Count == 0 ? [] : _tables.Distinct().ToArray(),
            Block = Block,
            Attributes = Attributes,
            CallsForPrimary = CallsForPrimary && ExecutesFunctions,
            WritesUnseen = WritesUnseen && ExecutesFunctions,
            IsTemporary = IsTemporary,
            IsConstant = Kind == StatementKind.Select && Class == StatementClass.Read && !Computes && _functions.Count == 0 && _tables.Count == 0,
        };
    }

    /// <summary>System catalogs and temporary tables differ between nodes or exist on one alone.</summary>
    private void JudgeTable(TableUse table)
    {
        var schema = table.Schema;
        if (table.Name == "pg_prepared_statements" && schema is (null or "pg_catalog"))
            Effects |= SessionEffects.ShowsPrepared;
        if (table is { Name: "pg_settings", IsWritten: true } && schema is (null or "pg_catalog"))
            Effects |= SessionEffects.ChangesSessionOpaquely; // Its rule calls set_config().
        var isSystemName = schema is null && table.Name.StartsWith("pg_", StringComparison.Ordinal);
        if (schema is "pg_catalog" or "information_schema" or "pg_toast" || isSystemName)
            Raise(StatementClass.PrimaryRead, $"system catalog {table.Name}");
        else if (schema is not null && schema.StartsWith("pg_temp", StringComparison.Ordinal))
            Raise(StatementClass.PrimaryRead, $"temporary table {table.Name}");
    }
}
