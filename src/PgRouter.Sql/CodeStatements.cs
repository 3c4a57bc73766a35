using System.Text.Json;

namespace PgRouter.Sql;

/// <summary>CALL and DO: statements that are nothing but code.</summary>
internal static class CodeStatements
{
    /// <summary>The procedure is a function that no FuncCall node wraps.</summary>
    public static void Call(ref Utf8JsonReader json, TreeWalker walker, StatementFacts facts)
    {
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var isCall = json.ValueTextEquals("funccall"u8);
            json.Read();
            if (isCall)
                FunctionCall.Read(ref json, walker, facts);
            else
                walker.Value(ref json);
        }
    }

    /// <summary>Reads the code too: it is a literal, so each text is remembered as it stands.</summary>
    public static void Do(ref Utf8JsonReader json, StatementFacts facts)
    {
        facts.LiteralsMatter = true;
        var language = "plpgsql";
        string? code = null;
        var option = "";
        var depth = json.CurrentDepth;
        while (json.Read() && json.CurrentDepth > depth)
        {
            if (json.TokenType != JsonTokenType.PropertyName)
                continue;
            if (json.ValueTextEquals("defname"u8))
                option = JsonText.ReadString(ref json);
            else if (json.ValueTextEquals("sval"u8) && option == "language")
                language = JsonText.ReadString(ref json);
            else if (json.ValueTextEquals("sval"u8))
                code = JsonText.ReadString(ref json);
        }

        facts.Block = code is not null && BodyReader.LanguageOf(language) is { } known ? BodyReader.Read(known, code) : RoutineBody.Opaque;
    }
}
