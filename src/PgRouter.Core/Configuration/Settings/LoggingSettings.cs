using static PgRouter.Core.Configuration.Settings.SettingRows;

namespace PgRouter.Core.Configuration.Settings;

/// <summary>What is logged, and where to.</summary>
internal static class LoggingSettings
{
    private const string StdErr = "the log goes to standard error; the service manager keeps and rotates it";

    private static readonly string[] Severities =
        ["debug5", "debug4", "debug3", "debug2", "debug1", "info", "notice", "warning", "error", "log", "fatal", "panic"];

    public static IEnumerable<Setting> Rows { get; } = In(
        SettingGroup.Logging,
        (Word("log_destination", "stderr", ["stderr"], "Where the log goes.") with
        {
            RefusedWords = new Dictionary<string, string>
            {
                ["syslog"] = "use stderr and let the service manager pass the log on",
                ["stderr,syslog"] = "use stderr and let the service manager pass the log on",
            },
        }).Restart(),
        Text("log_line_prefix", "%m: %a pid %p: ",
            "In front of each line: %t time, %m time with milliseconds, %p process id, %P process name, %l line number, "
            + "%a application, %d database, %u user, %% percent sign.")
            .To((c, v) => c with { LogLinePrefix = v.Text }),
        Bool("log_connections", false, "Each client that comes is logged.").PgBouncer("log_connections")
            .To((c, v) => c with { LogConnections = v.Bool }),
        Bool("log_disconnections", false, "Each client that leaves is logged.").PgBouncer("log_disconnections")
            .To((c, v) => c with { LogDisconnections = v.Bool }),
        Bool("log_hostname", false, "Clients are logged with their host name.").To((c, v) => c with { LogHostname = v.Bool }),
        Bool("log_statement", false, "Each statement is logged.").To((c, v) => c with { LogStatement = v.Bool }),
        Bool("log_per_node_statement", false, "Each statement is logged with the node it runs on and why.")
            .To((c, v) => c with { LogPerNodeStatement = v.Bool }),
        Bool("log_client_messages", false, "Each protocol message of a client is logged.")
            .To((c, v) => c with { LogClientMessages = v.Bool }),
        Word("log_min_messages", "warning", Severities, "The least severe message that is logged; log ranks above error.")
            .To((c, v) => c with { LogMinMessages = Enum.Parse<LogSeverity>(v.Text, ignoreCase: true) }),
        Bool("log_pcp_processes", false, "PCP processes are logged.").Accepted("there is no PCP port"),
        Bool("notice_per_node_statement", false, "The client is told by a NOTICE which node has run each statement.")
            .To((c, v) => c with { NoticePerNodeStatement = v.Bool }),
        Word("log_backend_messages", "none", ["none", "terse", "verbose"], "Messages of the servers are logged.")
            .Accepted("servers' messages are not logged"),
        Word("client_min_messages", "notice", Severities, "The least severe message that a client is sent.")
            .Accepted("clients are sent what PostgreSQL sends, and errors"),
        Word("log_error_verbosity", "default", ["terse", "default", "verbose"], "How much is logged of an error.")
            .Accepted("errors are logged in full"),
        Bool("log_pooler_errors", true, "Errors sent to clients are logged.").PgBouncer("log_pooler_errors")
            .Accepted("they are logged always"),
        Bool("log_stats", true, "Statistics are logged.").PgBouncer("log_stats").Accepted("SHOW STATS and the metrics tell them"),
        Seconds("stats_period", "60", "Time between two statistics.").PgBouncer("stats_period").Accepted("averages are over 60 seconds"),
        Integer("verbose", "0", 0, 3, "PgBouncer's verbosity.").PgBouncer("verbose").Accepted("see log_min_messages"),
        Text("syslog_facility", "LOCAL0", "Facility for syslog.").PgBouncer("syslog_facility").Accepted(StdErr),
        Text("syslog_ident", "pgpool", "Name for syslog.").PgBouncer("syslog_ident").Accepted(StdErr),
        Bool("syslog", false, "PgBouncer's log goes to syslog.").PgBouncer("syslog").Accepted(StdErr),
        Bool("logging_collector", false, "The log is collected into files.").Restart().Accepted(StdErr),
        Text("log_directory", "/tmp/pgpool_logs", "Directory of these files.").Accepted(StdErr),
        Text("log_filename", "pgpool-%Y-%m-%d_%H%M%S.log", "Names of these files.").Accepted(StdErr),
        Text("logfile", "", "PgBouncer's log file.").PgBouncer("logfile").Accepted(StdErr),
        Minutes("log_rotation_age", "1440", "A file this old is followed by a new one.").Accepted(StdErr),
        Kilobytes("log_rotation_size", "10240", "A file this large is followed by a new one.").Accepted(StdErr),
        Bool("log_truncate_on_rotation", false, "Files of the same name are overwritten.").Accepted(StdErr),
        Mode("log_file_mode", "0600", "File mode of these files.").Accepted(StdErr),
        Text("work_dir", "/tmp", "Directory of pgpool_status.").Once("logdir").Restart().Accepted("nothing is kept between two starts"));
}
