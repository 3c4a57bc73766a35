using System.Net.Sockets;
using System.Text;
using NUnit.Framework;
using PgRouter.Core.Configuration;
using PgRouter.Core.Pooling;
using PgRouter.Core.Servers;
using PgRouter.Testing;
using PgRouter.Tests.Transport;

namespace PgRouter.Tests.Pooling;

/// <summary>server_check_delay, server_check_query and reset_query_list, against a server played by hand.</summary>
[TestFixture]
internal sealed class ServerCareTests
{
    private static readonly byte[] EmptyQueryAnswer = [(byte)'I', 0, 0, 0, 4, (byte)'Z', 0, 0, 0, 5, (byte)'I'];
    private static readonly byte[] Ready = [(byte)'Z', 0, 0, 0, 5, (byte)'I'];
    private PoolBed _bed = null!;

    private ServerPool Pool => _bed.Pool;

    [SetUp]
    public void Build()
    {
        _bed = new PoolBed();
        _bed.Config = _bed.Config with { ServerCheckDelay = TimeSpan.Zero };
    }

    [TearDown]
    public void TearDown() => _bed.Dispose();

    [TestCase(RouterConfig.EmptyQuery, "")]
    [TestCase("SELECT 1", "SELECT 1")]
    public async Task A_server_unused_for_long_is_asked_before_a_client_gets_it(string setting, string query)
    {
        _bed.Config = _bed.Config with { ServerCheckQuery = setting };
        var server = await IdleServerAsync();
        var taking = await _bed.NewClient().BeginAsync();
        Assert.That(await QueryAsync(server), Is.EqualTo(query));
        Assert.That((Pool.Testing, Pool.IdleCount, taking.IsCompleted), Is.EqualTo((1, 0, false)));
        await _bed.Peer(server).SendAsync(EmptyQueryAnswer);
        Assert.That((await taking.WaitAsync(LoopHost.Deadline)).Lease!.Server, Is.SameAs(server));
        Assert.That((Pool.Testing, _bed.Connects), Is.EqualTo((0, 1)));
    }

    [Test]
    public async Task One_used_a_moment_ago_is_not_asked()
    {
        _bed.Config = _bed.Config with { ServerCheckDelay = TimeSpan.FromMinutes(10) };
        var server = await IdleServerAsync();
        Assert.That((await _bed.NewClient().TakeAsync()).Server, Is.SameAs(server));
        Assert.That(_bed.Peer(server).Available, Is.Zero);
    }

    [Test]
    public async Task Without_a_query_nothing_is_asked()
    {
        _bed.Config = new ConfigDraft { Config = _bed.Config with { ServerCheckQuery = "" } }.Finish();
        var server = await IdleServerAsync();
        Assert.That((await _bed.NewClient().TakeAsync()).Server, Is.SameAs(server));
    }

    [Test]
    public async Task A_dead_one_is_closed_with_all_that_were_unused_as_long_and_the_client_gets_another()
    {
        var (one, two) = (_bed.NewClient(), _bed.NewClient());
        var (first, second) = (await one.TakeAsync(), await two.TakeAsync());
        await one.ReleaseAsync(first);
        await two.ReleaseAsync(second);
        var taking = await _bed.NewClient().BeginAsync();
        Assert.That(await QueryAsync(second.Server), Is.Empty);
        await _bed.Peer(second.Server).SendAsync("E\0\0\0\u0013SFATAL\0C57P01\0\0"u8.ToArray());
        _bed.Peer(second.Server).Close();
        var taken = (await taking.WaitAsync(LoopHost.Deadline)).Lease!.Server;
        Assert.That(taken, Is.Not.SameAs(first.Server).And.Not.SameAs(second.Server));
        Assert.That((first.Server.Socket.IsClosed, second.Server.Socket.IsClosed, Pool.Count), Is.EqualTo((true, true, 1)));
    }

    [Test]
    public async Task Who_leaves_while_its_server_is_asked_leaves_it_idle()
    {
        var server = await IdleServerAsync();
        var client = _bed.NewClient();
        await client.BeginAsync();
        await QueryAsync(server);
        await client.CancelAsync();
        await _bed.Peer(server).SendAsync(EmptyQueryAnswer);
        await Eventually.TrueAsync(() => Pool.IdleCount == 1, "the server to be idle");
    }

