using System.Globalization;
using System.Text.RegularExpressions;

namespace PgRouter.Core.Configuration;

/// <summary>
/// Names and the nodes they prefer: <c>name:node(ratio)</c> with a pattern as name (<see cref="PosixPattern"/>), primary, standby or a number as
/// node, and the part of the reads that goes there. The first that matches counts. Immutable; any thread.
/// </summary>
internal sealed partial class RedirectList
{
    public const string Form = "name:node or name:node(ratio), where node is primary, standby or a node's number and ratio is from 0 to 1";

    public static readonly RedirectList Empty = new([]);

    private readonly (Regex Name, NodePreference Preference)[] _entries;

    private RedirectList((Regex, NodePreference)[] entries) => _entries = entries;

    /// <summary>The numbers of the nodes named.</summary>
    public IEnumerable<int> NodeIds => _entries.Where(entry => entry.Preference.Kind == PreferredKind.Node).Select(entry => entry.Preference.NodeId);

    public NodePreference? Find(string name)
    {
        foreach (var (pattern, preference) in _entries)
        {
            if (pattern.IsMatch(name))
                return preference;
        }
        return null;
    }

    /// <summary>Reads items that have been checked.</summary>
    public static RedirectList Of(IReadOnlyList<string> items) => items.Count == 0
        ? Empty
        : new RedirectList([.. items.Select(item => Read(item, out var entry) is "" ? entry : throw new ArgumentException(item, nameof(items)))]);

    /// <summary>What is wrong with the first item that is not of the form; empty when there is none.</summary>
    public static string Check(IReadOnlyList<string> items) =>
        items.Select(item => Read(item, out _)).FirstOrDefault(problem => problem.Length > 0) ?? "";

    private static string Read(string item, out (Regex Name, NodePreference Preference) entry)
    {
        entry = default;
        var match = ItemForm().Match(item);
        if (!match.Success)
            return $"found \"{item}\"; allowed: {Form}";
        if (!PosixPattern.TryCompile(match.Groups["name"].Value, out var name, out var problem))
            return $"found the pattern \"{match.Groups["name"].Value}\": {problem}; allowed: POSIX extended regular expressions";
        var ratio = 1.0;
        if (match.Groups["ratio"].Success && !IsRatio(match.Groups["ratio"].Value, out ratio))
            return $"found the ratio \"{match.Groups["ratio"].Value}\" in \"{item}\"; allowed: a number from 0 to 1";
        var node = match.Groups["node"].Value.ToLowerInvariant();
        entry = (name, node switch
        {
            "primary" => new NodePreference(PreferredKind.Primary, -1, ratio),
            "standby" => new NodePreference(PreferredKind.Standby, -1, ratio),
            _ => new NodePreference(PreferredKind.Node, int.Parse(node, CultureInfo.InvariantCulture), ratio),
        });
        return "";
    }

    private static bool IsRatio(string text, out double ratio) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out ratio) && ratio is >= 0 and <= 1;

    [GeneratedRegex(@"\A(?<name>.+):\s*(?<node>primary|standby|[0-9]{1,3})\s*(\(\s*(?<ratio>[^()]*?)\s*\))?\z", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex ItemForm();
}

/// <summary>Where a client's reads prefer to run.</summary>
/// <param name="Kind">Primary, any standby, or one node.</param>
/// <param name="NodeId">Its number, when it is one node.</param>
/// <param name="Ratio">The part of the reads that goes there. The rest goes to the primary when the preference is standbys, else to the other nodes.</param>
internal readonly record struct NodePreference(PreferredKind Kind, int NodeId, double Ratio);

/// <summary>What a preference names.</summary>
internal enum PreferredKind : byte
{
    Primary,
    Standby,
    Node,
}
