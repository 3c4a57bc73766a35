using PgRouter.Core.Cluster;

namespace PgRouter.Core.Admin.Pgpool;

/// <summary>The settings as pgpool-II lists them: every parameter, then what is known of each node.</summary>
internal static class SettingList
{
    /// <summary>item, value, description.</summary>
    public static AdminTable<SettingRow> Table { get; } = new AdminTable<SettingRow>()
        .Text("item", r => r.Name)
        .Text("value", r => r.Value)
        .Text("description", r => r.Description);

    /// <summary>All of them, secrets masked; a node's entry that the settings hold already is not repeated.</summary>
    public static IReadOnlyList<SettingRow> All(AdminServices services)
    {
        var settings = SettingMask.Apply(services.Settings.Rows());
        var known = settings.Select(s => s.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        return [.. settings, .. services.Snapshots.Cluster.Nodes.SelectMany(NodeRows).Where(r => !known.Contains(r.Name))];
    }

    private static IEnumerable<SettingRow> NodeRows(NodeView node)
    {
        var id = node.Id;
        var config = node.Config;
        yield return Row($"backend_hostname{id}", config.Host, $"host of node {id}");
        yield return Row($"backend_port{id}", AdminText.Integer(config.Port), $"port of node {id}");
        yield return Row($"backend_weight{id}", AdminText.Float8(config.Weight), $"relative share of reads of node {id}");
        yield return Row($"backend_data_directory{id}", config.DataDirectory, $"data directory of node {id}");
        yield return Row($"backend_application_name{id}", config.ApplicationName, $"application_name of the walreceiver of node {id}");
        yield return Row($"backend_flag{id}", Flags(config.Flags), $"flags of node {id}");
        yield return Row($"backend_status{id}", NodeWords.Status(node.State.Status), $"status of node {id}");
        yield return Row($"standby_delay{id}", Delay(node.State), $"replication delay of node {id} in bytes, empty when unknown");
    }

    private static SettingRow Row(string name, string value, string description) => new(name, value, "", description, true);

    private static string Flags(NodeFlags flags)
    {
        var failover = flags.HasFlag(NodeFlags.DisallowToFailover) ? "DISALLOW_TO_FAILOVER" : "ALLOW_TO_FAILOVER";
        return flags.HasFlag(NodeFlags.AlwaysPrimary) ? $"{failover}|ALWAYS_PRIMARY" : failover;
    }

    private static string Delay(NodeState state) => state.ReplicationDelayBytes is { } bytes ? AdminText.Integer(bytes) : "";
}
