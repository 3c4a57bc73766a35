using System.Text;
using PgRouter.Core.Cluster;

namespace PgRouter.Core.Configuration;

/// <summary>The checks that look at several settings together. Each adds what it finds; none stops the others.</summary>
internal sealed class ConfigChecks(RouterConfig config, IReadOnlyDictionary<string, ConfiguredValue> values, ConfigSource file)
{
    /// <summary>sun_path of sockaddr_un holds 108 bytes with its closing zero (unix(7)).</summary>
    private const int MaxSocketPath = 107;

    /// <summary>Uses of a server below which opening it anew costs more than it can be meant to.</summary>
    private const int FewUses = 1000;

    private readonly List<ConfigMistake> _mistakes = [];
    private readonly List<string> _warnings = [];

    public IReadOnlyList<ConfigMistake> Mistakes => _mistakes;

    public IReadOnlyList<string> Warnings => _warnings;

    public void Run()
    {
        CheckBackendsExist();
        CheckBackendsHaveHosts();
        CheckFlags();
        CheckNodesDiffer();
        CheckNodesAreNotThisRouter();
        CheckWeights();
        CheckListeners();
        CheckFiles();
        CheckHealthUser();
        CheckDelay();
        CheckRedirects();
        CheckPools();
        CheckTls();
        if (values.TryGetValue("backend_clustering_mode", out var mode) && mode.Value.Text == "raw")
            _warnings.Add($"{mode.Source}: backend_clustering_mode = raw: load_balance_mode is off, everything runs on the primary");
    }

    private void CheckBackendsExist()
    {
        if (config.Nodes.Count == 0 && !values.ContainsKey("backend_hostname0"))
            Mistake("backend_hostname0", "no node is given; name at least one PostgreSQL server, as in: backend_hostname0 = 'db1'");
    }

    private void CheckBackendsHaveHosts()
    {
        var ofNodes = values.Values.Where(given => given.Setting.ApplyToNode is not null && given.Setting.Name != "backend_hostname");
        foreach (var given in ofNodes)
        {
            if (!values.ContainsKey($"backend_hostname{given.Index}"))
                Mistake(given.Name, $"node {given.Index} has no backend_hostname{given.Index}");
        }
    }

    private void CheckFlags()
    {
        foreach (var given in values.Values.Where(given => given.Setting.Name == "backend_flag"))
        {
            if (given.Value.Items.Contains("ALLOW_TO_FAILOVER") && given.Value.Items.Contains("DISALLOW_TO_FAILOVER"))
                Mistake(given.Name, "found ALLOW_TO_FAILOVER and DISALLOW_TO_FAILOVER; only one of them is allowed");
        }
        var primaries = config.Nodes.Where(node => node.Flags.HasFlag(NodeFlags.AlwaysPrimary)).ToList();
        if (primaries.Count > 1)
            Mistake($"backend_flag{primaries[1].Id}", $"node {primaries[0].Id} is ALWAYS_PRIMARY already; only one node can be");
    }

    private void CheckNodesDiffer()
    {
        foreach (var twins in config.Nodes.GroupBy(node => (node.Host.ToLowerInvariant(), node.Port)).Where(group => group.Count() > 1))
        {
            foreach (var twin in twins.Skip(1))
                Mistake($"backend_hostname{twin.Id}",
                    $"found {twin.Host}:{twin.Port}, which is node {twins.First().Id} already; each node is given once");
        }
    }

    private void CheckNodesAreNotThisRouter()
    {
        foreach (var node in config.Nodes.Where(node => node.Port == config.Port))
        {
            var local = config.ListenAddresses.Count > 0 && node.Host is "localhost" or "127.0.0.1" or "::1";
            if (local || config.UnixSocketDirectories.Contains(node.Host))
                Mistake($"backend_port{node.Id}", $"found {node.Host}:{node.Port}, which is PgRouter itself; name the port of PostgreSQL");
        }
    }

    private void CheckWeights()
    {
        if (config.LoadBalanceMode && config.Nodes.Count > 0 && config.Nodes.All(node => node.Weight == 0))
            _warnings.Add("backend_weight is 0 for every node: all reads run on the primary");
    }

    private void CheckListeners()
    {
        if (config.ListenAddresses.Count == 0 && config.UnixSocketDirectories.Count == 0)
            Mistake("listen_addresses", "listen_addresses and unix_socket_directories are both empty; no client could connect");
        foreach (var directory in config.UnixSocketDirectories)
        {
            if (Encoding.UTF8.GetByteCount(Path.Combine(directory, $".s.PGSQL.{config.Port}")) > MaxSocketPath)
                Mistake("unix_socket_directories",
                    $"found \"{directory}\"; the path of a socket in it is longer than {MaxSocketPath} bytes");
        }
    }

