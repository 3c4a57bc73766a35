using System.Buffers.Binary;
using System.Security.Cryptography.X509Certificates;
using PgRouter.Testing;
using PgRouter.Testing.Certificates;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Faults;
using PgRouter.Testing.Protocol;

namespace PgRouter.IntegrationTests.Gaps;

/// <summary>W18, which needs TLS and a look at what the nodes are sent.</summary>
[TestFixture]
public sealed class CancelGapTests
{
    private const int CancelCode = 80877102;

    private readonly int[] _cancels = new int[3];
    private readonly List<FaultProxy> _nodes = [];
    private DirectoryInfo _directory = null!;
    private GapTarget _target = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        var cluster = await SharedCluster.GetAsync();
        _directory = Directory.CreateTempSubdirectory("pgrouter-gaps-");
        using var authority = new TestAuthority();
        using (X509Certificate2 certificate = authority.Server("localhost", "127.0.0.1"))
            TestAuthority.Write(certificate, _directory.FullName, "server");
        await PostgresBinaries.GiveAsync(_directory.FullName);
        foreach (var node in cluster.Nodes)
        {
            var proxy = FaultProxy.Start(new Endpoint(node.Host, node.Port));
            proxy.ToServer.Watch = data => Count(node.Index, data.Span);
            _nodes.Add(proxy);
        }
        _target = await GapTarget.StartAsync(
            cluster, "gap18", "CREATE TABLE plain (a int)", [.. _nodes.Select(node => node.Endpoint)],
            ("ssl", "on"), ("ssl_cert", Path.Combine(_directory.FullName, "server.crt")), ("ssl_key", Path.Combine(_directory.FullName, "server.key")));
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (_target is not null)
            await _target.DisposeAsync();
        foreach (var node in _nodes)
            await node.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    [Test]
    public Task W18_a_cancel_over_tls_reaches_the_node_that_runs_the_statement_and_no_other() => _target.InSessionsAsync(
        async client =>
        {
            Array.Clear(_cancels);
            await client.SendAsync(Frontend.Query("SELECT pg_sleep(15), 'w18'"));
            var running = -1;
            await Eventually.TrueAsync(async () => (running = await RunsOnAsync()) >= 0, "the statement to run");
            await client.CancelAsync();
            Assert.That((await client.ReadUntilAsync()).SingleOrDefault(m => m.Type == 'E')?.Field('C'), Is.EqualTo("57014"));
            var expected = new int[_cancels.Length];
            expected[running] = 1;
            Assert.That(_cancels, Is.EqualTo(expected), "cancel requests by node");
        },
        count: 2,
        tls: true);

    private void Count(int node, ReadOnlySpan<byte> data)
    {
        if (data.Length == 16 && BinaryPrimitives.ReadInt32BigEndian(data[4..]) == CancelCode)
            Interlocked.Increment(ref _cancels[node]);
    }

    private async Task<int> RunsOnAsync()
    {
        foreach (var node in _target.Cluster.Nodes)
        {
            if (await _target.Cluster.ScalarAsync<long>(
                node.Index, "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep%w18%' AND pid <> pg_backend_pid()") > 0)
                return node.Index;
        }
        return -1;
    }
}
