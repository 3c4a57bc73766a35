namespace PgRouter.Core.Authentication;

/// <summary>
/// pool_hba.conf, read whole: an ordered list of rules of which the first that matches decides. Immutable; any thread may ask.
/// </summary>
internal sealed class HbaFile
{
    public static readonly HbaFile Empty = new([], HbaInterfaces.Instance);

    private readonly IHbaInterfaces _interfaces;

    internal HbaFile(IReadOnlyList<HbaRule> rules, IHbaInterfaces interfaces)
    {
        Rules = rules;
        _interfaces = interfaces;
    }

    public IReadOnlyList<HbaRule> Rules { get; }

    /// <summary>
    /// The first rule that matches; null = none, which means reject. With a need the answer is not known yet: ask again with that in the request.
    /// </summary>
    public (HbaRule? Rule, HbaAnswer Need) Match(HbaRequest request)
    {
        foreach (var rule in Rules)
        {
            var answer = rule.Match(request, _interfaces);
            if (answer != HbaAnswer.No)
                return answer == HbaAnswer.Yes ? (rule, HbaAnswer.No) : (null, answer);
        }
        return (null, HbaAnswer.No);
    }

    /// <summary>Reads a file; a file that cannot be read is a mistake like any other.</summary>
    public static HbaFileResult Load(string path)
    {
        try
        {
            return Parse(File.ReadAllText(path), path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return new HbaFileResult(Empty, [$"{path}: cannot read the HBA file: {exception.Message}"]);
        }
    }

    /// <summary>Reads the text of a file; names after '@' are files relative to the folder of <paramref name="path"/>.</summary>
    /// <param name="text">The text of the file.</param>
    /// <param name="path">Where it comes from.</param>
    /// <param name="interfaces">The addresses of this machine; null = ask the operating system.</param>
    public static HbaFileResult Parse(string text, string path, IHbaInterfaces? interfaces = null)
    {
        var parser = new HbaParser(path);
        var rules = parser.Parse(text);
        return new HbaFileResult(new HbaFile(rules, interfaces ?? HbaInterfaces.Instance), parser.Mistakes);
    }
}

/// <summary>
/// What reading pool_hba.conf gave: the good rules, and every mistake as "file:line: what". A file with mistakes must not be put into
/// force: a rule
/// that is missing may be the one that rejects.
/// </summary>
internal sealed record HbaFileResult(HbaFile File, IReadOnlyList<string> Mistakes);
