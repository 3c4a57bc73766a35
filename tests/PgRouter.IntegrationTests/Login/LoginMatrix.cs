using PgRouter.Testing;
using PgRouter.Testing.Clusters;

namespace PgRouter.IntegrationTests.Login;

/// <summary>What the matrices of logins are made of: a user for each client method, stored secret and server method, and what is to become of it.</summary>
internal static class LoginMatrix
{
    public const string Password = "right secret";

    public static readonly string[] ClientMethods = ["trust", "password", "md5", "scram"];
    public static readonly string[] Secrets = ["text", "plain", "md5", "scram", "none"];
    public static readonly string[] ServerMethods = ["trust", "password", "md5", "scram"];

    public static async Task<Dictionary<string, string>> FilesAsync(PgCluster cluster, bool withCertificates = false) => new()
    {
        ["pool_passwd"] = await PasswordFileAsync(cluster),
        ["pool_hba.conf"] = HbaFile(withCertificates ? [.. ClientMethods, "cert"] : ClientMethods),
    };

    /// <summary>The table of docs/authentication.md.</summary>
    public static bool Succeeds(string client, string secret, string server)
    {
        var admitted = client switch
        {
            "trust" or "cert" => true,
            "scram" => secret is not ("none" or "md5"),
            _ => secret != "none",
        };
        if (!admitted || server == "trust")
            return admitted;
        return secret switch
        {
            "text" or "plain" => true,
            "md5" => client == "password" || server == "md5",
            "scram" => client == "password" || (client is "md5" or "scram" && server == "scram"),
            _ => false,
        };
    }

    public static string User(string client, string secret, string server) => $"{client}_{secret}_{server}";

    private static IEnumerable<(string User, string Client, string Secret, string Server)> Users =>
        from client in ClientMethods.Append("cert") from secret in Secrets from server in ServerMethods select (User(client, secret, server), client, secret, server);

    public static Dictionary<string, string> Settings(string hba, string clearText) => new()
    {
        ["enable_pool_hba"] = hba,
        ["allow_clear_text_frontend_auth"] = clearText,
        ["pool_passwd"] = "pool_passwd",
    };

    public static async Task MakeRolesAsync(PgCluster cluster)
    {
        foreach (var group in Users.GroupBy(one => one.Server == "md5"))
        {
            var roles = string.Concat(group.Select(one => $"CREATE ROLE {one.User} LOGIN PASSWORD '{Password}';"));
            await cluster.ExecuteAsync(0, $"SET password_encryption = '{(group.Key ? "md5" : "scram-sha-256")}'; {roles}");
        }

        var lines = ServerMethods.Select(method =>
            $"host all {string.Join(',', Users.Where(one => one.Server == method).Select(one => one.User))} 127.0.0.1/32 {Method(method)}\n");
        await File.WriteAllTextAsync(
            Path.Combine(cluster.Nodes[0].DataDirectory, "pg_hba.conf"),
            $"local all all trust\n{string.Concat(lines)}host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n");
        var loaded = await cluster.ScalarAsync<DateTime>(0, "SELECT pg_conf_load_time()");
        await cluster.ExecuteAsync(0, "SELECT pg_reload_conf()");
        await Eventually.TrueAsync(async () => await cluster.ScalarAsync<DateTime>(0, "SELECT pg_conf_load_time()") != loaded, "the reload of pg_hba.conf");
    }

    private static async Task<string> PasswordFileAsync(PgCluster cluster)
    {
        var lines = new List<string>();
        var foreign = await cluster.ScalarAsync<string>(0, "SELECT rolpassword FROM pg_authid WHERE rolname = 'trust_text_scram'");
        foreach (var (user, _, secret, server) in Users)
        {
            var verifier = server == "md5" ? foreign : await cluster.ScalarAsync<string>(0, $"SELECT rolpassword FROM pg_authid WHERE rolname = '{user}'");
            var md5 = await cluster.ScalarAsync<string>(0, $"SELECT 'md5' || md5('{Password}{user}')");
            var line = secret switch
            {
                "text" => $"{user}:TEXT{Password}",
                "plain" => $"\"{user}\" \"{Password}\"",
                "md5" => $"{user}:{md5}",
                "scram" => $"{user}:{verifier}",
                _ => "",
            };
            lines.Add(line);
        }

        return string.Join('\n', lines.Where(line => line.Length > 0)) + "\n";
    }

    private static string HbaFile(IEnumerable<string> methods) =>
        "host all rejected 127.0.0.1/32 reject\n"
        + string.Concat(methods.Select(method =>
            $"{(method == "cert" ? "hostssl" : "host")} all {string.Join(',', Users.Where(one => one.Client == method).Select(one => one.User))} 127.0.0.1/32 {Method(method)}\n"))
        + "host all unknown,postgres 127.0.0.1/32 scram-sha-256\n";

    private static string Method(string name) => name == "scram" ? "scram-sha-256" : name;
}
