using System.Collections.Frozen;
using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;

namespace PgRouter.Core.Encryption;

/// <summary>TLS towards the nodes as it is in force. Any thread asks without a lock; a reload swaps it whole.</summary>
internal sealed class ServerTlsStore
{
    private volatile FrozenDictionary<ServerTlsConfig, Loaded> _current = FrozenDictionary<ServerTlsConfig, Loaded>.Empty;

    /// <summary>What to do with a node, or why nothing can be done: never clear text instead.</summary>
    public (ServerTls? Tls, string Problem) For(NodeConfig node)
    {
        if (_current.TryGetValue(node.Tls, out var loaded))
            return (loaded.Tls, loaded.Problem);
        var now = Load(node.Tls); // A node that no configuration has named, as in "pgrouter check".
        return (now.Tls, now.Problem);
    }

    /// <summary>Reads the files of all nodes again. What cannot be read keeps what is in force, and is returned as a mistake.</summary>
    public IReadOnlyList<string> Reload(IReadOnlyList<NodeConfig> nodes)
    {
        var mistakes = new List<string>();
        var next = new Dictionary<ServerTlsConfig, Loaded>();
        foreach (var node in nodes.Where(node => !node.IsLocal).DistinctBy(node => node.Tls))
        {
            var loaded = Load(node.Tls);
            if (loaded.Problem.Length > 0)
                mistakes.Add($"TLS towards {node}: {loaded.Problem}");
            next[node.Tls] = loaded.Tls is null && _current.TryGetValue(node.Tls, out var known) ? known : loaded;
        }
        _current = next.ToFrozenDictionary();
        return mistakes;
    }

    private static Loaded Load(ServerTlsConfig config)
    {
        try
        {
            return new Loaded(ServerTls.Load(config), "");
        }
        catch (EncryptionException e)
        {
            return new Loaded(null, e.Message);
        }
    }

    private sealed record Loaded(ServerTls? Tls, string Problem);
}
