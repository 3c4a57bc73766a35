using static PgRouter.Core.Configuration.Settings.SettingRows;

namespace PgRouter.Core.Configuration.Settings;

/// <summary>Where clients come in, and where pgpool's administration protocol used to be.</summary>
internal static class ListeningSettings
{
    private const string NoPcp = "there is no PCP port; use SHOW POOL_* and the console's commands on the client port";
    private const string NoProcesses = "there are no child processes whose accept() could be tuned";

    public static IEnumerable<Setting> Rows { get; } = In(
        SettingGroup.Listening,
        (Word("backend_clustering_mode", "streaming_replication", ["streaming_replication", "raw"],
            "How the nodes are kept equal: streaming_replication, or raw, in which everything runs on the primary.") with
        {
            Apply = (draft, value) => draft.IsRaw = value.Text == "raw",
            RefusedWords = new Dictionary<string, string>
            {
                ["native_replication"] = "a statement is never sent to several nodes; use PostgreSQL's streaming replication",
                ["snapshot_isolation"] = "a statement is never sent to several nodes; use PostgreSQL's streaming replication",
                ["logical_replication"] = "which node owns which table cannot be told; use streaming_replication, or raw with one node",
                ["slony"] = "use PostgreSQL's streaming replication",
            },
        }).Restart(),
        List("listen_addresses", "localhost", "Addresses for TCP clients: host names or addresses, * for all, empty for no TCP.")
            .PgBouncer("listen_addr").Restart().To((c, v) => c with { ListenAddresses = v.Items }),
        Port("port", "9999", "Port for clients, and the number in the name of the Unix-domain socket.")
            .PgBouncer("listen_port").Restart().To((c, v) => c with { Port = (int)v.Integer }),
        List("unix_socket_directories", "/tmp", "Directories for Unix-domain sockets; empty for none.")
            .PgBouncer("unix_socket_dir").Once("socket_dir").Restart().To((c, v) => c with { UnixSocketDirectories = v.Items }),
        Text("unix_socket_group", "", "Group that owns the Unix-domain socket.").PgBouncer("unix_socket_group").Restart()
            .Accepted("the socket belongs to the group PgRouter runs with"),
        Mode("unix_socket_permissions", "0777", "File mode of the Unix-domain socket.")
            .PgBouncer("unix_socket_mode").Restart().To((c, v) => c with { UnixSocketPermissions = (int)v.Integer }),
        List("pcp_listen_addresses", "localhost", "Addresses of the PCP port.").Restart().Accepted(NoPcp),
        Port("pcp_port", "9898", "The PCP port.").Restart().Accepted(NoPcp),
        Text("pcp_socket_dir", "/tmp", "Directory of the PCP socket.").Restart().Accepted(NoPcp),
        Integer("listen_backlog_multiplier", "2", 1, 65535, "Length of the accept queue, in num_init_children.").Restart()
            .Accepted(NoProcesses),
        Integer("listen_backlog", "128", 1, 65535, "Length of the accept queue.").Restart()
            .Accepted("the accept queue has the length the kernel allows (net.core.somaxconn)"),
        Bool("serialize_accept", false, "One child at a time waits for clients.").Restart().Accepted(NoProcesses),
        Integer("reserved_connections", "0", 0, int.MaxValue,
            "Of max_client_conn (when it is not given, of num_init_children) so many are kept for the users in admin_users; others are refused.")
            .To((c, v) => c with { ReservedConnections = (int)v.Integer }),
        Bool("so_reuseport", false, "Several processes share the port.").Restart().Accepted("one process serves all cores"),
        Bool("tcp_keepalive", true, "TCP keepalive with the system's values.").Accepted("keepalive follows the system's values"),
        Integer("tcp_defer_accept", "0", 0, int.MaxValue, "TCP_DEFER_ACCEPT of the listening socket.").PgBouncer("tcp_defer_accept")
            .Accepted("connections follow the system's values"),
        Integer("tcp_socket_buffer", "0", 0, int.MaxValue, "Socket buffers.").PgBouncer("tcp_socket_buffer")
            .Accepted("connections follow the system's values"),
        Integer("tcp_keepcnt", "0", 0, int.MaxValue, "Keepalive probes.").PgBouncer("tcp_keepcnt")
            .Accepted("connections follow the system's values"),
        Integer("tcp_keepidle", "0", 0, int.MaxValue, "Seconds before the first keepalive probe.").PgBouncer("tcp_keepidle")
            .Accepted("connections follow the system's values"),
        Integer("tcp_keepintvl", "0", 0, int.MaxValue, "Seconds between keepalive probes.").PgBouncer("tcp_keepintvl")
            .Accepted("connections follow the system's values"),
        Integer("tcp_user_timeout", "0", 0, int.MaxValue, "TCP_USER_TIMEOUT in milliseconds.").PgBouncer("tcp_user_timeout")
            .Accepted("connections follow the system's values"),
        Bool("application_name_add_host", false, "The client's address is added to application_name.")
            .Refused("application_name is passed on as the client sent it"));
}
