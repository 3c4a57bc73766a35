using System.Text.Json;

namespace PgRouter.Sql;

/// <summary>Small readings of libpg_query's JSON. Strings are made only here.</summary>
internal static class JsonText
{
    /// <summary>The string value of the property the reader stands on.</summary>
    public static string ReadString(ref Utf8JsonReader json)
    {
        json.Read();
        return json.GetString() ?? "";
    }

    /// <summary>A list of String nodes, as used for names: the last is the name, the one before it the schema.</summary>
    public static (string? Schema, string Name) ReadQualifiedName(ref Utf8JsonReader json)
    {
        string? schema = null;
        var name = "";
        var depth = json.CurrentDepth;
        while (json.Read() && !(json.TokenType == JsonTokenType.EndArray && json.CurrentDepth == depth))
        {
            if (json.TokenType != JsonTokenType.String)
                continue;
            schema = name.Length > 0 ? name : schema;
            name = json.GetString() ?? "";
        }

        return (schema, name);
    }
}
