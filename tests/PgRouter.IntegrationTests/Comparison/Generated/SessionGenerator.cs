using FsCheck;
using FsCheck.Fluent;

namespace PgRouter.IntegrationTests.Wire;

/// <summary>Makes random sessions of the <see cref="Vocabulary"/>: simple and extended, right and wrong, several Syncs under way.</summary>
internal static class SessionGenerator
{
    private const int LongestSession = 16;

    /// <summary>Sessions, and how to make one that fails shorter.</summary>
    public static Arbitrary<GeneratedSession> Sessions { get; } = Arb.From(Session(), session => session.Shrink());

    private static Gen<string> Statement => Gen.Frequency(
        (4, Gen.Elements(Vocabulary.Transactions)),
        (4, Gen.Elements(Vocabulary.Settings)),
        (3, Gen.Elements(Vocabulary.Prepared)),
        (4, Gen.Elements(Vocabulary.Objects)),
        (2, Gen.Elements(Vocabulary.Work)));

    // What drivers send: a statement parsed, bound and executed in one go.
    private static Gen<IReadOnlyList<string>> UsualMessages =>
        from sql in Gen.Elements(Vocabulary.Parsed)
        from rows in Gen.Elements(0, 0, 2)
        let values = sql.Contains("$1", StringComparison.Ordinal) ? "[\"41\"]" : "[]"
        select (IReadOnlyList<string>)[$"P \"\" {Quoted(sql)}", $"B \"\" \"\" {values}", $"E \"\" {rows}"];


    private static Gen<SessionPart> Part => Gen.Frequency(
        (6, from sql in Statement select SessionPart.Of($"q {Quoted(sql)}")),
        (4, from sql in Statement select SessionPart.Of($"x {Quoted(sql)} []")),
        (2, from count in Gen.Choose(1, 3) from batches in UsualMessages.ListOf(count) select new SessionPart([.. batches.SelectMany(lines => lines)], "S")),
        (1, from count in Gen.Choose(2, 4) from batches in UsualMessages.ListOf(count) select new SessionPart([.. batches.SelectMany(lines => lines.Append("S"))], "S")),
        (1, Gen.Elements(CopyIn)),
        (1, Gen.Elements(SessionPart.Of("s"), SessionPart.Of("F 1606 [\"4\"]\n> Z"), SessionPart.Of("F 99999999 []\n> Z"))));

    // Sent in one go, so that nothing hangs when the COPY is refused: its data is then passed over.
    private static IEnumerable<SessionPart> CopyIn =>
    [
        Simple("d \"1\\n\"", "c"), Simple("d \"not a number\\n\"", "c"), Simple("d \"1\\n\"", "f \"refused\""), Extended("d \"2\\n\"", "c"), Extended("f \"refused\""),
    ];

    private static Gen<GeneratedSession> Session() =>
        from count in Gen.Choose(2, LongestSession)
        from parts in Part.ListOf(count)
        select new GeneratedSession([.. parts]);

    private static SessionPart Simple(params string[] data) => SessionPart.Of(string.Join('\n', ["Q \"COPY wire_temp FROM STDIN\"", .. data, "> Z"]));

    private static SessionPart Extended(params string[] data) =>
        SessionPart.Of(string.Join('\n', ["P \"\" \"COPY wire_temp FROM STDIN\"", "B \"\" \"\" []", "E \"\" 0", .. data, "S", "> Z"]));

    private static string Quoted(string text) => $"\"{text.Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}
