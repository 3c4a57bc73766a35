using System.Text;

namespace PgRouter.Testing.Protocol;

/// <summary>The messages a client sends (PostgreSQL manual, "Message Formats").</summary>
public static class Frontend
{
    /// <summary>Protocol version 3.0.</summary>
    public const int Version30 = 3 << 16;

    /// <summary>The code of a CancelRequest.</summary>
    public const int CancelCode = 80877102;

    /// <summary>The code of an SSLRequest.</summary>
    public const int SslCode = 80877103;

    /// <summary>The code of a GSSENCRequest.</summary>
    public const int GssCode = 80877104;

    /// <summary>StartupMessage with its parameters in the order given.</summary>
    public static RawMessage Startup(IEnumerable<KeyValuePair<string, string>> parameters, int version = Version30)
    {
        var body = new BodyBuilder().Int32(version);
        foreach (var (name, value) in parameters)
            body.Text(name).Text(value);
        return body.Byte('\0').Message('\0');
    }

    /// <summary>SSLRequest.</summary>
    public static RawMessage SslRequest() => new BodyBuilder().Int32(SslCode).Message('\0');

    /// <summary>GSSENCRequest.</summary>
    public static RawMessage GssRequest() => new BodyBuilder().Int32(GssCode).Message('\0');

    /// <summary>CancelRequest; the key is longer than four bytes from protocol 3.2 on.</summary>
    public static RawMessage Cancel(int processId, byte[] key) => new BodyBuilder().Int32(CancelCode).Int32(processId).Bytes(key).Message('\0');

    /// <summary>Query.</summary>
    public static RawMessage Query(string sql) => new BodyBuilder().Text(sql).Message('Q');

    /// <summary>Parse, with type OIDs of the parameters; 0 leaves one to the server.</summary>
    public static RawMessage Parse(string name, string sql, params int[] types)
    {
        var body = new BodyBuilder().Text(name).Text(sql).Int16(types.Length);
        foreach (var type in types)
            body.Int32(type);
        return body.Message('P');
    }

    /// <summary>Bind with text parameters and text results.</summary>
    public static RawMessage Bind(string portal, string statement, params string?[] values) =>
        Bind(portal, statement, [.. values.Select(value => value is null ? null : Encoding.UTF8.GetBytes(value))], [], []);

    /// <summary>Bind with everything it can say.</summary>
    public static RawMessage Bind(
        string portal, string statement, IReadOnlyList<byte[]?> values, IReadOnlyList<int> valueFormats, IReadOnlyList<int> resultFormats) =>
        new BodyBuilder().Text(portal).Text(statement).Formats(valueFormats).Values(values).Formats(resultFormats).Message('B');

    /// <summary>Describe of a statement ('S') or portal ('P').</summary>
    public static RawMessage Describe(char kind, string name) => new BodyBuilder().Byte(kind).Text(name).Message('D');

    /// <summary>Close of a statement ('S') or portal ('P').</summary>
    public static RawMessage Close(char kind, string name) => new BodyBuilder().Byte(kind).Text(name).Message('C');

    /// <summary>Execute; zero rows means all.</summary>
    public static RawMessage Execute(string portal, int rows = 0) => new BodyBuilder().Text(portal).Int32(rows).Message('E');

    /// <summary>Sync.</summary>
    public static RawMessage Sync() => new('S', []);

    /// <summary>Flush.</summary>
    public static RawMessage Flush() => new('H', []);

    /// <summary>Terminate.</summary>
    public static RawMessage Terminate() => new('X', []);

    /// <summary>CopyData.</summary>
    public static RawMessage CopyData(byte[] data) => new('d', data);

    /// <summary>CopyDone.</summary>
    public static RawMessage CopyDone() => new('c', []);

    /// <summary>CopyFail.</summary>
    public static RawMessage CopyFail(string reason) => new BodyBuilder().Text(reason).Message('f');

    /// <summary>FunctionCall with text arguments and a text result.</summary>
    public static RawMessage FunctionCall(int oid, IReadOnlyList<byte[]?> arguments) =>
        new BodyBuilder().Int32(oid).Formats([]).Values(arguments).Int16(0).Message('F');

    /// <summary>PasswordMessage.</summary>
    public static RawMessage Password(string text) => new BodyBuilder().Text(text).Message('p');

    /// <summary>SASLInitialResponse.</summary>
    public static RawMessage SaslInitial(string mechanism, string data)
    {
        var bytes = Encoding.UTF8.GetBytes(data);
        return new BodyBuilder().Text(mechanism).Int32(bytes.Length).Bytes(bytes).Message('p');
    }

    /// <summary>SASLResponse.</summary>
    public static RawMessage SaslResponse(string data) => new('p', Encoding.UTF8.GetBytes(data));
}
