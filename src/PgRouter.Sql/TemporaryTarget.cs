using System.Text.Json;

namespace PgRouter.Sql;

/// <summary>Finds whether a CREATE makes something temporary that outlives its transaction.</summary>
internal static class TemporaryTarget
{
    /// <summary>
    /// Reads the object the reader stands on: TEMP or schema pg_temp anywhere, and no ON COMMIT DROP. Names anywhere in it are taken for
    /// schemas, so that CREATE FUNCTION pg_temp.f counts too; a false alarm only pins a session. Constants are passed over: the verdict must
    /// be the same for all texts of a shape.
    /// </summary>
    /// <param name="json">On the object.</param>
    /// <param name="isDeclared">What is made is said to be TEMP in so many words, whatever becomes of it at COMMIT.</param>
    public static bool Read(ref Utf8JsonReader json, out bool isDeclared)
    {
        isDeclared = false;
        var depth = json.CurrentDepth;
        var isTemporary = false;
        var isDropped = false;
        while (json.Read() && json.CurrentDepth > depth)
        {
            if (json.TokenType != JsonTokenType.PropertyName)
                continue;
            if (json.ValueTextEquals("relpersistence"u8))
            {
                json.Read();
                isTemporary |= isDeclared |= json.ValueTextEquals("t"u8);
            }
            else if (json.ValueTextEquals("schemaname"u8) || json.ValueTextEquals("newschema"u8) || json.ValueTextEquals("local_schema"u8))
            {
                json.Read();
                isTemporary |= IsTemporary(json);
            }
            else if (json.ValueTextEquals("onCommit"u8) || json.ValueTextEquals("oncommit"u8))
            {
                json.Read();
                isDropped |= json.ValueTextEquals("ONCOMMIT_DROP"u8);
            }
            else if (json.ValueTextEquals("A_Const"u8) || json.ValueTextEquals("DefElem"u8))
            {
                json.Read();
                json.Skip();
            }
            else if (json.ValueTextEquals("String"u8))
            {
                json.Read();
                if (json.Read() && json.TokenType == JsonTokenType.PropertyName && json.Read())
                    isTemporary |= IsTemporary(json);
            }
        }

        return isTemporary && !isDropped;
    }

    private static bool IsTemporary(in Utf8JsonReader json) =>
        json.TokenType == JsonTokenType.String && (json.ValueTextEquals("pg_temp"u8) || json.ValueSpan.StartsWith("pg_temp_"u8));
}
