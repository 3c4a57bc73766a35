using System.Runtime.CompilerServices;
using System.Text.Json;

namespace PgRouter.Sql;

/// <summary>
/// Names behind a dot, as in <c>t.name</c> and <c>(expression).name</c>: a column, or a function of one composite argument (8.16.5. Using
/// Composite Types in Queries).
/// </summary>
internal static class Attributes
{
    /// <summary>Reads a ColumnRef to its end.</summary>
    public static void OfColumn(ref Utf8JsonReader json, StatementFacts facts)
    {
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var isFields = json.ValueTextEquals("fields"u8);
            json.Read();
            if (!isFields)
                continue;
            var (before, name) = JsonText.ReadQualifiedName(ref json);
            if (before is not null)
                facts.AddAttribute(name);
            if (name is "cmin" or "cmax")
                facts.Raise(StatementClass.PrimaryRead, $"system column {name}"); // Of a row that was locked a standby has another.
        }
    }

    /// <summary>
    /// Looks at the list of an A_Indirection, or of what is assigned to, without moving on. The copy of the reader is made here: in the recursion of
    /// the caller it would cost stack at each level of a deep tree.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void OfIndirection(in Utf8JsonReader reader, StatementFacts facts)
    {
        var json = reader;
        var depth = json.CurrentDepth;
        while (json.Read() && json.CurrentDepth > depth)
        {
            // {"String":{"sval":..}} of the list itself; what stands in brackets (A_Indices) is an expression, and walked as one.
            if (json.TokenType != JsonTokenType.PropertyName || json.CurrentDepth != depth + 2 || !json.ValueTextEquals("String"u8))
                continue;
            json.Read();
            json.Read();
            facts.AddAttribute(JsonText.ReadString(ref json));
        }
    }
}
