using PgRouter.Core.Cluster;
using PgRouter.Protocol;

namespace PgRouter.Core.Sessions;

/// <summary>
/// A start-up packet that asks for a replication connection. Source: "Streaming Replication Protocol", the parameter <c>replication</c>.
/// </summary>
internal static class ReplicationStartup
{
    /// <summary>The setting by which a client names the node, in <c>options</c>: <c>-c pgrouter.node=1</c>.</summary>
    public const string NodeSetting = "pgrouter.node";

    /// <summary>What the packet asks for, or false with the error PostgreSQL gives.</summary>
    public static bool TryRead(StartupPacket startup, out ReplicationKind kind, out ErrorMessage? error)
    {
        error = null;
        var value = startup.Find("replication");
        kind = value?.ToLowerInvariant() switch
        {
            null or "" or "0" or "off" or "of" or "false" or "fals" or "fal" or "fa" or "f" or "no" or "n" => ReplicationKind.None,
            "1" or "on" or "true" or "tru" or "tr" or "t" or "yes" or "ye" or "y" => ReplicationKind.Physical,
            _ when value == "database" => ReplicationKind.Logical,
            _ => ReplicationKind.Invalid,
        };
        if (kind != ReplicationKind.Invalid)
            return true;
        error = ErrorMessage.Fatal(
            SqlStates.InvalidParameterValue,
            $"invalid value for parameter \"replication\": \"{value}\"",
            hint: "Valid values are: \"false\", 0, \"true\", 1, \"database\".");
        return false;
    }

    /// <summary>The client's parameters for the server: all but those of the protocol itself.</summary>
    public static IReadOnlyList<(string Name, string Value)> ParametersOf(StartupPacket startup) =>
        [.. startup.Parameters.Where(p => !p.Name.StartsWith("_pq_.", StringComparison.Ordinal)).Select(p => (p.Name, p.Value))];

    /// <summary>The node that the client names, else the primary; null with an error when it cannot be used.</summary>
    public static NodeView? ChooseNode(StartupPacket startup, ClusterView cluster, out ErrorMessage? error)
    {
        error = null;
        if (startup.Find("options") is not { } options || !options.Contains(NodeSetting + "=", StringComparison.Ordinal))
        {
            if (cluster.Primary is null)
                error = ErrorMessage.Fatal(SqlStates.CannotConnectNow, "no primary is available", hint: "See SHOW POOL_NODES.");
            return cluster.Primary;
        }
        var value = options[(options.IndexOf(NodeSetting, StringComparison.Ordinal) + NodeSetting.Length + 1)..].Split(' ')[0];
        var node = cluster.Nodes.FirstOrDefault(n => n.Id.ToString(System.Globalization.CultureInfo.InvariantCulture) == value);
        if (node is null)
        {
            error = ErrorMessage.Fatal(
                SqlStates.InvalidParameterValue, $"invalid value for parameter \"{NodeSetting}\": \"{value}\"", hint: "Name a node_id of SHOW POOL_NODES.");
        }
        else if (!node.IsUsable)
        {
            error = ErrorMessage.Fatal(SqlStates.CannotConnectNow, $"node {node.Id} is not in use", hint: "See SHOW POOL_NODES.");
        }
        return error is null ? node : null;
    }
}

/// <summary>Which replication a connection is for.</summary>
internal enum ReplicationKind : byte
{
    /// <summary>An ordinary session.</summary>
    None,

    /// <summary>replication=true: of no database.</summary>
    Physical,

    /// <summary>replication=database.</summary>
    Logical,

    /// <summary>A value that PostgreSQL refuses.</summary>
    Invalid,
}
