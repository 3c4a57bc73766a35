using PgRouter.Testing.Certificates;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Processes;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Encryption;

/// <summary>An authority, the files it issued, and a router with TLS in front of the shared cluster.</summary>
internal sealed class TlsBed : IAsyncDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("pgrouter-tls-");

    private TlsBed()
    {
        Write(Authority.Server("localhost", "127.0.0.1"), "server");
        File.WriteAllText(FileOf("ca.crt"), TestAuthority.Pem(Authority.Certificate));
    }

    public TestAuthority Authority { get; } = new();

    public RouterProcessFixture Router { get; private set; } = null!;

    /// <summary>Where clients that speak TLS connect.</summary>
    public Endpoint TlsEndpoint => Router.Endpoint with { Tls = true };

    public static Task<TlsBed> StartAsync(
        PgCluster cluster, Action<TlsBed, Dictionary<string, string>>? change = null, IReadOnlyDictionary<string, string>? files = null) =>
        StartAsync([.. cluster.Nodes.Select(node => new Endpoint(node.Host, node.Port))], change, files);

    public static async Task<TlsBed> StartAsync(
        IReadOnlyList<Endpoint> backends, Action<TlsBed, Dictionary<string, string>>? change = null, IReadOnlyDictionary<string, string>? files = null)
    {
        var bed = new TlsBed();
        var settings = new Dictionary<string, string>(bed.Settings);
        change?.Invoke(bed, settings);
        bed.Router = await RouterProcessFixture.StartAsync(backends, settings, files);
        return bed;
    }

    /// <summary>TLS on, with a certificate for 127.0.0.1 and localhost.</summary>
    public IReadOnlyDictionary<string, string> Settings => new Dictionary<string, string>
    {
        ["ssl"] = "on",
        ["ssl_cert"] = FileOf("server.crt"),
        ["ssl_key"] = FileOf("server.key"),
    };

    public string FileOf(string name) => Path.Combine(_directory.FullName, name);

    /// <summary>Writes NAME.crt and NAME.key.</summary>
    public void Write(System.Security.Cryptography.X509Certificates.X509Certificate2 certificate, string name) =>
        TestAuthority.Write(certificate, _directory.FullName, name);

    /// <summary>What psql says to a query, or its complaint.</summary>
    public async Task<string> PsqlAsync(PgCluster cluster, string sql, string options, string host = "127.0.0.1", string user = "postgres", string database = "postgres")
    {
        var target = $"host={host} port={Router.Endpoint.Port} user={user} dbname={database} password=postgres connect_timeout=20 {options}";
        var result = await Command.RunAsync(cluster.Binaries.PathOf("psql"), ["-X", "-A", "-t", "-c", sql, target]);
        return result.ExitCode == 0 ? result.Output.Trim() : result.Error;
    }

    public async ValueTask DisposeAsync()
    {
        if (Router is not null)
            await Router.DisposeAsync();
        Authority.Dispose();
        _directory.Delete(recursive: true);
    }
}
