using NUnit.Framework.Interfaces;
using PgRouter.Testing.Clusters;

// Outside any namespace, so that it holds for the whole assembly.
#pragma warning disable CA1050
/// <summary>Stops the shared cluster after the last test; keeps its logs when one failed.</summary>
[SetUpFixture]
public sealed class AssemblySetUp
{
    [OneTimeTearDown]
    public Task StopSharedCluster() =>
        SharedCluster.DisposeAsync(keepLogs: TestContext.CurrentContext.Result.Outcome.Status == TestStatus.Failed);
}
#pragma warning restore CA1050
