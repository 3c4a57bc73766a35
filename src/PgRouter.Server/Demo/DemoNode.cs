namespace PgRouter.Server.Demo;

/// <summary>One server of the demonstration.</summary>
/// <param name="Id">Its number in pgpool.conf.</param>
/// <param name="Port">Where it listens on 127.0.0.1.</param>
/// <param name="DataDirectory">Its data.</param>
internal sealed record DemoNode(int Id, int Port, string DataDirectory)
{
    public string Name => $"node{Id}";

    public string LogFile => DataDirectory + ".log";

    /// <summary>Settings on top of initdb's. Not durable: the data is thrown away. The standbys get them by the base backup.</summary>
    public static string CommonSettings =>
        """
        listen_addresses = '127.0.0.1'
        unix_socket_directories = ''
        fsync = off
        shared_buffers = 16MB
        wal_keep_size = 64MB
        wal_retrieve_retry_interval = 200ms
        log_line_prefix = '%m [%p] '

        """;

    /// <summary>What differs from node to node; written behind the common ones, so the last one counts.</summary>
    public string OwnSettings =>
        $"""
        port = {Port}
        cluster_name = '{Name}'

        """;
}
