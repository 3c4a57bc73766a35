using System.Globalization;

namespace PgRouter.IntegrationTests.Scenario13;

/// <summary>How long the tests under load run: short in the suite, long under <c>make soak</c>.</summary>
internal static class Soak
{
    /// <summary>Seconds of one pgbench run: PGROUTER_PGBENCH_SECONDS, else five.</summary>
    public static int PgbenchSeconds { get; } = FromEnvironment("PGROUTER_PGBENCH_SECONDS", 5);

    /// <summary>Seconds in which clients come and go: PGROUTER_CHURN_SECONDS, else ten.</summary>
    public static int ChurnSeconds { get; } = FromEnvironment("PGROUTER_CHURN_SECONDS", 10);

    private static int FromEnvironment(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) ? seconds : otherwise;
}
