using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using PgRouter.Core.Authentication;
using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;
using PgRouter.Core.Encryption;
using PgRouter.Core.Servers;
using PgRouter.Core.Transport;
using PgRouter.IntegrationTests.Consoles;
using PgRouter.Testing;
using PgRouter.Testing.Certificates;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Fakes;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Encryption;

/// <summary>TLS between the router and real servers, with libpq's words for what is demanded.</summary>
[TestFixture]
public sealed class ServerTlsTests
{
    private readonly DirectoryInfo _files = Directory.CreateTempSubdirectory("pgrouter-tls-");
    private readonly TestAuthority _authority = new();
    private readonly TestAuthority _stranger = new("stranger");
    private readonly EventLoop _loop = new(0, NullLogger.Instance);
    private readonly WorkThreads _work = new(1);
    private PgCluster _cluster = null!;

    [OneTimeSetUp]
    public async Task StartCluster()
    {
        _loop.Start();
        await File.WriteAllTextAsync(FileOf("ca.crt"), TestAuthority.Pem(_authority.Certificate));
        await File.WriteAllTextAsync(FileOf("stranger.crt"), TestAuthority.Pem(_stranger.Certificate));
        using var client = _authority.Client("cert_user");
        TestAuthority.Write(client, _files.FullName, "client");
        using var server = _authority.Server("localhost", "db1");
        _authority.Revoke(server);
        await File.WriteAllTextAsync(FileOf("ca.crl"), _authority.RevocationList());

        _cluster = await PgCluster.StartAsync(new PgClusterOptions { Standbys = 0 });
        await _cluster.UseTlsAsync(0, TestAuthority.Pem(server), TestAuthority.KeyPem(server), TestAuthority.Pem(_authority.Certificate));
        await _cluster.ExecuteAsync(0, "CREATE ROLE tls_only LOGIN; CREATE ROLE clear_only LOGIN; CREATE ROLE cert_user LOGIN");
        await _cluster.WriteHbaAsync(
            0,
            """
            local     all all trust
            hostssl   all tls_only   127.0.0.1/32 trust
            hostnossl all clear_only 127.0.0.1/32 trust
            hostssl   all cert_user  127.0.0.1/32 cert
            host      all postgres   127.0.0.1/32 trust

            """);
    }

    [OneTimeTearDown]
    public async Task StopCluster()
    {
        await _cluster.DisposeAsync();
        _loop.Dispose();
        _work.Dispose();
        _authority.Dispose();
        _stranger.Dispose();
        _files.Delete(recursive: true);
    }

    /// <summary>What the server says of the connection, or how the login failed.</summary>
    [TestCase("postgres", "disable", "127.0.0.1", ExpectedResult = "clear")]
    [TestCase("postgres", "allow", "127.0.0.1", ExpectedResult = "clear")]
    [TestCase("postgres", "prefer", "127.0.0.1", ExpectedResult = "TLSv1.3")]
    [TestCase("postgres", "require", "127.0.0.1", ExpectedResult = "TLSv1.3")]
    [TestCase("postgres", "verify-ca", "127.0.0.1", ExpectedResult = "TLSv1.3")]
    [TestCase("postgres", "verify-full", "localhost", ExpectedResult = "TLSv1.3")]
    [TestCase("tls_only", "disable", "127.0.0.1", ExpectedResult = "28000 no pg_hba.conf entry for host \"127.0.0.1\", user \"tls_only\", database \"postgres\", no encryption")]
    [TestCase("tls_only", "allow", "127.0.0.1", ExpectedResult = "TLSv1.3")]
    [TestCase("tls_only", "prefer", "127.0.0.1", ExpectedResult = "TLSv1.3")]
    [TestCase("clear_only", "prefer", "127.0.0.1", ExpectedResult = "clear")]
    [TestCase("clear_only", "require", "127.0.0.1", ExpectedResult = "28000 no pg_hba.conf entry for host \"127.0.0.1\", user \"clear_only\", database \"postgres\", SSL encryption")]
    [TestCase("cert_user", "require", "127.0.0.1", ExpectedResult = "28000 connection requires a valid client certificate")]
    public Task<string> A_login_is_as_encrypted_as_it_must_be(string user, string mode, string host) => LogInAsync(user, mode, host);

    [Test]
    public async Task A_certificate_for_another_name_is_refused()
    {
        Assert.That(
            await LogInAsync("postgres", "verify-full", "127.0.0.1"),
            Does.StartWith("08006 could not connect to node 0").And.Contain("server certificate for \"localhost\" does not match host name \"127.0.0.1\""));
    }

