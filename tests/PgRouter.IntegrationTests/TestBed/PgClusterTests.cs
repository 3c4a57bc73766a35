using Npgsql;
using PgRouter.Testing;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Protocol;

namespace PgRouter.IntegrationTests.TestBed;

[TestFixture]
public sealed class PgClusterTests
{
    [Test]
    public async Task Standbys_replay_what_the_primary_writes()
    {
        var cluster = await SharedCluster.GetAsync();
        await cluster.ExecuteAsync(0, "CREATE TABLE replayed (n int); INSERT INTO replayed VALUES (42)");

        await cluster.WaitForReplayAsync();

        Assert.That(await cluster.ScalarAsync<int>(1, "SELECT n FROM replayed"), Is.EqualTo(42));
        Assert.That(await cluster.ScalarAsync<int>(2, "SELECT n FROM replayed"), Is.EqualTo(42));
        await cluster.ExecuteAsync(0, "DROP TABLE replayed");
    }

    [Test]
    public async Task Standbys_stream_under_their_own_names()
    {
        var cluster = await SharedCluster.GetAsync();
        await Eventually.ValueAsync(
            () => cluster.ScalarAsync<string>(0, "SELECT string_agg(application_name, ' ' ORDER BY application_name) FROM pg_stat_replication"),
            names => names == "standby1 standby2",
            "both standbys to stream");
    }

    [TestCase("password")]
    [TestCase("md5")]
    [TestCase("scram-sha-256")]
    public async Task The_raw_client_logs_in_by(string method)
    {
        await using var cluster = await PgCluster.StartAsync(new PgClusterOptions { Standbys = 0, AuthenticationMethod = method });
        var endpoint = new Endpoint(cluster.Nodes[0].Host, cluster.Nodes[0].Port);

        await using var client = await RawClient.LoginAsync(endpoint);

        Assert.That(await client.ScalarAsync("SELECT current_user"), Is.EqualTo("postgres"));
        Assert.That(() => RawClient.LoginAsync(endpoint, password: "wrong"), Throws.TypeOf<RefusedException>().With.Message.Contains("28P01"));
    }

    [Test]
    public async Task A_node_can_be_killed_promoted_around_and_rebuilt()
    {
        await using var cluster = await PgCluster.StartAsync(new PgClusterOptions { Standbys = 1 });

        await cluster.KillNodeAsync(0);
        await cluster.PromoteAsync(1);
        await cluster.ExecuteAsync(1, "CREATE TABLE after_promotion ()");
        await cluster.RewindOrRebuildAsStandbyAsync(0, ofNode: 1);

        Assert.That(await cluster.IsStandbyAsync(0), Is.True);
        Assert.That(await cluster.ScalarAsync<long>(0, "SELECT count(*) FROM after_promotion"), Is.Zero);
    }

    [Test]
    public async Task A_paused_node_accepts_but_does_not_answer_until_it_goes_on()
    {
        await using var cluster = await PgCluster.StartAsync(new PgClusterOptions { Standbys = 0 });
        await using var client = await RawClient.LoginAsync(new Endpoint(cluster.Nodes[0].SocketPath, 0));
        client.ReadDeadline = TimeSpan.FromMilliseconds(200);

        cluster.PauseProcess(0);
        await client.SendAsync(Frontend.Query("SELECT 1"));
        Assert.That(client.ReadAsync, Throws.TypeOf<TimeoutException>());

        cluster.ResumeProcess(0);
        client.ReadDeadline = Eventually.DefaultDeadline;
        Assert.That((await client.ReadUntilAsync('Z'))[^1].Body, Is.EqualTo("I"u8.ToArray()));
    }

    [Test]
    public async Task Paused_replay_hides_new_rows_until_it_is_resumed()
    {
        await using var cluster = await PgCluster.StartAsync(new PgClusterOptions { Standbys = 1 });
        await cluster.PauseReplayAsync(1);
        await cluster.ExecuteAsync(0, "CREATE TABLE late ()");

        Assert.That(await cluster.ScalarAsync<bool>(1, "SELECT to_regclass('late') IS NULL"), Is.True);

        await cluster.ResumeReplayAsync(1);
        await cluster.WaitForReplayAsync();
        Assert.That(await cluster.ScalarAsync<bool>(1, "SELECT to_regclass('late') IS NULL"), Is.False);
    }

    [Test]
    public async Task A_disposed_cluster_leaves_neither_processes_nor_files()
    {
        var cluster = await PgCluster.StartAsync(new PgClusterOptions { Standbys = 0 });
        await using var open = new NpgsqlConnection(cluster.ConnectionString(0));
        await open.OpenAsync();

        await cluster.DisposeAsync();

        Assert.That(Directory.Exists(cluster.DirectoryPath), Is.False);
        Assert.That(cluster.Nodes[0].Pid, Is.Null);
    }
}
