using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Wire;

/// <summary>The same scripts while eight other clients, each with state of its own, compete for the same two servers of the primary.</summary>
[TestFixture]
public sealed class CrowdTests
{
    private RouterProcessFixture _router = null!;
    private Endpoint _primary = null!;
    private Crowd _crowd = null!;

    private static IEnumerable<NamedScript> Scripts => ScriptBook.Wire.Concat(ScriptBook.Sessions);

    [OneTimeSetUp]
    public async Task StartRouterAndCrowd()
    {
        _primary = await WireBed.PrimaryAsync();
        _router = await WireBed.RouterAsync(WireBed.SmallPool.With(("load_balance_mode", "off")));
        _crowd = await Crowd.StartAsync(_router.Endpoint);
    }

    [OneTimeTearDown]
    public async Task The_crowd_saw_nothing_of_others()
    {
        await _crowd.DisposeAsync();
        await _router.DisposeAsync();
    }

    [TestCaseSource(nameof(Scripts))]
    public Task Routed_equals_direct_in_a_crowd(NamedScript script) => script.RequireEqualAsync(_primary, _router.Endpoint);
}
