using System.Globalization;
using PgRouter.Testing.Protocol;

namespace PgRouter.Testing.Scripts;

/// <summary>A parsed protocol script. The format is described in docs/testing.md.</summary>
public sealed class ProtocolScript
{
    /// <summary>The connection of lines that name none.</summary>
    public const string DefaultConnection = "main";

    private static readonly Dictionary<string, int> TypeOids = new()
    {
        ["unknown"] = 0,
        ["bool"] = 16,
        ["bytea"] = 17,
        ["int8"] = 20,
        ["int2"] = 21,
        ["int4"] = 23,
        ["text"] = 25,
        ["float8"] = 701,
        ["varchar"] = 1043,
        ["date"] = 1082,
        ["timestamptz"] = 1184,
        ["numeric"] = 1700,
        ["uuid"] = 2950,
        ["jsonb"] = 3802,
    };

    private ProtocolScript(IReadOnlyList<ScriptStep> steps) => Steps = steps;

    /// <summary>The steps in order.</summary>
    public IReadOnlyList<ScriptStep> Steps { get; }

    /// <summary>Reads a script.</summary>
    /// <exception cref="FormatException">A line cannot be read; says which one and what was expected.</exception>
    public static ProtocolScript Parse(string text)
    {
        var steps = new List<ScriptStep>();
        var lines = text.Split('\n');
        for (var index = 0; index < lines.Length; index++)
        {
            var scanner = new LineScanner(lines[index].TrimEnd(), index + 1);
            if (scanner.AtEnd)
                continue;
            steps.AddRange(ParseLine(scanner, index + 1));
            scanner.RequireEnd();
        }

        return new ProtocolScript(steps);
    }

    private static IEnumerable<ScriptStep> ParseLine(LineScanner scanner, int line)
    {
        var connection = scanner.TryTakeLabel(out var label) ? label : DefaultConnection;
        var verb = scanner.Word();
        return verb switch
        {
            "connect" => [ParseConnect(scanner, line, connection)],
            "disconnect" => [new DisconnectStep(line, connection)],
            "cancel" => [new CancelStep(line, connection)],
            "raw" => [new SendStep(line, connection, scanner.Bytes())],
            ">" => [ParseAwait(scanner, line, connection)],
            "q" => SendAndAwaitReady(line, connection, Frontend.Query(scanner.Text())),
            "s" => SendAndAwaitReady(line, connection, Frontend.Sync()),
            "x" => SendAndAwaitReady(line, connection, ParseExtended(scanner)),
            _ => [new SendStep(line, connection, ParseMessage(scanner, verb).ToBytes())],
        };
    }

    private static IEnumerable<ScriptStep> SendAndAwaitReady(int line, string connection, params RawMessage[] messages) =>
    [
        new SendStep(line, connection, [.. messages.SelectMany(message => message.ToBytes())]),
        new AwaitStep(line, connection, 'Z', 1),
    ];

    private static RawMessage[] ParseExtended(LineScanner scanner) =>
    [
        Frontend.Parse("", scanner.Text()),
        Frontend.Bind("", "", scanner.Values(), Formats(scanner), Formats(scanner)),
        Frontend.Describe('P', ""),
        Frontend.Execute(""),
        Frontend.Sync(),
    ];

    private static ConnectStep ParseConnect(LineScanner scanner, int line, string connection)
    {
        var parameters = new Dictionary<string, string>();
        for (var first = true; !scanner.AtEnd; first = false)
        {
            var word = scanner.Word();
            var parts = word.Split('=', 2);
            if (parts.Length == 2)
                parameters[parts[0]] = parts[1].Length == 0 && scanner.AtQuote ? scanner.Text() : parts[1];
            else if (first)
                connection = word;
            else
                throw scanner.Wrong("name=value before this column");
        }

        return new ConnectStep(line, connection, parameters);
    }

    private static ScriptStep ParseAwait(LineScanner scanner, int line, string connection)
    {
        var what = scanner.Word();
        if (what == "end")
            return new AwaitEndStep(line, connection);
        if (what.Length != 1)
            throw scanner.Wrong("a message type or 'end' before this column");
        return new AwaitStep(line, connection, what[0], scanner.AtEnd ? 1 : scanner.Number());
    }

    private static RawMessage ParseMessage(LineScanner scanner, string verb) => verb switch
    {
        "Q" => Frontend.Query(scanner.Text()),
        "P" => Frontend.Parse(scanner.Text(), scanner.Text(), [.. scanner.Words().Select(OidOf)]),
        "B" => Frontend.Bind(scanner.Text(), scanner.Text(), scanner.Values(), Formats(scanner), Formats(scanner)),
        "D" => Frontend.Describe(Kind(scanner), scanner.Text()),
        "C" => Frontend.Close(Kind(scanner), scanner.Text()),
        "E" => Frontend.Execute(scanner.Text(), scanner.AtEnd ? 0 : scanner.Number()),
        "S" => Frontend.Sync(),
        "H" => Frontend.Flush(),
        "X" => Frontend.Terminate(),
        "d" => Frontend.CopyData(scanner.Bytes()),
        "c" => Frontend.CopyDone(),
        "f" => Frontend.CopyFail(scanner.Text()),
        "F" => Frontend.FunctionCall(scanner.Number(), scanner.Values()),
        _ => throw scanner.Wrong("one of Q P B D C E S H X d c f F q x s > connect disconnect cancel raw before this column"),
    };

    private static char Kind(LineScanner scanner) => scanner.Word() switch
    {
        "S" => 'S',
        "P" => 'P',
        _ => throw scanner.Wrong("S (statement) or P (portal) before this column"),
    };

    private static List<int> Formats(LineScanner scanner) => [.. scanner.Words().Select(word => word switch
    {
        "text" or "0" => 0,
        "binary" or "1" => 1,
        _ => throw scanner.Wrong("text or binary before this column"),
    })];

    private static int OidOf(string type)
    {
        if (TypeOids.TryGetValue(type, out var oid) || int.TryParse(type, NumberStyles.None, CultureInfo.InvariantCulture, out oid))
            return oid;
        throw new FormatException($"unknown type {type}: use an OID or one of {string.Join(", ", TypeOids.Keys)}");
    }
}
