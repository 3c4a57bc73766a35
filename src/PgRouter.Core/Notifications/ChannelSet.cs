using System.Collections.Immutable;
using System.Text;

namespace PgRouter.Core.Notifications;

/// <summary>
/// The channels a session listens to, in the order it began to (pg_listening_channels() gives them so). Names as PostgreSQL keeps them: folded,
/// unquoted, at most 63 bytes. Immutable; a change that changes nothing gives the same object, so that comparing is comparing references.
/// </summary>
internal sealed class ChannelSet
{
    public static readonly ChannelSet Empty = new([]);

    private readonly ImmutableArray<string> _names;

    private ChannelSet(ImmutableArray<string> names) => _names = names;

    public int Count => _names.Length;

    public ImmutableArray<string> Names => _names;

    public bool Contains(string name) => _names.Contains(name, StringComparer.Ordinal);

    public ChannelSet With(string name) => Contains(name) ? this : new ChannelSet(_names.Add(name));

    public ChannelSet Without(string name)
    {
        if (!Contains(name))
            return this;
        return Count == 1 ? Empty : new ChannelSet(_names.Remove(name, StringComparer.Ordinal));
    }

    /// <summary>The statements that make a session listen to these channels, and to no other if <paramref name="isOnly"/>.</summary>
    public string Script(bool isOnly)
    {
        var script = new StringBuilder(isOnly ? "UNLISTEN *;" : "");
        foreach (var name in _names)
            script.Append("LISTEN ").Append(Quote(name)).Append(';');
        return script.ToString();
    }

    /// <summary>A name as an identifier that means it and nothing else.</summary>
    public static string Quote(string name) => $"\"{name.Replace("\"", "\"\"")}\"";

    public override string ToString() => string.Join(", ", _names.Select(Quote));
}
