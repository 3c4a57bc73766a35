using System.Text;
using PgRouter.Testing.Protocol;

namespace PgRouter.IntegrationTests.Wire;

/// <summary>Scripts that are too long or too large to be written down.</summary>
internal static class GeneratedScripts
{
    private const int Pipelined = 1000;

    /// <summary>Many messages, each of them small.</summary>
    public static IEnumerable<NamedScript> Small()
    {
        yield return new NamedScript("generated many statement names", ManyNames(60));
    }

    /// <summary>Megabytes in one message, or thousands of messages in one write.</summary>
    public static IEnumerable<NamedScript> Large()
    {
        yield return new NamedScript("pipeline of 1000 syncs in one write", $"raw \"{Raw(PipelineOfSyncs())}\"\n> Z {Pipelined}");
        yield return new NamedScript("pipeline of 1000 statements in one sync", $"raw \"{Raw(PipelineInOneSync())}\"\n> Z");
        yield return new NamedScript("pipeline of 1000 queries in one write", $"raw \"{Raw(PipelineOfQueries())}\"\n> Z {Pipelined}");
        yield return new NamedScript("large row", "Q \"SELECT repeat('x', 10485760)\"\n> Z\nQ \"SELECT 1\"\n> Z");
        yield return new NamedScript("large row in an error", "Q \"DO $$ BEGIN RAISE EXCEPTION '%', repeat('e', 1000000); END $$\"\n> Z\nQ \"SELECT 1\"\n> Z");
        yield return new NamedScript("many rows", "Q \"SELECT g, repeat('y', 100) FROM generate_series(1, 50000) g\"\n> Z");
        yield return new NamedScript("large query", $"Q \"SELECT length('{Of('q', 5 << 20)}')\"\n> Z\nQ \"SELECT 1\"\n> Z");
        yield return new NamedScript("large query that fails", $"Q \"SELEKT '{Of('q', 1 << 20)}'\"\n> Z\nQ \"SELECT 1\"\n> Z");
        yield return new NamedScript(
            "large bind", $"P \"\" \"SELECT length($1::text)\" {{text}}\nB \"\" \"\" [\"{Of('b', 5 << 20)}\"]\nD P \"\"\nE \"\" 0\nS\n> Z\nQ \"SELECT 1\"\n> Z");
        yield return new NamedScript(
            "large bind of a named statement",
            $"P \"n\" \"SELECT length($1::text)\" {{text}}\nS\n> Z\nB \"\" \"n\" [\"{Of('b', 5 << 20)}\"]\nE \"\" 0\nS\n> Z\nB \"\" \"n\" [\"x\"]\nE \"\" 0\nS\n> Z");
        yield return new NamedScript(
            "large bind of an unknown statement", $"B \"\" \"unknown\" [\"{Of('b', 1 << 20)}\"]\nE \"\" 0\nS\n> Z\nQ \"SELECT 1\"\n> Z");
        yield return new NamedScript(
            "large parse unnamed",
            $"P \"\" \"SELECT length('{Of('p', 1 << 20)}')\"\nD S \"\"\nB \"\" \"\" []\nE \"\" 0\nS\n> Z\nB \"\" \"\" []\nE \"\" 0\nS\n> Z\nQ \"SELECT 1\"\n> Z");
        yield return new NamedScript(
            "large parse named",
            $"P \"l\" \"SELECT length('{Of('p', 1 << 20)}')\"\nS\n> Z\nB \"\" \"l\" []\nE \"\" 0\nS\n> Z\nQ \"SELECT 1\"\n> Z\nB \"\" \"l\" []\nE \"\" 0\nS\n> Z\nC S \"l\"\nS\n> Z");
        yield return new NamedScript(
            "large parse that fails", $"P \"l\" \"SELEKT '{Of('p', 1 << 20)}'\"\nB \"\" \"l\" []\nE \"\" 0\nS\n> Z\nB \"\" \"l\" []\nS\n> Z\nQ \"SELECT 1\"\n> Z");
        yield return new NamedScript(
            "large copy in", $"Q \"CREATE TEMP TABLE wire_big (a text)\"\n> Z\nQ \"COPY wire_big FROM STDIN\"\n> G\nd \"{Of('c', 3 << 20)}\\n\"\nc\n> Z\nQ \"SELECT length(a) FROM wire_big\"\n> Z");
        yield return new NamedScript("large copy out", "Q \"COPY (SELECT repeat('o', 1000) FROM generate_series(1, 3000)) TO STDOUT\"\n> Z");
    }

    private static string Of(char letter, int count) => new(letter, count);

    private static string ManyNames(int count)
    {
        var text = new StringBuilder();
        for (var i = 0; i < count; i++)
            text.Append($"P \"n{i}\" \"SELECT {i} AS a{i}\"\n");
        text.Append("S\n> Z\n");
        for (var i = 0; i < count; i++)
            text.Append($"B \"\" \"n{count - 1 - i}\" []\nE \"\" 0\nS\n");
        return text.Append($"> Z {count}\n").ToString();
    }

    private static IEnumerable<RawMessage> PipelineOfSyncs()
    {
        for (var i = 0; i < Pipelined; i++)
        {
            yield return Frontend.Parse("", i % 100 == 99 ? "SELECT broken" : $"SELECT {i}, $1::text");
            yield return Frontend.Bind("", "", "value");
            yield return Frontend.Describe('P', "");
            yield return Frontend.Execute("");
            yield return Frontend.Sync();
        }
    }

    private static IEnumerable<RawMessage> PipelineInOneSync()
    {
        yield return Frontend.Parse("many", "SELECT $1::int4 * 2");
        for (var i = 0; i < Pipelined; i++)
        {
            yield return Frontend.Bind("", "many", $"{i}");
            yield return Frontend.Execute("");
        }

        yield return Frontend.Sync();
    }

    private static IEnumerable<RawMessage> PipelineOfQueries() =>
        Enumerable.Range(0, Pipelined).Select(i => Frontend.Query(
            i % 7 == 6 ? "UPDATE wire_rows SET name = name WHERE id = 3" : $"SELECT {i}"));

    private static string Raw(IEnumerable<RawMessage> messages) =>
        string.Concat(messages.SelectMany(message => message.ToBytes()).Select(value => $"\\x{value:x2}"));
}
