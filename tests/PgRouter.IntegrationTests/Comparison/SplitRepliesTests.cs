using PgRouter.Testing.Faults;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Wire;

/// <summary>The same scripts while every byte between router and servers travels alone.</summary>
[TestFixture]
public sealed class SplitRepliesTests
{
    private IReadOnlyList<FaultProxy> _proxies = [];
    private RouterProcessFixture _router = null!;
    private Endpoint _primary = null!;

    private static IEnumerable<NamedScript> Scripts => ScriptBook.Wire.Where(script => !script.Name.Contains("many", StringComparison.Ordinal));

    [OneTimeSetUp]
    public async Task StartRouterBehindProxies()
    {
        _primary = await WireBed.PrimaryAsync();
        _proxies = await WireBed.ProxiesAsync();
        _router = await RouterProcessFixture.StartAsync([.. _proxies.Select(proxy => proxy.Endpoint)], WireBed.SmallPool);
        foreach (var proxy in _proxies)
            proxy.ToServer.SplitEveryByte = proxy.ToClient.SplitEveryByte = true;
    }

    [OneTimeTearDown]
    public async Task StopAll()
    {
        await _router.DisposeAsync();
        foreach (var proxy in _proxies)
            await proxy.DisposeAsync();
    }

    [TestCaseSource(nameof(Scripts))]
    public Task Routed_equals_direct_when_servers_answer_byte_by_byte(NamedScript script) =>
        script.RequireEqualAsync(_primary, _router.Endpoint);
}
