using PgRouter.Testing;
using PgRouter.Testing.Protocol;

namespace PgRouter.IntegrationTests.Statements;

/// <summary>What a function leaves in the server's process, which no DISCARD takes back: the client keeps it, and nobody gets it afterwards.</summary>
[TestFixture]
public sealed class ServerProcessTests
{
    private const string Process = "SELECT pid FROM pg_stat_activity WHERE query LIKE '%pg_stat_activity%' AND application_name = 'process'";

    [TestCase("SELECT setseed(0.5)")]
    [TestCase("SELECT pg_backup_start('x', true)")]
    [TestCase("SELECT pg_create_physical_replication_slot('temporary', false, true)")]
    public async Task It_stays_with_its_client_and_ends_with_it(string sql)
    {
        string process;
        await using (var client = await StatementsBed.ClientAsync("process"))
        {
            await client.ScalarAsync(sql);
            process = (await client.ScalarAsync(Process))!;
            await client.QueryAsync("DISCARD ALL");
            await client.QueryAsync("SET application_name = 'process'");
            Assert.That(await client.ScalarAsync(Process), Is.EqualTo(process), "after DISCARD ALL");
        }

        await Eventually.TrueAsync(
            async () => !await StatementsBed.Cluster.ScalarAsync<bool>(0, $"SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = {process})"),
            "the end of the server's process");
    }

    [Test]
    public async Task A_backup_is_ended_by_the_client_that_began_it()
    {
        await using var client = await StatementsBed.ClientAsync("process");
        await client.ScalarAsync("SELECT pg_backup_start('x', true)");
        await using var other = await StatementsBed.ClientAsync("other");
        var refused = await other.QueryAsync("SELECT pg_backup_stop(false)");
        Assert.That(refused.Single(message => message.Type == 'E').Field('C'), Is.EqualTo("55000"));
        Assert.That(await client.ScalarAsync("SELECT lsn IS NOT NULL FROM pg_backup_stop(false)"), Is.EqualTo("t"));
    }
}
