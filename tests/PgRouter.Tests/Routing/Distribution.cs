using PgRouter.Core.Routing;
using PgRouter.Sql;

namespace PgRouter.Tests.Routing;

/// <summary>Where 100,000 reads go, with draws that are the same in every run.</summary>
internal static class Distribution
{
    /// <summary>What chi-squared of three nodes exceeds once in a thousand runs.</summary>
    public const double TwoDegrees = 13.82;

    /// <summary>What chi-squared of two nodes exceeds once in a thousand runs.</summary>
    public const double OneDegree = 10.83;

    private const int Reads = 100_000;

    public static int[] Of(RouteCase cluster)
    {
        var view = cluster.View();
        var random = new Random(20261121);
        var counts = new int[view.Nodes.Length];
        for (var i = 0; i < Reads; i++)
        {
            var input = new RouteInput
            {
                Class = StatementClass.Read,
                HeldNode = -1,
                SessionHint = cluster.SessionHint,
                Preference = cluster.Preference,
                Loads = cluster.Loads,
                Cluster = view,
                Config = cluster.Config,
                Draw = random.NextDouble(),
            };
            counts[Router.Decide(input).NodeIndex]++;
        }
        return counts;
    }

    /// <summary>How far the reads are from these shares; infinite when a node without a share has one.</summary>
    public static double ChiSquared(RouteCase cluster, double[] shares)
    {
        var counts = Of(cluster);
        var sum = 0.0;
        for (var i = 0; i < counts.Length; i++)
        {
            var expected = Reads * shares[i] / shares.Sum();
            if (expected == 0 && counts[i] > 0)
                return double.PositiveInfinity;
            if (expected > 0)
                sum += (counts[i] - expected) * (counts[i] - expected) / expected;
        }
        return sum;
    }
}
