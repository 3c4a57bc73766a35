using System.Globalization;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Protocol;

namespace PgRouter.Testing.Routers;

/// <summary>Reads run on the primary behind writes (docs/consistency.md); a test that expects them on standbys waits until these have everything.</summary>
public static class CleanStandbys
{
    /// <summary>Returns when the catalog of the database is known, and each standby that can be read has all that was written to it.</summary>
    /// <param name="router">In front of the cluster.</param>
    /// <param name="cluster">Its first node is the primary.</param>
    /// <param name="database">Where to look.</param>
    public static async Task WaitForCleanStandbysAsync(this RouterProcessFixture router, PgCluster cluster, string database = "postgres")
    {
        await using var client = await RawClient.LoginAsync(router.Endpoint, PgCluster.Superuser, database, PgCluster.Superuser);
        await Eventually.TrueAsync(
            async () => (await client.QueryAsync("EXPLAIN ROUTE SELECT 1")).Any(m => m.Type == 'D' && m.TextColumns() is ["session", "catalog", "known", _]),
            $"the catalog of {database} to be known");
        foreach (var node in cluster.Nodes.Skip(1))
            await Eventually.TrueAsync(() => IsCleanAsync(client, node), $"node {node.Index} to have everything of {database}");
    }

    /// <summary>A transaction with one snapshot begins on a standby only when that has everything.</summary>
    private static async Task<bool> IsCleanAsync(RawClient client, PgNode node)
    {
        await client.QueryAsync(string.Create(CultureInfo.InvariantCulture, $"/* pgrouter: node={node.Index} */ BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"));
        var port = await client.ScalarAsync("SELECT inet_server_port()");
        await client.QueryAsync("ROLLBACK");
        return port == node.Port.ToString(CultureInfo.InvariantCulture);
    }
}
