using System.Globalization;
using PgRouter.Testing;

namespace PgRouter.IntegrationTests.Scenario13;

/// <summary>One row of SHOW POOL_NODES, as psql shows it.</summary>
internal sealed record NodeRow(int Id, string Status, double Weight, string Role, string PgRole, long Selects, string ReplicationState);

/// <summary>SHOW POOL_NODES over psql.</summary>
internal static class NodeTable
{
    /// <summary>All nodes by id.</summary>
    public static async Task<IReadOnlyList<NodeRow>> ReadAsync(ClientPrograms programs) =>
        [.. (await programs.RowsAsync("SHOW POOL_NODES")).Select(Parse)];

    /// <summary>Returns when a node has the status.</summary>
    public static Task WaitForStatusAsync(ClientPrograms programs, int node, string status, TimeSpan? deadline = null) =>
        Eventually.ValueAsync(
            async () => (await ReadAsync(programs)).Single(row => row.Id == node),
            row => row.Status == status,
            $"node {node} to be {status}",
            deadline);

    private static NodeRow Parse(string[] fields)
    {
        Assert.That(fields, Has.Length.EqualTo(14), "SHOW POOL_NODES has pgpool-II's 14 columns");
        return new NodeRow(
            int.Parse(fields[0], CultureInfo.InvariantCulture),
            fields[3],
            double.Parse(fields[5], CultureInfo.InvariantCulture),
            fields[6],
            fields[7],
            long.Parse(fields[8], CultureInfo.InvariantCulture),
            fields[11]);
    }
}