    [TestCase("verify-ca")]
    [TestCase("verify-full")]
    public async Task A_certificate_of_another_authority_is_refused(string mode) => Assert.That(
        await LogInAsync("postgres", mode, "localhost", tls => tls with { AuthorityFile = FileOf("stranger.crt") }),
        Does.StartWith("08006 could not connect to node 0").And.Contain("certificate verify failed"));

    [Test]
    public async Task A_revoked_certificate_is_refused() => Assert.That(
        await LogInAsync("postgres", "verify-ca", "localhost", tls => tls with { RevocationFile = FileOf("ca.crl") }),
        Does.Contain("certificate verify failed: certificate revoked"));

    [Test]
    public async Task A_client_certificate_is_shown() => Assert.That(
        await LogInAsync("cert_user", "require", "127.0.0.1", tls => tls with { CertificateFile = FileOf("client.crt"), KeyFile = FileOf("client.key") }),
        Is.EqualTo("TLSv1.3"));

    [Test]
    public async Task A_file_that_cannot_be_read_lets_nothing_out() => Assert.That(
        await LogInAsync("postgres", "require", "127.0.0.1", tls => tls with { CertificateFile = FileOf("none.crt"), KeyFile = FileOf("none.key") }),
        Does.StartWith("08006 could not connect to node 0").And.Contain("the private key is not there"));

    [TestCase("allow", ExpectedResult = "in")]
    [TestCase("prefer", ExpectedResult = "in")]
    [TestCase("require", ExpectedResult = "08006 could not connect to node 0 (HOST): the server does not support SSL, but SSL was required")]
    [TestCase("verify-full", ExpectedResult = "08006 could not connect to node 0 (HOST): the server does not support SSL, but SSL was required")]
    public async Task<string> A_server_without_TLS_gets_clear_text_only_where_that_is_allowed(string mode)
    {
        await using var fake = FakePostgres.Start();
        var (server, error) = await ConnectAsync("postgres", NodeOf(fake.Endpoint.Host, fake.Endpoint.Port, mode));
        if (server is not null)
            await CloseAsync(server);
        var expected = mode is "allow" or "prefer" ? 1 : 0;
        Assert.That(fake.Connections, Has.Count.EqualTo(expected), "start-up packets seen in clear text");
        return error?.Replace($"{fake.Endpoint.Host}:{fake.Endpoint.Port}", "HOST") ?? "in";
    }

    /// <summary>Whoever answers S and goes on in clear text is not believed, and prefer tries once more in clear text.</summary>
    [TestCase("require", 0)]
    [TestCase("prefer", 1)]
    public async Task What_stands_in_clear_text_behind_the_S_fails_as_TLS(string mode, int startups)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var seen = 0;
        var serving = Task.Run(async () =>
        {
            for (var i = 0; i <= startups; i++)
            {
                using var client = await listener.AcceptTcpClientAsync();
                var packet = new byte[8];
                await client.GetStream().ReadExactlyAsync(packet);
                if (packet[4] == 0)
                    seen++;
                else
                    await client.GetStream().WriteAsync((byte[])[(byte)'S', .. Backend.AuthenticationOk().ToBytes(), .. Backend.ReadyForQuery().ToBytes()]);
                await client.GetStream().ReadAtLeastAsync(new byte[4096], 1, throwOnEndOfStream: false);
            }
        });

        var (server, error) = await ConnectAsync("postgres", NodeOf("127.0.0.1", ((IPEndPoint)listener.LocalEndpoint).Port, mode));

