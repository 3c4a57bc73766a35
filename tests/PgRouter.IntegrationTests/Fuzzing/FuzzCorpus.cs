using System.Globalization;
using System.Text;
using PgRouter.Testing.Corpus;
using PgRouter.Testing.Protocol;

namespace PgRouter.IntegrationTests.Fuzzing;

/// <summary>What a fuzzer begins with: the messages of the folder Corpus, and the statements of the corpus that the router is compared with PostgreSQL by.</summary>
internal static class FuzzCorpus
{
    public static IReadOnlyList<byte[]> Client { get; } = Read("client.seeds");

    /// <summary>What ends a session.</summary>
    public static IReadOnlyList<byte[]> Rude { get; } = Read("rude.seeds");

    public static IReadOnlyList<byte[]> Server { get; } = Read("server.seeds");

    public static IReadOnlyList<byte[]> Startup { get; } = Read("startup.seeds");

    public static IReadOnlyList<string> Statements { get; } = [.. CorpusBook.All.Select(one => Encoding.UTF8.GetString(one.Sql)).Where(sql => sql.Length < 2000)];

    private static byte[][] Read(string file) =>
        [.. File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Fuzzing", "Corpus", file)).Where(line => line.Length > 0 && line[0] != '#').Select(Parse)];

    private static byte[] Parse(string line)
    {
        var space = line.IndexOf(' ');
        var type = space < 0 ? line : line[..space];
        var body = new BodyBuilder();
        for (var at = space; at >= 0 && at < line.Length;)
            at = Token(line, at + 1, body);
        return type == "raw" ? body.Message('\0').Body : body.Message(type == "-" ? '\0' : type[0]).ToBytes();
    }

    /// <summary>Reads one token; returns where it ends.</summary>
    private static int Token(string line, int at, BodyBuilder body)
    {
        if (line[at] is '"' or '\'')
        {
            var text = new StringBuilder();
            var quote = line[at];
            while (line[++at] != quote)
                text.Append(line[at] == '\\' ? line[++at] : line[at]);
            _ = quote == '"' ? body.Text(text.ToString()) : body.Bytes(Encoding.UTF8.GetBytes(text.ToString()));
            return at + 1;
        }
        var end = line.IndexOf(' ', at) is > 0 and var next ? next : line.Length;
        var value = line[(at + 2)..end];
        _ = line[at] switch
        {
            'x' => body.Bytes(Convert.FromHexString(value)),
            '1' => body.Byte((char)int.Parse(value, CultureInfo.InvariantCulture)),
            '2' => body.Int16(int.Parse(value, CultureInfo.InvariantCulture)),
            _ => body.Int32(int.Parse(value, CultureInfo.InvariantCulture)),
        };
        return end;
    }
}
