using PgRouter.Sql;

namespace PgRouter.Testing.Corpus;

/// <summary>Where a statement of the corpus must run.</summary>
public enum CorpusNode
{
    /// <summary>It costs no server.</summary>
    None,
    Primary,
    Standby,
}

/// <summary>One statement of the corpus with what is expected of it.</summary>
public sealed record CorpusStatement
{
    /// <summary>File and line, for messages.</summary>
    public required string Place { get; init; }

    /// <summary>The heading it stands under: a command of PostgreSQL's reference, or a subject.</summary>
    public required string Group { get; init; }

    /// <summary>What the grammar and the table of functions say.</summary>
    public required StatementClass Class { get; init; }

    /// <summary>Where it runs in the end.</summary>
    public required CorpusNode Node { get; init; }

    /// <summary>The error it ends with; null = it succeeds.</summary>
    public string? SqlState { get; init; }

    /// <summary>Its rows are others at each call.</summary>
    public bool Varies { get; init; }

    /// <summary>Statements of the same session in front of it.</summary>
    public IReadOnlyList<string> Before { get; init; } = [];

    /// <summary>Settings of the session.</summary>
    public IReadOnlyList<(string Name, string Value)> Settings { get; init; } = [];

    /// <summary>Values of $1 and so on; null = it has none. With parameters it goes by the extended protocol only.</summary>
    public IReadOnlyList<string?>? Parameters { get; init; }

    /// <summary>Its text, in the encoding of the session.</summary>
    public required byte[] Sql { get; init; }

    /// <summary>The setting that changes what a quote means.</summary>
    public bool StandardConformingStrings =>
        !Settings.Contains(("standard_conforming_strings", "off")) && !Before.Contains("SET standard_conforming_strings = off");

    /// <summary>The client's encoding, UTF8 unless it is set.</summary>
    public string Encoding => Settings.FirstOrDefault(setting => setting.Name == "client_encoding").Value ?? "UTF8";

    /// <inheritdoc/>
    public override string ToString()
    {
        var text = System.Text.Encoding.UTF8.GetString(Sql);
        return $"{Place}: {(text.Length > 160 ? text[..160] + "..." : text)}";
    }
}
