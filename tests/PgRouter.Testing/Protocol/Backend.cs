using System.Text;

namespace PgRouter.Testing.Protocol;

/// <summary>The messages a server sends (PostgreSQL manual, "Message Formats").</summary>
public static class Backend
{
    private const int TextOid = 25;

    /// <summary>AuthenticationOk.</summary>
    public static RawMessage AuthenticationOk() => Authentication(0);

    /// <summary>An authentication request by its code and data: 3 clear text, 5 md5 with four bytes of salt, 10 to 12 SASL.</summary>
    public static RawMessage Authentication(int code, byte[]? data = null) => new BodyBuilder().Int32(code).Bytes(data ?? []).Message('R');

    /// <summary>ParameterStatus.</summary>
    public static RawMessage ParameterStatus(string name, string value) => new BodyBuilder().Text(name).Text(value).Message('S');

    /// <summary>BackendKeyData.</summary>
    public static RawMessage BackendKeyData(int processId, byte[] key) => new BodyBuilder().Int32(processId).Bytes(key).Message('K');

    /// <summary>ReadyForQuery with the transaction status I, T or E.</summary>
    public static RawMessage ReadyForQuery(char status = 'I') => new('Z', [(byte)status]);

    /// <summary>CommandComplete.</summary>
    public static RawMessage CommandComplete(string tag) => new BodyBuilder().Text(tag).Message('C');

    /// <summary>RowDescription of text columns.</summary>
    public static RawMessage RowDescription(params string[] names)
    {
        var body = new BodyBuilder().Int16(names.Length);
        foreach (var name in names)
            body.Text(name).Int32(0).Int16(0).Int32(TextOid).Int16(-1).Int32(-1).Int16(0);
        return body.Message('T');
    }

    /// <summary>DataRow of text values.</summary>
    public static RawMessage DataRow(params string?[] values) =>
        new BodyBuilder().Values([.. values.Select(value => value is null ? null : Encoding.UTF8.GetBytes(value))]).Message('D');

    /// <summary>ErrorResponse.</summary>
    public static RawMessage ErrorResponse(string sqlState, string message, string severity = "ERROR") => Fields('E', severity, sqlState, message);

    /// <summary>NoticeResponse.</summary>
    public static RawMessage NoticeResponse(string sqlState, string message, string severity = "NOTICE") => Fields('N', severity, sqlState, message);

    /// <summary>NotificationResponse.</summary>
    public static RawMessage Notification(int processId, string channel, string payload) =>
        new BodyBuilder().Int32(processId).Text(channel).Text(payload).Message('A');

    /// <summary>ParseComplete.</summary>
    public static RawMessage ParseComplete() => new('1', []);

    /// <summary>BindComplete.</summary>
    public static RawMessage BindComplete() => new('2', []);

    /// <summary>CloseComplete.</summary>
    public static RawMessage CloseComplete() => new('3', []);

    /// <summary>NoData.</summary>
    public static RawMessage NoData() => new('n', []);

    /// <summary>EmptyQueryResponse.</summary>
    public static RawMessage EmptyQuery() => new('I', []);

    /// <summary>CopyInResponse in text format.</summary>
    public static RawMessage CopyIn(int columns) => Copy('G', columns);

    /// <summary>CopyOutResponse in text format.</summary>
    public static RawMessage CopyOut(int columns) => Copy('H', columns);

    /// <summary>The whole answer to a query with one text column: description, rows, completion, ReadyForQuery.</summary>
    public static RawMessage[] Rows(string column, params string?[] values) =>
    [
        RowDescription(column),
        .. values.Select(value => DataRow(value)),
        CommandComplete($"SELECT {values.Length}"),
        ReadyForQuery(),
    ];

    private static RawMessage Copy(char type, int columns) => new BodyBuilder().Byte('\0').Formats(new int[columns]).Message(type);

    private static RawMessage Fields(char type, string severity, string sqlState, string message) =>
        new BodyBuilder().Byte('S').Text(severity).Byte('V').Text(severity).Byte('C').Text(sqlState).Byte('M').Text(message).Byte('\0').Message(type);
}
