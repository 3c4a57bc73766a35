using static PgRouter.Core.Configuration.Settings.SettingRows;

namespace PgRouter.Core.Configuration.Settings;

/// <summary>The process itself, and what is left of pgpool's replication modes and of PgBouncer.</summary>
internal static class OtherSettings
{
    private const string NoReplication = "a statement is never sent to several nodes; use PostgreSQL's streaming replication";
    private const string OnlyReplication = "it belongs to pgpool's own replication, which does not exist here";
    private const string OwnBuffers = "buffers are sized by the router";
    private const string NoDns = "names are resolved by the system's resolver at each connection";

    public static IEnumerable<Setting> Rows { get; } = In(
        SettingGroup.Other,
        Integer("pgrouter.loops", "0", 0, 1024, "Event loops, one thread each; 0 = by the number of cores.").Restart()
            .To((c, v) => c with { Loops = (int)v.Integer }),
        (Word("pgrouter.io", "auto", ["auto", "epoll", "io_uring"],
            "How the kernel is asked to move bytes: epoll; io_uring, or epoll with a line in the log where the kernel lacks or forbids it; "
            + "auto = epoll.") with
        {
            Apply = (draft, value) => draft.Config = draft.Config with { Io = Enum.Parse<IoChoice>(value.Text.Replace("_", ""), ignoreCase: true) },
        }).Restart(),
        Text("pid_file_name", "",
            "File of the process id; empty = /run/pgrouter/pgrouter.pid if that can be written, else /tmp/pgrouter.PORT.pid.")
            .PgBouncer("pidfile").Restart().To((c, v) => c with { PidFileName = v.Text }),
        Bool("replication_mode", false, "pgpool's own replication.").Restart().Refused(NoReplication),
        Bool("master_slave_mode", true, "One primary and standbys.").Restart().Refused(NoReplication),
        Word("master_slave_sub_mode", "stream", ["stream", "slony", "logical"], "Kind of replication.").Restart().Refused(NoReplication),
        Bool("replicate_select", false, "Reads go to all nodes.").Refused(NoReplication),
        Bool("insert_lock", true, "INSERT locks its table.").Accepted(OnlyReplication),
        Text("lobj_lock_table", "", "Table locked for large objects.").Accepted(OnlyReplication),
        Bool("replication_stop_on_mismatch", false, "Nodes that answer otherwise are taken out.").Accepted(OnlyReplication),
        Bool("failover_if_affected_tuples_mismatch", false, "Nodes that change other rows are taken out.").Accepted(OnlyReplication),
        Integer("pkt_buf", "4096", 1, int.MaxValue, "PgBouncer's buffer per connection.").PgBouncer("pkt_buf").Accepted(OwnBuffers),
        Integer("max_packet_size", "2147483647", 1024, int.MaxValue, "Longest message of a client, in bytes; a longer one ends its session.")
            .PgBouncer("max_packet_size").To((c, v) => c with { MaxPacketSize = (int)v.Integer }),
        Integer("sbuf_loopcnt", "5", 0, int.MaxValue, "Reads of one connection in turn.").PgBouncer("sbuf_loopcnt").Accepted(OwnBuffers),
        Seconds("suspend_timeout", "10", "Longest wait of SUSPEND for bytes that are not taken; then their connections are dropped.")
            .PgBouncer("suspend_timeout").To((c, v) => c with { SuspendTimeout = v.Duration }),
        Seconds("dns_max_ttl", "15", "How long addresses are kept.").PgBouncer("dns_max_ttl").Accepted(NoDns),
        Seconds("dns_zone_check_period", "0", "How often zones are looked at for changes.").PgBouncer("dns_zone_check_period")
            .Accepted(NoDns),
        Text("resolv_conf", "", "The resolver's file.").PgBouncer("resolv_conf").Accepted(NoDns),
        Text("service_name", "pgbouncer", "Name of the Windows service.").PgBouncer("service_name").Accepted("there is no Windows service"),
        Text("job_name", "pgbouncer", "Old name of service_name.").PgBouncer("job_name").Accepted("there is no Windows service"),
        Seconds("dns_nxdomain_ttl", "15", "How long missing names are kept.").PgBouncer("dns_nxdomain_ttl").Accepted(NoDns),
        Text("user", "", "User that PgBouncer switches to.").PgBouncer("user").Accepted("PgRouter keeps the user it is started with"));
}
