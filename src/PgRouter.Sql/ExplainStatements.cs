using System.Text.Json;

namespace PgRouter.Sql;

/// <summary>EXPLAIN: as the statement it explains; without ANALYZE nothing is executed.</summary>
internal static class ExplainStatements
{
    public static void Read(ref Utf8JsonReader json, ReadOnlySpan<byte> sql, StatementFacts facts)
    {
        var executes = Executes(json, facts);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var isQuery = json.ValueTextEquals("query"u8);
            json.Read();
            if (isQuery)
                StatementReader.Nested(ref json, sql, facts);
            else
                json.Skip();
        }

        facts.Kind = StatementKind.Explain;
        facts.ExecutesFunctions = executes;
        facts.ChangesSchema &= executes;
        if (!executes)
            facts.Effects &= SessionEffects.ExecutesPrepared;
    }

    /// <summary>The last ANALYZE option decides, as in PostgreSQL; one without a value is on.</summary>
    private static bool Executes(Utf8JsonReader json, StatementFacts facts)
    {
        var executes = false;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var isOptions = json.ValueTextEquals("options"u8);
            json.Read();
            if (!isOptions)
            {
                json.Skip();
                continue;
            }

            while (json.Read() && json.TokenType == JsonTokenType.StartObject)
            {
                if (ReadAnalyze(ref json, facts) is { } value)
                    executes = value;
            }
        }

        return executes;
    }

    /// <summary>Reads one {"DefElem":{"defname":..,"arg":..}}; null when it is another option.</summary>
    private static bool? ReadAnalyze(ref Utf8JsonReader json, StatementFacts facts)
    {
        var isAnalyze = false;
        var isOn = true;
        json.Read();
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("defname"u8))
                isAnalyze = JsonText.ReadString(ref json) == "analyze";
            else if (json.ValueTextEquals("arg"u8))
            {
                json.Read();
                facts.LiteralsMatter |= isAnalyze;
                isOn = ReadBoolean(ref json);
            }
            else
            {
                json.Read();
                json.Skip();
            }
        }

        json.Read();
        return isAnalyze ? isOn : null;
    }

    /// <summary>{"String":{"sval":"off"}}, {"Integer":{"ival":1}} or {"Boolean":..}, where zero and false are an empty object.</summary>
    private static bool ReadBoolean(ref Utf8JsonReader json)
    {
        var depth = json.CurrentDepth;
        var isOn = false;
        while (json.Read() && json.CurrentDepth > depth)
        {
            if (json.TokenType == JsonTokenType.String)
                isOn = json.GetString()!.ToLowerInvariant() is not ("off" or "false" or "0");
            else if (json.TokenType is JsonTokenType.Number or JsonTokenType.True)
                isOn = true;
        }

        return isOn;
    }
}
