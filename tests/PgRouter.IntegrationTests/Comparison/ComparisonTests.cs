using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;
using PgRouter.Testing.Scripts;

namespace PgRouter.IntegrationTests.Wire;

/// <summary>Each script through the router gives the bytes it gives directly.</summary>
[TestFixture]
public sealed class ComparisonTests
{
    private RouterProcessFixture _router = null!;
    private Endpoint _primary = null!;

    private static IEnumerable<NamedScript> Scripts => ScriptBook.Wire;

    private static IEnumerable<NamedScript> SessionsThatMayBalance => ScriptBook.Sessions.Where(script => !script.NeedsPrimary);

    private static IEnumerable<NamedScript> LargeScripts => ScriptBook.Large;

    [OneTimeSetUp]
    public async Task StartRouter()
    {
        _primary = await WireBed.PrimaryAsync();
        _router = await WireBed.RouterAsync();
    }

    [OneTimeTearDown]
    public async Task StopRouter() => await _router.DisposeAsync();

    [TestCaseSource(nameof(Scripts))]
    [TestCaseSource(nameof(LargeScripts))]
    [TestCaseSource(nameof(SessionsThatMayBalance))]
    public Task Routed_equals_direct(NamedScript script) => script.RequireEqualAsync(_primary, _router.Endpoint);

    [TestCaseSource(nameof(Scripts))]
    public Task Routed_equals_direct_when_the_client_sends_byte_by_byte(NamedScript script) =>
        script.RequireEqualAsync(_primary, _router.Endpoint, new PlayOptions { SplitEveryByte = true });
}
