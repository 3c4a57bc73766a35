using System.Globalization;
using System.Text;

namespace PgRouter.Protocol;

/// <summary>
/// The fields of an ErrorResponse or NoticeResponse (PostgreSQL documentation, "Error and Notice Message Fields"). Immutable.
/// </summary>
public sealed record ErrorMessage
{
    public const string SeverityError = "ERROR";
    public const string SeverityFatal = "FATAL";
    public const string SeverityPanic = "PANIC";
    public const string SeverityWarning = "WARNING";
    public const string SeverityNotice = "NOTICE";

    /// <summary>'V': ERROR, FATAL, PANIC, WARNING, NOTICE, DEBUG, INFO or LOG, never translated.</summary>
    public required string Severity { get; init; }

    /// <summary>'S': the severity in the server's language; null = as <see cref="Severity"/>.</summary>
    public string? LocalizedSeverity { get; init; }

    /// <summary>'C': SQLSTATE.</summary>
    public required string Code { get; init; }

    /// <summary>'M'.</summary>
    public required string Message { get; init; }

    /// <summary>'D'.</summary>
    public string? Detail { get; init; }

    /// <summary>'H'.</summary>
    public string? Hint { get; init; }

    /// <summary>'P': place in the query in characters, from 1; 0 = not given.</summary>
    public int Position { get; init; }

    /// <summary>'p': place in <see cref="InternalQuery"/> in characters, from 1; 0 = not given.</summary>
    public int InternalPosition { get; init; }

    /// <summary>'q'.</summary>
    public string? InternalQuery { get; init; }

    /// <summary>'W'.</summary>
    public string? Where { get; init; }

    /// <summary>'s'.</summary>
    public string? SchemaName { get; init; }

    /// <summary>'t'.</summary>
    public string? TableName { get; init; }

    /// <summary>'c'.</summary>
    public string? ColumnName { get; init; }

    /// <summary>'d'.</summary>
    public string? DataTypeName { get; init; }

    /// <summary>'n'.</summary>
    public string? ConstraintName { get; init; }

    /// <summary>'F'.</summary>
    public string? File { get; init; }

    /// <summary>'L'.</summary>
    public string? Line { get; init; }

    /// <summary>'R'.</summary>
    public string? Routine { get; init; }

    /// <summary>True when the server ends the session after it.</summary>
    public bool EndsSession => Severity is SeverityFatal or SeverityPanic;

    /// <summary>An error after which the session goes on.</summary>
    public static ErrorMessage Error(string code, string message, string? detail = null, string? hint = null) =>
        new() { Severity = SeverityError, Code = code, Message = message, Detail = detail, Hint = hint };

    /// <summary>An error that ends the session.</summary>
    public static ErrorMessage Fatal(string code, string message, string? detail = null, string? hint = null) =>
        new() { Severity = SeverityFatal, Code = code, Message = message, Detail = detail, Hint = hint };

    /// <summary>Appends it as a whole ErrorResponse.</summary>
    public void WriteErrorResponse(MessageWriter writer) => Write(writer, BackendMessage.ErrorResponse);

    /// <summary>Appends it as a whole NoticeResponse.</summary>
    public void WriteNoticeResponse(MessageWriter writer) => Write(writer, BackendMessage.NoticeResponse);

    /// <summary>Reads the body of an ErrorResponse or NoticeResponse; false when it is malformed. Unknown fields are left out.</summary>
    public static bool TryParse(ReadOnlySpan<byte> body, out ErrorMessage message)
    {
        message = new ErrorMessage { Severity = "", Code = "", Message = "" };
        var reader = new MessageReader(body);
        while (reader.TryReadByte(out var field))
        {
            if (field == 0)
            {
                if (message.Severity.Length == 0)
                    message = message with { Severity = message.LocalizedSeverity ?? SeverityError };
                return reader.Remaining == 0;
            }
            if (!reader.TryReadCString(out var value))
                return false;
            message = message.With(field, Encoding.UTF8.GetString(value));
        }
        return false;
    }

    /// <summary>The SQLSTATE in the body of an ErrorResponse, without reading the rest or allocating; false when there is none.</summary>
    public static bool TryGetCode(ReadOnlySpan<byte> body, out ReadOnlySpan<byte> code) => TryGetField(body, (byte)'C', out code);

    /// <summary>Does this body of an ErrorResponse end the session (FATAL or PANIC)? Allocates nothing.</summary>
    public static bool IsFatal(ReadOnlySpan<byte> body)
    {
        // Servers before 9.6 send no 'V'; 'S' is translated there, but it is all there is.
        if (!TryGetField(body, (byte)'V', out var severity) && !TryGetField(body, (byte)'S', out severity))
            return false;
        return severity.SequenceEqual("FATAL"u8) || severity.SequenceEqual("PANIC"u8);
    }

    /// <summary>The first field of this type in the body of an ErrorResponse or NoticeResponse. Allocates nothing.</summary>
    public static bool TryGetField(ReadOnlySpan<byte> body, byte field, out ReadOnlySpan<byte> value)
    {
        var reader = new MessageReader(body);
        while (reader.TryReadByte(out var type) && type != 0 && reader.TryReadCString(out value))
        {
            if (type == field)
                return true;
        }
        value = default;
        return false;
    }

    public override string ToString() => $"{Severity}: {Message} (SQLSTATE {Code})";

    private void Write(MessageWriter writer, byte type)
    {
        writer.Begin(type);
        WriteField(writer, 'S', LocalizedSeverity ?? Severity);
        WriteField(writer, 'V', Severity);
        WriteField(writer, 'C', Code);
        WriteField(writer, 'M', Message);
        WriteField(writer, 'D', Detail);
        WriteField(writer, 'H', Hint);
        WritePosition(writer, 'P', Position);
        WritePosition(writer, 'p', InternalPosition);
        WriteField(writer, 'q', InternalQuery);
        WriteField(writer, 'W', Where);
        WriteField(writer, 's', SchemaName);
        WriteField(writer, 't', TableName);
        WriteField(writer, 'c', ColumnName);
        WriteField(writer, 'd', DataTypeName);
        WriteField(writer, 'n', ConstraintName);
        WriteField(writer, 'F', File);
        WriteField(writer, 'L', Line);
        WriteField(writer, 'R', Routine);
        writer.WriteByte(0);
        writer.End();
    }

    private static void WriteField(MessageWriter writer, char field, string? value)
    {
        if (value is null)
            return;
        writer.WriteByte((byte)field);
        writer.WriteCString(value);
    }

    private static void WritePosition(MessageWriter writer, char field, int position)
    {
        if (position > 0)
            WriteField(writer, field, position.ToString(CultureInfo.InvariantCulture));
    }

    private ErrorMessage With(byte field, string value) => (char)field switch
    {
        'S' => this with { LocalizedSeverity = value },
        'V' => this with { Severity = value },
        'C' => this with { Code = value },
        'M' => this with { Message = value },
        'D' => this with { Detail = value },
        'H' => this with { Hint = value },
        'P' => this with { Position = ParsePosition(value) },
        'p' => this with { InternalPosition = ParsePosition(value) },
        'q' => this with { InternalQuery = value },
        'W' => this with { Where = value },
        's' => this with { SchemaName = value },
        't' => this with { TableName = value },
        'c' => this with { ColumnName = value },
        'd' => this with { DataTypeName = value },
        'n' => this with { ConstraintName = value },
        'F' => this with { File = value },
        'L' => this with { Line = value },
        'R' => this with { Routine = value },
        _ => this,
    };

    private static int ParsePosition(string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var position) ? position : 0;
}
