using System.Text;

namespace PgRouter.Server.Demo;

/// <summary>The pgpool.conf of the demonstration.</summary>
internal static class DemoConfiguration
{
    /// <summary>Writes it beside the data and returns its path.</summary>
    public static string Write(DemoCluster cluster, int port)
    {
        var text = new StringBuilder(
            $"""
            listen_addresses = '127.0.0.1'
            port = {port}
            unix_socket_directories = ''
            pid_file_name = '{Path.Combine(cluster.DirectoryPath, "pgrouter.pid")}'

            sr_check_user = '{DemoCluster.User}'
            sr_check_database = 'postgres'
            sr_check_period = 1
            health_check_period = 1
            health_check_max_retries = 1
            health_check_retry_delay = 1

            # The nodes are shown as they change; the log would only repeat it.
            log_min_messages = fatal


            """);
        foreach (var node in cluster.Nodes)
        {
            text.Append(
                $"""
                backend_hostname{node.Id} = '127.0.0.1'
                backend_port{node.Id} = {node.Port}
                backend_weight{node.Id} = 1
                backend_data_directory{node.Id} = '{node.DataDirectory}'
                backend_application_name{node.Id} = '{node.Name}'

                """);
        }
        var path = Path.Combine(cluster.DirectoryPath, "pgpool.conf");
        File.WriteAllText(path, text.ToString());
        return path;
    }
}
