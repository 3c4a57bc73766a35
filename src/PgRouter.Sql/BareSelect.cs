using System.Text.Json;

namespace PgRouter.Sql;

/// <summary>Recognises <c>SELECT f(..), g(..)</c> with nothing else, where each column is evaluated exactly once.</summary>
internal static class BareSelect
{
    /// <summary>From the SelectStmt object to the FuncCall object of a column: targetList, its element, ResTarget, val, FuncCall.</summary>
    private const int ColumnDepth = 5;

    /// <summary>The depth of a column's FuncCall object, or -1 when the SELECT has more than columns.</summary>
    public static int CallDepth(Utf8JsonReader json)
    {
        var depth = json.CurrentDepth;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var isPlain = json.ValueTextEquals("targetList"u8) || json.ValueTextEquals("limitOption"u8) || json.ValueTextEquals("op"u8);
            json.Read();
            if (!isPlain)
                return -1;
            json.Skip();
        }

        return depth + ColumnDepth;
    }
}
