using System.Text;
using PgRouter.Core.Admin;
using PgRouter.Protocol;

namespace PgRouter.Core.Sessions;

/// <summary>An answer of the router's own as PostgreSQL's messages, each column in the format the client asked for.</summary>
internal static class LocalResult
{
    /// <param name="writer">Where to.</param>
    /// <param name="result">The answer.</param>
    /// <param name="formats">Result formats of Bind: none = text, one = for all columns, else one per column.</param>
    /// <param name="withDescription">Simple protocol: RowDescription comes with the rows.</param>
    public static void Write(MessageWriter writer, AdminResult result, short[] formats, bool withDescription)
    {
        if (result.Error is { } error)
        {
            ErrorMessage.Error(error.SqlState, error.Message, hint: error.Hint).WriteErrorResponse(writer);
            return;
        }
        if (result.Warning is { } warning)
        {
            new ErrorMessage { Severity = ErrorMessage.SeverityWarning, Code = SqlStates.Warning, Message = warning }.WriteNoticeResponse(writer);
        }
        if (withDescription && result.Columns.Count > 0)
            WriteDescription(writer, result.Columns, formats);
        foreach (var row in result.Rows)
            WriteRow(writer, result.Columns, row, formats);
        writer.Begin(BackendMessage.CommandComplete);
        writer.WriteCString(result.Tag);
        writer.End();
    }

    /// <summary>RowDescription, or NoData for a command without rows.</summary>
    public static void WriteDescription(MessageWriter writer, IReadOnlyList<AdminColumn>? columns, short[] formats)
    {
        if (columns is not { Count: > 0 })
        {
            writer.Begin(BackendMessage.NoData);
            writer.End();
            return;
        }
        writer.Begin(BackendMessage.RowDescription);
        writer.WriteInt16((short)columns.Count);
        for (var i = 0; i < columns.Count; i++)
        {
            writer.WriteCString(columns[i].Name);
            writer.WriteInt32(0);
            writer.WriteInt16(0);
            writer.WriteInt32((int)columns[i].Type);
            writer.WriteInt16(SizeOf(columns[i].Type));
            writer.WriteInt32(-1);
            writer.WriteInt16(FormatOf(formats, i));
        }
        writer.End();
    }

    private static void WriteRow(MessageWriter writer, IReadOnlyList<AdminColumn> columns, string?[] row, short[] formats)
    {
        writer.Begin(BackendMessage.DataRow);
        writer.WriteInt16((short)row.Length);
        for (var i = 0; i < row.Length; i++)
        {
            if (row[i] is not { } value)
            {
                writer.WriteInt32(-1);
                continue;
            }
            var bytes = FormatOf(formats, i) == 1 ? AdminBinary.Encode(columns[i].Type, value) : Encoding.UTF8.GetBytes(value);
            writer.WriteInt32(bytes.Length);
            writer.WriteBytes(bytes);
        }
        writer.End();
    }

    private static short FormatOf(short[] formats, int column) => formats.Length switch
    {
        0 => 0,
        1 => formats[0],
        _ => column < formats.Length ? formats[column] : (short)0,
    };

    private static short SizeOf(AdminType type) => type switch
    {
        AdminType.Bool => 1,
        AdminType.Int4 => 4,
        AdminType.Int8 or AdminType.Float8 or AdminType.Timestamp or AdminType.TimestampTz => 8,
        _ => -1,
    };
}