    [Test]
    public async Task Who_counted_on_a_server_whose_reset_fails_gets_the_idle_one_that_must_be_asked()
    {
        var (one, two) = (_bed.NewClient(), _bed.NewClient());
        var (first, second) = (await one.TakeAsync(), await two.TakeAsync());
        await one.ReleaseAsync(first);
        await _bed.Host.On(() => second.Recycle(["ABORT"]));
        Assert.That(await QueryAsync(second.Server), Is.EqualTo("ABORT"));
        var taking = await _bed.NewClient().BeginAsync();
        _bed.Peer(second.Server).Close();
        Assert.That(await QueryAsync(first.Server), Is.Empty);
        await _bed.Peer(first.Server).SendAsync(EmptyQueryAnswer);
        Assert.That((await taking.WaitAsync(LoopHost.Deadline)).Lease!.Server, Is.SameAs(first.Server));
    }

    [Test]
    public async Task A_reset_runs_each_query_and_forgets_what_was_set()
    {
        var lease = await _bed.NewClient().TakeAsync();
        var server = lease.Server;
        await _bed.Host.On(() =>
        {
            server.Settings = SettingsSet.Of([KeyValuePair.Create("a.b", "1")]);
            server.HasClientsNames = true;
            lease.Recycle(["ABORT", "DISCARD ALL"]);
        });
        Assert.That(await AnswerAsync(server), Is.EqualTo("ABORT"));
        Assert.That(await AnswerAsync(server), Is.EqualTo("DISCARD ALL"));
        await Eventually.TrueAsync(() => Pool.IdleCount == 1, "the server to be idle");
        Assert.That((server.Settings.Count, server.HasClientsNames), Is.EqualTo((0, false)));
    }

    [Test]
    public async Task What_a_reset_list_leaves_out_is_set_back_first()
    {
        var lease = await _bed.NewClient().TakeAsync();
        var server = lease.Server;
        await _bed.Host.On(() =>
        {
            server.Settings = SettingsSet.Of([KeyValuePair.Create("a.b", "1")]);
            lease.Recycle(["ABORT", "SELECT 1"]);
        });
        Assert.That(await AnswerAsync(server), Is.EqualTo("ABORT"));
        Assert.That(await AnswerAsync(server), Does.StartWith("RESET \"a\".\"b\""));
        Assert.That(await AnswerAsync(server), Is.EqualTo("SELECT 1"));
        await Eventually.TrueAsync(() => Pool.IdleCount == 1, "the server to be idle");
        Assert.That(server.Settings.Count, Is.Zero);
    }

    [Test]
    public async Task A_reset_list_that_leaves_a_clients_statements_closes_the_server()
    {
        var lease = await _bed.NewClient().TakeAsync();
        await _bed.Host.On(() =>
        {
            lease.Server.HasClientsNames = true;
            lease.Recycle([]);
        });
        await Eventually.TrueAsync(() => Pool.Count == 0, "the server to be closed");
    }

    private async Task<ServerConnection> IdleServerAsync()
    {
        var client = _bed.NewClient();
        var lease = await client.TakeAsync();
        await client.ReleaseAsync(lease);
        return lease.Server;
    }

    private async Task<string> AnswerAsync(ServerConnection server)
    {
        var query = await QueryAsync(server);
        await _bed.Peer(server).SendAsync(Ready);
        return query;
    }

    /// <summary>Reads one simple query at the server's end.</summary>
    private async Task<string> QueryAsync(ServerConnection server)
    {
        var peer = _bed.Peer(server);
        var head = await ReadAsync(peer, 5);
        Assert.That((char)head[0], Is.EqualTo('Q'));
        var body = await ReadAsync(peer, System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(1)) - 4);
        return Encoding.UTF8.GetString(body[..^1]);
    }

    private static async Task<byte[]> ReadAsync(Socket peer, int count)
    {
        var bytes = new byte[count];
        using var stream = new NetworkStream(peer, ownsSocket: false);
        await stream.ReadExactlyAsync(bytes).AsTask().WaitAsync(LoopHost.Deadline);
        return bytes;
    }
}
