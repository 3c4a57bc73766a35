using System.Text.Json;

namespace PgRouter.Sql;

/// <summary>SET, RESET and DISCARD: changes of the session that are not writes.</summary>
internal static class SetStatements
{
    public static void Set(ref Utf8JsonReader json, ReadOnlySpan<byte> sql, StatementFacts facts)
    {
        facts.LiteralsMatter = true;
        var kind = "";
        var name = "";
        var isLocal = false;
        string? value = null;
        var isOpaque = false;
        var modes = new List<(string Name, Constant Value)>();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("kind"u8))
                kind = JsonText.ReadString(ref json);
            else if (json.ValueTextEquals("name"u8))
                name = JsonText.ReadString(ref json);
            else if (json.ValueTextEquals("is_local"u8))
            {
                json.Read();
                isLocal = json.TokenType == JsonTokenType.True;
            }
            else if (json.ValueTextEquals("args"u8) && kind == "VAR_SET_MULTI")
                modes = TransactionStatements.ReadModes(ref json, facts);
            else if (json.ValueTextEquals("args"u8))
                isOpaque = !TryReadValue(ref json, sql, out value);
            else
            {
                json.Read();
                json.Skip();
            }
        }

        facts.Kind = kind is "VAR_RESET" or "VAR_RESET_ALL" ? StatementKind.Reset : StatementKind.Set;
        facts.Assign(StatementClass.State, facts.Kind == StatementKind.Reset ? "RESET" : "SET");
        if (kind == "VAR_SET_MULTI")
            SetMany(name, modes, facts);
        else if (kind == "VAR_RESET_ALL")
            facts.Effects |= SessionEffects.ResetsParameter;
        else if (kind == "VAR_SET_CURRENT" || isOpaque)
            SetOpaquely(name, facts);
        else
            SetOne(name.ToLowerInvariant(), value, isLocal, facts);
    }

    public static void Discard(string? target, StatementFacts facts)
    {
        facts.Kind = StatementKind.Discard;
        facts.Effects |= target switch
        {
            "DISCARD_ALL" => SessionEffects.DiscardsAll,
            "DISCARD_PLANS" => SessionEffects.DiscardsPlans,
            "DISCARD_SEQUENCES" => SessionEffects.DiscardsSequences,
            _ => SessionEffects.DiscardsTemp,
        };
        facts.Assign(StatementClass.State, "DISCARD");
    }

    private static void SetOne(string name, string? value, bool isLocal, StatementFacts facts)
    {
        SettingRules.Apply(name, value, isLocal, facts);
        if ((facts.Effects & SessionEffects.SetsTransaction) != 0)
            facts.Assign(StatementClass.Transaction, $"SET {name}");
    }

    /// <summary>SET TRANSACTION works on the running transaction; SESSION CHARACTERISTICS are three settings of the session.</summary>
    private static void SetMany(string name, List<(string Name, Constant Value)> modes, StatementFacts facts)
    {
        if (name == "SESSION CHARACTERISTICS")
        {
            facts.Assign(StatementClass.State, "SET SESSION CHARACTERISTICS");
            facts.Effects |= SessionEffects.SetsTransaction;
            foreach (var (mode, value) in modes)
                SettingRules.Apply("default_" + mode, ModeValue(mode, value), isLocal: false, facts);
            return;
        }

        facts.Name = "transaction";
        facts.Effects |= SessionEffects.SetsTransaction;
        if (name == "TRANSACTION SNAPSHOT")
            facts.Assign(StatementClass.PrimaryRead, "SET TRANSACTION SNAPSHOT");
        else
            facts.Assign(StatementClass.Transaction, "SET TRANSACTION");
    }

    private static string ModeValue(string mode, Constant value)
    {
        if (mode == "transaction_isolation")
            return Constant.Quote(value.Text);
        return value.Text == "1" ? "'on'" : "'off'";
    }

    private static void SetOpaquely(string name, StatementFacts facts)
    {
        facts.Name = name.ToLowerInvariant();
        facts.Effects |= SessionEffects.SetsParameter | SessionEffects.ChangesSessionOpaquely;
        facts.Assign(StatementClass.PrimaryRead, $"SET {facts.Name}");
    }

    /// <summary>The arguments as one expression list; false when they cannot be written behind SET name TO.</summary>
    private static bool TryReadValue(ref Utf8JsonReader json, ReadOnlySpan<byte> sql, out string? value)
    {
        var elements = new List<string>(1);
        json.Read();
        var isKnown = true;
        while (json.Read() && json.TokenType == JsonTokenType.StartObject)
        {
            var probe = json;
            json.Skip();
            var isInterval = IsCast(probe);
            var constant = Constant.Read(ref probe, sql);
            if (constant.Kind is ConstantKind.None)
                isKnown = false;
            else if (!isInterval)
                elements.Add(constant.ToSql());
            else if (constant.Text.Contains(':'))
                elements.Add(Constant.Quote($"INTERVAL '{constant.Text}'")); // the form the TimeZone setting itself takes
            else
                isKnown = false;
        }

        value = string.Join(", ", elements);
        return isKnown && elements.Count > 0;
    }

    /// <summary>SET TIME ZONE INTERVAL '..' is the only SET with a cast.</summary>
    private static bool IsCast(Utf8JsonReader argument)
    {
        argument.Read();
        return argument.TokenType == JsonTokenType.PropertyName && argument.ValueTextEquals("TypeCast"u8);
    }
}
