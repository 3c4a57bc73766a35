using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.FSharp.Core;
using PgRouter.Testing;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;
using PgRouter.Testing.Scripts;

namespace PgRouter.IntegrationTests.Wire;

/// <summary>
/// Random sessions get through the router what they get directly, while the crowd competes for the same two servers. One that does not is
/// made as short as it can be and shown as a script for the folder Scripts. <c>PGROUTER_GENERATED_SESSIONS</c> says how many,
/// <c>PGROUTER_GENERATED_SEED</c> which.
/// </summary>
[TestFixture]
public sealed class GeneratedSessionTests
{
    private const int SessionsInOneRun = 150;

    /// <summary>A test run plays the same sessions every time: new ones are the business of <c>make generate</c>.</summary>
    private const int UsualSeed = 20261129;

    private RouterProcessFixture _router = null!;
    private Endpoint _primary = null!;
    private Crowd _crowd = null!;
    private string _shortest = "";

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

    [Test]
    public void Generated_sessions_get_what_they_get_directly()
    {
        var count = Number("PGROUTER_GENERATED_SESSIONS", SessionsInOneRun);
        var seed = Number("PGROUTER_GENERATED_SEED", count == SessionsInOneRun ? UsualSeed : Random.Shared.Next());
        TestContext.Progress.WriteLine($"{count} generated sessions, PGROUTER_GENERATED_SEED={seed}");
        var config = Config.QuickThrowOnFailure
            .WithMaxTest(count)
            .WithQuietOnSuccess(true)
            .WithReplay(FSharpOption<Replay>.Some(new Replay(new Rnd((ulong)seed), FSharpOption<int>.None)));
        try
        {
            Check.One(config, Prop.ForAll(SessionGenerator.Sessions, Agrees));
        }
        catch (Exception) when (_shortest.Length > 0)
        {
            Assert.Fail($"PGROUTER_GENERATED_SEED={seed}; as a script:\n=== generated {seed}\n{_shortest}");
        }
    }

    private bool Agrees(GeneratedSession session)
    {
        var script = session.ToString();
        var options = NamedScript.Options(new PlayOptions { ReadDeadline = TimeSpan.FromSeconds(30) });
        try
        {
            var result = Comparison.RunAsync(script, _primary, _router.Endpoint, options).GetAwaiter().GetResult();
            if (result.AreEqual)
                return true;
            _shortest = $"{script}\n{result.Difference}";
        }
        catch (TestBedException broken)
        {
            _shortest = $"{script}\n{broken.Message}";
        }

        return false;
    }

    private static int Number(string variable, int otherwise) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
