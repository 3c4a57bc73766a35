using System.Text.Json;

namespace PgRouter.Sql;

/// <summary>Finds whether a CREATE makes something temporary that outlives its transaction.</summary>
internal static class TemporaryTarget
{
    /// <summary>
    /// Reads the object the reader stands on: TEMP or schema pg_temp anywhere, and no ON COMMIT DROP. Names anywhere in it are taken for
    /// schemas, so that CREATE FUNCTION pg_temp.f counts too; a false alarm only pins a session.
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
            if (json.TokenType == JsonTokenType.PropertyName && json.ValueTextEquals("relpersistence"u8))
            {
                json.Read();
                isTemporary |= isDeclared |= json.ValueTextEquals("t"u8);
            }
            else if (json.TokenType == JsonTokenType.String)
            {
                isTemporary |= json.ValueTextEquals("pg_temp"u8);
                isDropped |= json.ValueTextEquals("ONCOMMIT_DROP"u8);
            }
        }

        return isTemporary && !isDropped;
    }
}
