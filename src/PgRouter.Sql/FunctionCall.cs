using System.Text.Json;

namespace PgRouter.Sql;

/// <summary>Reads one FuncCall node and judges it by <see cref="BuiltinFunctions"/>.</summary>
internal static class FunctionCall
{
    private const int MaxConstants = 3;

    public static void Read(ref Utf8JsonReader json, TreeWalker walker, StatementFacts facts)
    {
        var isBareCall = json.CurrentDepth == facts.BareCallDepth;
        var name = (Schema: (string?)null, Name: "");
        var arguments = 0;
        var orderArguments = 0;
        var isWithinGroup = false;
        var constants = Array.Empty<Constant>();
        var location = 0;
        var depth = json.CurrentDepth;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("funcname"u8))
            {
                json.Read();
                name = JsonText.ReadQualifiedName(ref json);
            }
            else if (json.ValueTextEquals("args"u8))
            {
                json.Read();
                constants = ReadsConstants(name.Name) ? ReadConstants(json) : constants;
                var wasInSignal = facts.IsInSignal;
                facts.IsInSignal |= PidCalls.FunctionOf(name.Schema, name.Name) is PidFunction.Cancel or PidFunction.Terminate;
                arguments = CountAndWalk(ref json, walker);
                facts.IsInSignal = wasInSignal;
            }
            else if (json.ValueTextEquals("agg_order"u8))
            {
                json.Read();
                orderArguments = CountAndWalk(ref json, walker);
            }
            else if (json.ValueTextEquals("agg_within_group"u8))
            {
                json.Read();
                isWithinGroup = json.TokenType == JsonTokenType.True;
            }
            else if (json.ValueTextEquals("location"u8))
            {
                json.Read();
                location = json.GetInt32();
            }
            else
            {
                json.Read();
                walker.Value(ref json);
            }
        }

        facts.Computes |= arguments + orderArguments > 0;
        if (PidCalls.FunctionOf(name.Schema, name.Name) is { } pidFunction)
            facts.AddPidCall(new PidCallFound(location, depth, pidFunction, PlaceOf(pidFunction, depth, isBareCall, facts)));
        if (name.Schema is null or "pg_catalog" && name.Name == "set_config")
            SetConfig(constants, isBareCall, facts);
        else if (name.Schema is null or "pg_catalog" && name.Name == "current_setting")
            CurrentSetting(constants, facts);
        else
            Judge(name, isWithinGroup ? arguments + orderArguments : arguments, facts);
    }

    /// <summary>Raises the class of the statement by what the function may do.</summary>
    public static void Judge((string? Schema, string Name) function, int arguments, StatementFacts facts)
    {
        var (schema, name) = function;
        if (!BuiltinFunctions.TryGetKind(schema, name, arguments, out var kind))
        {
            RunsCode(function, arguments, facts);
            facts.Raise(StatementClass.NeedsCatalog, $"function {name}()");
            return;
        }

        facts.AddBuiltin(name);
        facts.FunctionEffects |= EffectsOf(name, arguments);
        facts.MeansServerPids |= PidCalls.IsOfServers(name);
        facts.CallsForPrimary |= IsForPrimary(kind, name);
        facts.WritesUnseen |= kind == FunctionKind.PrimaryOnly && BuiltinFunctions.WritesTables(name);
        if (kind == FunctionKind.PrimaryOnly)
        {
            if (BuiltinTraits.RunsText(name))
                RunsCode(("pg_catalog", name), arguments, facts);
            facts.Raise(StatementClass.Write, $"{name}()");
        }
        else if (kind is FunctionKind.PrimaryRead or FunctionKind.SessionState)
            facts.Raise(StatementClass.PrimaryRead, $"{name}()");
    }

    /// <summary>A sequence is refused by a READ ONLY transaction wherever it runs, and settings are the session's.</summary>
    private static bool IsForPrimary(FunctionKind kind, string name) => kind switch
    {
        FunctionKind.PrimaryOnly => name is not ("nextval" or "setval"),
        FunctionKind.SessionState => name is not ("set_config" or "current_setting" or "setseed"),
        _ => false,
    };

    /// <summary>What it does to the session nobody knows from the text.</summary>
    private static void RunsCode((string? Schema, string Name) function, int arguments, StatementFacts facts)
    {
        facts.AddFunction(new FunctionUse(function.Schema, function.Name, arguments));
        facts.FunctionEffects |= SessionEffects.RunsOpaqueCode;
    }

    private static PidCallPlace PlaceOf(PidFunction function, int depth, bool isBareCall, StatementFacts facts)
    {
        if (function != PidFunction.OwnPid)
            return isBareCall ? facts.IsInOutputColumn ? PidCallPlace.BareColumn : PidCallPlace.NamedBareColumn : PidCallPlace.Untouched;
        if (facts.IsInSignal)
            return PidCallPlace.Untouched;
        if (depth == facts.FromItemDepth)
            return PidCallPlace.FromItem;
        return facts.IsInOutputColumn ? PidCallPlace.OutputColumn : PidCallPlace.Expression;
    }

    private static SessionEffects EffectsOf(string name, int arguments) => name switch
    {
        "nextval" or "setval" => SessionEffects.WritesSequenceState,
        "currval" or "lastval" => SessionEffects.ReadsSequenceState,
        "pg_notify" => SessionEffects.Notifies,
        "pg_listening_channels" => SessionEffects.ReadsChannels,
        "setseed" or "pg_backup_start" or "pg_start_backup" or "pg_replication_origin_session_setup" => SessionEffects.BindsToServer,
        // With so many arguments perhaps a temporary slot, which lives as long as the server's session.
        "pg_create_physical_replication_slot" when arguments > 1 => SessionEffects.BindsToServer,
        "pg_create_logical_replication_slot" or "pg_copy_physical_replication_slot" or "pg_copy_logical_replication_slot" when arguments > 2 =>
            SessionEffects.BindsToServer,
        "pg_advisory_lock" or "pg_advisory_lock_shared" or "pg_try_advisory_lock" or "pg_try_advisory_lock_shared" =>
            SessionEffects.LocksAdvisory,
        "pg_advisory_unlock" or "pg_advisory_unlock_shared" => SessionEffects.UnlocksAdvisory,
        "pg_advisory_unlock_all" => SessionEffects.UnlocksAdvisory | SessionEffects.UnlocksAllAdvisory,
        _ => SessionEffects.None,
    };

    private static bool ReadsConstants(string name) => name is "set_config" or "current_setting";

    private static Constant[] ReadConstants(Utf8JsonReader arguments)
    {
        var constants = new List<Constant>(MaxConstants);
        while (arguments.Read() && arguments.TokenType == JsonTokenType.StartObject && constants.Count < MaxConstants)
        {
            var probe = arguments;
            constants.Add(Constant.Read(ref probe, []));
            arguments.Skip();
        }

        return constants.ToArray();
    }

    private static int CountAndWalk(ref Utf8JsonReader json, TreeWalker walker)
    {
        var count = 0;
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            count++;
            walker.Value(ref json);
        }

        return count;
    }

    /// <summary>
    /// set_config is SET when it is certain to run exactly once with constant arguments. Elsewhere a transaction-local one leaves nothing
    /// behind, and any other is state that cannot be replayed.
    /// </summary>
    private static void SetConfig(Constant[] arguments, bool isBareCall, StatementFacts facts)
    {
        facts.LiteralsMatter = true;
        if (arguments is [{ Kind: ConstantKind.String } name, { Kind: ConstantKind.String or ConstantKind.Null } value, var local]
            && IsTrue(local) is { } isLocal)
        {
            if (isBareCall)
            {
                var setting = name.Text.ToLowerInvariant();
                SettingRules.Apply(setting, SettingRules.ValueOf(setting, value), isLocal, facts);
                return;
            }

        }

        if (arguments is [_, _, var last] && IsTrue(last) == true)
        {
            facts.FunctionEffects |= SessionEffects.SetsParameter;
            facts.Raise(StatementClass.PrimaryRead, "set_config()");
            return;
        }

        facts.FunctionEffects |= SessionEffects.ChangesSessionOpaquely | SessionEffects.SetsParameter;
        facts.Raise(StatementClass.PrimaryRead, "set_config()");
    }

    private static bool? IsTrue(Constant constant) => constant switch
    {
        { Kind: ConstantKind.Boolean } => constant.Text == "true",
        { Kind: ConstantKind.String, Text: "t" or "true" or "on" or "yes" or "1" } => true,
        { Kind: ConstantKind.String, Text: "f" or "false" or "off" or "no" or "0" } => false,
        _ => null,
    };

    /// <summary>
    /// A custom setting (app.user_id) lives in the session and follows it; a server's own setting is the primary's, as with SHOW.
    /// </summary>
    private static void CurrentSetting(Constant[] arguments, StatementFacts facts)
    {
        facts.LiteralsMatter = true;
        if (arguments is not [{ Kind: ConstantKind.String } name, ..] || !name.Text.Contains('.'))
            facts.Raise(StatementClass.PrimaryRead, "current_setting()");
    }
}