        Assert.That(server, Is.Null);
        Assert.That(error, Does.StartWith("08006"));
        await Eventually.DoneAsync(serving, "the end of the false server");
        Assert.That(seen, Is.EqualTo(startups));
    }

    [Test]
    public async Task A_router_that_must_verify_uses_no_connection_in_clear_text_for_anything()
    {
        var settings = new Dictionary<string, string>
        {
            ["backend_hostname0"] = "localhost",
            ["server_tls_sslmode"] = "verify-full",
            ["server_tls_ca_file"] = FileOf("ca.crt"),
            ["admin_users"] = "postgres",
        };
        await using var router = await RouterProcessFixture.StartAsync(_cluster, settings);
        await using var client = await RawClient.LoginAsync(router.Endpoint);
        await client.QueryAsync("CREATE FUNCTION tls_seen() RETURNS int LANGUAGE sql AS 'SELECT 1'; SELECT tls_seen(); DROP FUNCTION tls_seen()");
        Assert.That(
            await client.ScalarAsync(
                """
                SELECT string_agg(DISTINCT application_name, ' ') FILTER (WHERE NOT ssl)
                FROM pg_stat_activity JOIN pg_stat_ssl USING (pid) WHERE backend_type = 'client backend' AND client_addr IS NOT NULL
                """),
            Is.Null, "connections in clear text");
        await using var console = await Operator.LoginAsync(router.Endpoint);
        Assert.That((await console.TableAsync("SHOW SERVERS")).Select(row => row["tls"]), Is.All.EqualTo("TLSv1.3/TLS_AES_256_GCM_SHA384"));

        var running = client.QueryAsync("BEGIN; SELECT pg_sleep(60)");
        await Eventually.TrueAsync(
            async () => await _cluster.ScalarAsync<long>(0, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)' AND state = 'active'") > 0,
            "the statement to run");
        await client.CancelAsync();
        Assert.That((await running).Code(), Is.EqualTo("57014"));
    }

    /// <summary>A cancel request holds the key: a proxy on the way sees no clear text of any connection.</summary>
    [Test]
    public async Task A_cancel_request_is_as_encrypted_as_its_connection()
    {
        var seen = new System.Collections.Concurrent.ConcurrentBag<byte>();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var stop = new CancellationTokenSource();
        var relaying = RelayAsync(listener, seen, stop.Token);
        var (server, error) = await ConnectAsync("postgres", NodeOf("127.0.0.1", ((IPEndPoint)listener.LocalEndpoint).Port, "require"));
        Assert.That(error, Is.Null);

        await Eventually.DoneAsync(await _loop.InvokeAsync(() => ServerCancel.SendAsync(server!, TimeSpan.FromSeconds(20))), "the cancel request");

        Assert.That(await _loop.InvokeAsync(() => server!.HasUncertainCancel), Is.False);
        await CloseAsync(server!);
        await stop.CancelAsync();
        await relaying;
        Assert.That(seen, Is.EquivalentTo(new byte[] { 22, 22 }), "what each of the two connections sent behind its request for TLS");
    }

    private string FileOf(string name) => Path.Combine(_files.FullName, name);

    private NodeConfig NodeOf(string host, int port, string mode, Func<ServerTlsConfig, ServerTlsConfig>? change = null)
    {
        var tls = new ServerTlsConfig { Mode = Enum.Parse<TlsMode>(mode.Replace("-", ""), ignoreCase: true), AuthorityFile = FileOf("ca.crt") };
        return new NodeConfig { Id = 0, Host = host, Port = port, Tls = change?.Invoke(tls) ?? tls };
    }

    private async Task<string> LogInAsync(string user, string mode, string host, Func<ServerTlsConfig, ServerTlsConfig>? change = null)
    {
        var (server, error) = await ConnectAsync(user, NodeOf(host, _cluster.Nodes[0].Port, mode, change));
        if (server is null)
            return error!;
        var version = await _cluster.ScalarAsync<string>(0, $"SELECT version FROM pg_stat_ssl WHERE pid = {server.Pid} AND ssl") ?? "clear";
        await CloseAsync(server);
        return version;
    }

    private async Task<(ServerConnection? Server, string? Error)> ConnectAsync(string user, NodeConfig node)
    {
        var connector = new ServerConnector(new LoginBook(), new ServerTlsStore(), _work, () => new RouterConfig { ServerConnectTimeout = TimeSpan.FromSeconds(30) });
        var attempt = await await _loop.InvokeAsync(() => connector.LogInAsync(_loop, node, "postgres", user, secret: null));
        return (attempt.Server, attempt.Error is { } error ? $"{error.Message.Code} {error.Message.Message}" : null);
    }

    private Task CloseAsync(ServerConnection server) => _loop.InvokeAsync(() =>
    {
        server.Close();
        return true;
    });

    /// <summary>Passes bytes to the cluster and notes the first byte that each connection sends behind its SSLRequest.</summary>
    private async Task RelayAsync(TcpListener listener, System.Collections.Concurrent.ConcurrentBag<byte> seen, CancellationToken stop)
    {
        var running = new List<Task>();
        try
        {
            while (true)
                running.Add(PassAsync(await listener.AcceptTcpClientAsync(stop)));
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(running);
        }

        async Task PassAsync(TcpClient client)
        {
            using var one = client;
            using var other = new TcpClient();
            await other.ConnectAsync(IPAddress.Loopback, _cluster.Nodes[0].Port, stop);
            var request = new byte[9];
            await one.GetStream().ReadExactlyAsync(request.AsMemory(0, 8), stop);
            await other.GetStream().WriteAsync(request.AsMemory(0, 8), stop);
            var back = other.GetStream().CopyToAsync(one.GetStream(), stop);
            await one.GetStream().ReadExactlyAsync(request.AsMemory(8, 1), stop);
            seen.Add(request[8]);
            await other.GetStream().WriteAsync(request.AsMemory(8, 1), stop);
            await Task.WhenAny(back, one.GetStream().CopyToAsync(other.GetStream(), stop));
        }
    }
}
