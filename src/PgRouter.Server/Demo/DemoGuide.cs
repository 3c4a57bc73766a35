namespace PgRouter.Server.Demo;

/// <summary>What to try, with the commands as they are typed.</summary>
internal static class DemoGuide
{
    public static string Text(DemoCluster cluster, string configPath, int port, bool keep)
    {
        var psql = Psql(port);
        var (primary, first, second) = (cluster.Nodes[0], cluster.Nodes[1], cluster.Nodes[2]);
        var follow = $"ALTER SYSTEM SET primary_conninfo = '{DemoCluster.SourceOf(second, first)}'";
        return
            $"""

            PgRouter listens on 127.0.0.1:{port}, in front of a primary (port {primary.Port}) and two standbys ({first.Port}, {second.Port}).
            Its configuration is {configPath}. No passwords: anyone on this machine can log in.

            In another terminal:

              reads go to all three, by chance
                {psql} -c "SELECT inet_server_port(), count(*) FROM city"
              writes go to the primary
                {psql} -c "INSERT INTO city (name) VALUES ('Dublin') RETURNING inet_server_port(), name"
              the nodes as the router sees them
                {psql} -c "SHOW POOL_NODES"
              a standby fails: reads go on with the others; start it again and it comes back by itself
                {cluster.Control(2, "stop")}
                {cluster.Control(2, $"-l {second.LogFile} start")}
              the primary fails, a standby takes over: the router finds the new primary by itself
                {cluster.Control(0, "stop")}
                {cluster.Control(1, "promote")}
              the other standby still follows the old primary and is in quarantine; make it follow the new one
                {Psql(second.Port)} -c "{follow}" -c "SELECT pg_reload_conf()"

            Ctrl-C {(keep ? "stops the router and leaves the servers running" : "stops and removes everything")}.

            """;
    }

    private static string Psql(int port) => $"psql -X -h 127.0.0.1 -p {port} -U {DemoCluster.User} {DemoCluster.Database}";

    /// <summary>How to clean up what --keep has left.</summary>
    public static string Kept(DemoCluster cluster) =>
        $"""
        The servers run on, their data is in {cluster.DirectoryPath}. To remove them:
        {string.Join('\n', cluster.Nodes.Select(node => "  " + cluster.Control(node.Id, "stop")))}
          rm -r {cluster.DirectoryPath}
        """;
}
