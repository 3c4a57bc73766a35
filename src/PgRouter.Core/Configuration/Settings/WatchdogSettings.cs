using static PgRouter.Core.Configuration.Settings.SettingRows;

namespace PgRouter.Core.Configuration.Settings;

/// <summary>pgpool's own cluster of routers. None of it exists here; it is known so that a file can be read as it stands.</summary>
internal static class WatchdogSettings
{
    private const string Off = "there is no watchdog";

    public static IEnumerable<Setting> Rows { get; } =
    [
        .. In(
            SettingGroup.Watchdog,
            Bool("use_watchdog", false, "Several routers watch each other and hold a virtual address.").Restart()
                .Refused("nobody would raise delegate_ip; run PgRouters side by side and give clients all their addresses"),
            Text("hostname", "localhost", "Host of a watchdog member.").PerNode(SettingSuffix.Required).Accepted(Off),
            Port("wd_port", "9000", "Watchdog port of a member.").PerNode().Accepted(Off),
            Port("pgpool_port", "9999", "Client port of a member.").PerNode(SettingSuffix.Required).Accepted(Off),
            Text("wd_listen_address", "", "Address of the watchdog port.").Restart().Accepted(Off),
            Integer("wd_listen_port", "0", 0, 65535, "The watchdog port.").Restart().Accepted(Off),
            Integer("wd_priority", "1", 0, int.MaxValue, "Rank in the election of a leader.").Restart().Accepted(Off),
            Secret("wd_authkey", "Key of the watchdog protocol.").Accepted(Off),
            Text("wd_ipc_socket_dir", "/tmp", "Directory of the watchdog's socket.").Restart().Accepted(Off),
            Text("trusted_servers", "", "Servers that tell whether the network is up.").Restart().Accepted(Off),
            Text("trusted_server_command", "ping -q -c3 %h", "Command that asks them.").Accepted(Off),
            Text("delegate_ip", "", "The virtual address.").Once("delegate_IP").Restart().Accepted(Off),
            Text("if_cmd_path", "/sbin", "Directory of the following commands.").Restart().Accepted(Off),
            Text("if_up_cmd", "", "Command that raises the virtual address.").Restart().Accepted(Off),
            Text("if_down_cmd", "", "Command that drops it.").Restart().Accepted(Off),
            Text("arping_path", "/usr/sbin", "Directory of arping.").Restart().Accepted(Off),
            Text("arping_cmd", "", "Command that announces the address.").Restart().Accepted(Off),
            Text("ping_path", "/bin", "Directory of ping.").Restart().Accepted(Off),
            Text("wd_monitoring_interfaces_list", "", "Network interfaces watched.").Restart().Accepted(Off),
            Word("wd_lifecheck_method", "heartbeat", ["heartbeat", "query", "external"], "How members are watched.").Restart()
                .Accepted(Off),
            Seconds("wd_interval", "10", "Time between two checks of the members.").Restart().Accepted(Off),
            Integer("wd_life_point", "3", 1, int.MaxValue, "Failed checks after which a member is lost.").Restart().Accepted(Off),
            Text("wd_lifecheck_query", "SELECT 1", "Query of the query method.").Restart().Accepted(Off),
            Text("wd_lifecheck_dbname", "template1", "Database of that query.").Accepted(Off),
            Text("wd_lifecheck_user", "", "User of that query.").Accepted(Off),
            Secret("wd_lifecheck_password", "Password of that user.").Accepted(Off),
            Text("wd_escalation_command", "", "Command run by a new leader.").Accepted(Off),
            Text("wd_de_escalation_command", "", "Command run by a leader that resigns.").Accepted(Off),
            Bool("clear_memqcache_on_escalation", true, "A new leader empties the query cache.").Accepted(Off),
            Bool("wd_remove_shutdown_nodes", false, "Members that shut down leave the count.").Accepted(Off),
            Seconds("wd_lost_node_removal_timeout", "0", "Lost members leave the count after this time.").Accepted(Off),
            Seconds("wd_no_show_node_removal_timeout", "0", "Members that never came leave the count after this time.").Accepted(Off)),
        .. In(
            SettingGroup.Heartbeat,
            Text("heartbeat_hostname", "", "Host that heartbeats are sent to.").PerNode(SettingSuffix.Required).Accepted(Off),
            Port("heartbeat_port", "9694", "Port that heartbeats are sent to.").PerNode(SettingSuffix.Required).Accepted(Off),
            Text("heartbeat_device", "", "Network device for heartbeats.").PerNode(SettingSuffix.Required).Accepted(Off),
            Text("wd_heartbeat_listen_addresses", "", "Addresses for heartbeats.").Restart().Accepted(Off),
            Integer("wd_heartbeat_port", "9694", 0, 65535, "Port for heartbeats.").Once("wd_heartbeat_listen_port").Restart().Accepted(Off),
            Seconds("wd_heartbeat_keepalive", "2", "Time between two heartbeats.").Restart().Accepted(Off),
            Seconds("wd_heartbeat_deadtime", "30", "Silence after which a member is lost.").Restart().Accepted(Off)),
    ];
}
