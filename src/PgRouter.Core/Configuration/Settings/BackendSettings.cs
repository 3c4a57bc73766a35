using PgRouter.Core.Cluster;
using static PgRouter.Core.Configuration.Settings.SettingRows;

namespace PgRouter.Core.Configuration.Settings;

/// <summary>The nodes: backend_*N, N from 0 to 127.</summary>
internal static class BackendSettings
{
    /// <summary>The largest N, as in pgpool.</summary>
    public const int MaxNodeId = 127;

    public static IEnumerable<Setting> Rows { get; } = In(
        SettingGroup.Backend,
        Node(Text("backend_hostname", "", "Host name or address of a PostgreSQL node, or the directory of its Unix-domain socket."),
            (n, v) => n with { Host = v.Text }),
        Node(Port("backend_port", "5432", "The node's port."), (n, v) => n with { Port = (int)v.Integer }),
        Node(Real("backend_weight", "1", 0, 1_000_000, "The node's share of the reads relative to the others; 0 = no reads."),
            (n, v) => n with { Weight = v.Real }),
        Node(Text("backend_data_directory", "", "The node's data directory, for information."),
            (n, v) => n with { DataDirectory = v.Text }),
        Node(Text("backend_application_name", "", "application_name of the node's walreceiver, to find its row in pg_stat_replication."),
            (n, v) => n with { ApplicationName = v.Text }),
        Node(
            List("backend_flag", "ALLOW_TO_FAILOVER",
                "ALLOW_TO_FAILOVER or DISALLOW_TO_FAILOVER (the node is never taken out), and ALWAYS_PRIMARY, joined by |.", '|') with
            {
                Words = ["ALLOW_TO_FAILOVER", "DISALLOW_TO_FAILOVER", "ALWAYS_PRIMARY"],
            },
            (n, v) => n with { Flags = Flags(v.Items) }));

    private static Setting Node(Setting row, Func<NodeConfig, SettingValue, NodeConfig> apply) =>
        row with { Suffix = SettingSuffix.Required, ApplyToNode = apply };

    private static NodeFlags Flags(IReadOnlyList<string> words) =>
        words.Aggregate(NodeFlags.AllowToFailover, (flags, word) => flags | word switch
        {
            "DISALLOW_TO_FAILOVER" => NodeFlags.DisallowToFailover,
            "ALWAYS_PRIMARY" => NodeFlags.AlwaysPrimary,
            _ => NodeFlags.AllowToFailover,
        });
}
