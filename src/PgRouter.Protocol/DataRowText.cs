using System.Text;

namespace PgRouter.Protocol;

/// <summary>The columns of a DataRow whose formats are text ("Message Formats", DataRow).</summary>
public static class DataRowText
{
    /// <summary>Each column as text, null for NULL; what a malformed body lacks is left out. Any thread.</summary>
    public static string?[] Read(ReadOnlySpan<byte> body)
    {
        var reader = new MessageReader(body);
        if (!reader.TryReadInt16(out var count) || count < 0)
            return [];
        var columns = new List<string?>(count);
        for (var i = 0; i < count && reader.TryReadInt32(out var length) && length <= reader.Remaining; i++)
        {
            columns.Add(length < 0 ? null : Encoding.UTF8.GetString(reader.Rest[..length]));
            reader.TrySkip(Math.Max(0, length));
        }
        return [.. columns];
    }
}
