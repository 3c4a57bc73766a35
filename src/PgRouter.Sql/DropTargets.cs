using System.Text.Json;

namespace PgRouter.Sql;

/// <summary>
/// The relations that a DROP names: {"objects":[{"List":{"items":[{"String":{"sval":"s"}},{"String":{"sval":"t"}}]}}],"removeType":"OBJECT_TABLE"}.
/// </summary>
internal static class DropTargets
{
    /// <summary>Reads the fields of a DropStmt to its end.</summary>
    public static void Read(ref Utf8JsonReader json, StatementFacts facts)
    {
        var names = new List<(string? Schema, string Name)>();
        var type = "";
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("removeType"u8))
                type = JsonText.ReadString(ref json);
            else if (json.ValueTextEquals("objects"u8))
                ReadObjects(ref json, names);
            else
            {
                json.Read();
                json.Skip();
            }
        }

        if (type is not ("OBJECT_TABLE" or "OBJECT_VIEW" or "OBJECT_MATVIEW" or "OBJECT_FOREIGN_TABLE" or "OBJECT_SEQUENCE" or "OBJECT_INDEX"))
            return;
        foreach (var (schema, name) in names)
            facts.AddTable(new TableUse(schema, name, IsWritten: true));
    }

    private static void ReadObjects(ref Utf8JsonReader json, List<(string? Schema, string Name)> names)
    {
        var parts = new List<string>(2);
        json.Read();
        var depth = json.CurrentDepth;
        while (json.Read() && json.CurrentDepth > depth)
        {
            if (json.TokenType == JsonTokenType.PropertyName && json.ValueTextEquals("sval"u8))
            {
                parts.Add(JsonText.ReadString(ref json));
            }
            else if (json.CurrentDepth == depth + 1 && json.TokenType == JsonTokenType.EndObject)
            {
                if (parts.Count > 0)
                    names.Add((parts.Count > 1 ? parts[^2] : null, parts[^1]));
                parts.Clear();
            }
        }
    }
}
