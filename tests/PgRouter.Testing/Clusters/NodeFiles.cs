using System.Globalization;
using System.Text;

namespace PgRouter.Testing.Clusters;

/// <summary>Writes the configuration files of a node. Overwrites in place, so that the files keep their owner.</summary>
internal sealed class NodeFiles(PgClusterOptions options)
{
    private const string Included = "testbed.conf";

    /// <summary>Everything that differs from PostgreSQL's defaults, in a file that postgresql.conf includes at its end.</summary>
    public void WriteSettings(PgNode node)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in SettingsOf(node).Concat(options.Settings))
            text.Append(CultureInfo.InvariantCulture, $"{name} = '{value.Replace("'", "''")}'\n");
        File.WriteAllText(Path.Combine(node.DataDirectory, Included), text.ToString());

        var main = Path.Combine(node.DataDirectory, "postgresql.conf");
        var include = $"include '{Included}'\n";
        if (!File.ReadAllText(main).EndsWith(include, StringComparison.Ordinal))
            File.AppendAllText(main, include);
    }

    /// <summary>Unix sockets trust everyone, TCP asks for <paramref name="method"/>.</summary>
    public void WriteHba(PgNode node, string method) =>
        File.WriteAllText(
            Path.Combine(node.DataDirectory, "pg_hba.conf"),
            $"""
            local all         all trust
            local replication all trust
            host  all         all 127.0.0.1/32 {method}
            host  replication all 127.0.0.1/32 {method}

            """);

    private Dictionary<string, string> SettingsOf(PgNode node) => new()
    {
        ["listen_addresses"] = node.Host,
        ["port"] = node.Port.ToString(CultureInfo.InvariantCulture),
        ["unix_socket_directories"] = node.SocketDirectory,
        ["cluster_name"] = $"node{node.Index}",
        ["max_connections"] = options.MaxConnections.ToString(CultureInfo.InvariantCulture),
        ["max_prepared_transactions"] = "20",
        ["shared_buffers"] = "32MB",
        ["dynamic_shared_memory_type"] = "posix",
        ["fsync"] = "off",
        ["synchronous_commit"] = "local",
        ["full_page_writes"] = options.FullPageWrites ? "on" : "off",
        ["wal_level"] = "logical",
        ["wal_log_hints"] = "on",
        ["wal_keep_size"] = "256MB",
        ["max_wal_senders"] = "20",
        ["max_replication_slots"] = "20",
        ["hot_standby"] = "on",
        ["wal_retrieve_retry_interval"] = "100ms",
        ["log_line_prefix"] = "%m [%p] %a ",
        ["log_connections"] = "off",
        ["timezone"] = "UTC",
        ["log_timezone"] = "UTC",
        ["lc_messages"] = "C",
    };
}