    private void CheckFiles()
    {
        if (config.EnablePoolHba && !File.Exists(config.PoolHbaFile))
            Mistake("enable_pool_hba", $"the file \"{config.PoolHbaFile}\" is not there; create it or name another with auth_hba_file");
        if (config.PoolPasswdFile.Length > 0 && !File.Exists(config.PoolPasswdFile))
            _warnings.Add($"{SourceOf("pool_passwd")}: the file \"{config.PoolPasswdFile}\" is not there: no password is known");
    }

    private void CheckHealthUser()
    {
        if (config.SrCheckUser.Length == 0 && config.HealthCheck.User.Length == 0)
            _warnings.Add("sr_check_user and health_check_user are empty: the nodes cannot be asked for their role and delay");
    }

    private void CheckDelay()
    {
        if ((config.DelayThreshold > 0 || config.DelayThresholdByTime > TimeSpan.Zero) && config.SrCheckPeriod == TimeSpan.Zero)
            Mistake("sr_check_period", "found 0 together with a delay threshold; the delay is only known when sr_check_period is above 0");
    }

    private void CheckRedirects()
    {
        CheckRedirects("user_redirect_preference_list", config.Lists.Users);
        CheckRedirects("database_redirect_preference_list", config.Lists.Databases);
        CheckRedirects("app_name_redirect_preference_list", config.Lists.Applications);
    }

    private void CheckRedirects(string setting, RedirectList redirects)
    {
        foreach (var id in redirects.NodeIds.Where(id => config.Nodes.All(node => node.Id != id)).Distinct())
            Mistake(setting, $"found node {id}, which has no backend_hostname{id}");
    }

    private void CheckPools()
    {
        if (config.ReservedConnections > 0 && config.ReservedConnections >= config.MaxClientConn)
            Mistake("reserved_connections",
                $"found {config.ReservedConnections}, but max_client_conn (num_init_children) is {config.MaxClientConn}: no client could connect");
        if (config.MinPoolSize > config.DefaultPoolSize)
            _warnings.Add($"{SourceOf("min_pool_size")}: min_pool_size is above the pool size, which is {config.DefaultPoolSize}");
        if (config.ServerMaxUses is > 0 and < FewUses && config.PoolMode != PoolMode.Session)
            _warnings.Add($"{SourceOf("child_max_connections")}: child_max_connections counts transactions with pool_mode = "
                + $"{config.PoolMode.ToString().ToLowerInvariant()}: servers are replaced after {config.ServerMaxUses} of them");
    }

    private void CheckTls()
    {
        var client = config.ClientTls;
        if (client.Mode != TlsMode.Disable)
        {
            var setting = values.ContainsKey("client_tls_sslmode") ? "client_tls_sslmode" : "ssl";
            if (client.CertificateFile.Length == 0 || client.KeyFile.Length == 0)
                Mistake(setting, "TLS needs a certificate and its key; name their files with ssl_cert and ssl_key");
            if (client.Mode >= TlsMode.VerifyCa && !client.AsksForCertificates)
                Mistake(setting, "clients must show a certificate, but no authority is trusted; name its file with ssl_ca_cert");
        }
        CheckVersions(client.Versions, "ssl_max_protocol_version");
        foreach (var node in config.Nodes.Where(node => !node.IsLocal))
        {
            var setting = values.ContainsKey($"server_tls_sslmode{node.Id}") ? $"server_tls_sslmode{node.Id}" : "server_tls_sslmode";
            if (node.Tls.Mode >= TlsMode.VerifyCa && node.Tls.AuthorityFile.Length == 0)
                Mistake(setting, $"the certificate of {node} must be checked, but no authority is trusted; "
                    + "name its file with server_tls_ca_file, or write 'system' there");
            if (node.Tls.CertificateFile.Length > 0 != node.Tls.KeyFile.Length > 0)
                Mistake("server_tls_cert_file", "server_tls_cert_file and server_tls_key_file are given together or not at all");
        }
    }

    private void CheckVersions(TlsVersions versions, string setting)
    {
        if (versions is { Minimum: "TLSv1.3", Maximum: "TLSv1.2" })
            Mistake(setting, "the newest version allowed is older than the oldest");
    }

    private void Mistake(string setting, string message) => _mistakes.Add(new ConfigMistake(SourceOf(setting), setting, message));

    private ConfigSource SourceOf(string setting) => values.TryGetValue(setting, out var given) ? given.Source : file;
}
