using PgRouter.IntegrationTests.Wire;
using PgRouter.Testing;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Limits;

/// <summary>What one address may do, reached.</summary>
[TestFixture]
public sealed class AddressLimitTests
{
    private static readonly Dictionary<string, string> Files = new()
    {
        ["pool_hba.conf"] = "host all limited 127.0.0.1/32 scram-sha-256\nhost all postgres 127.0.0.1/32 trust\nlocal all postgres trust\n",
        ["pool_passwd"] = "limited:TEXTright\n",
    };

    [Test]
    public async Task One_connection_too_many_from_an_address_is_refused()
    {
        await using var router = await WireBed.RouterAsync(WireBed.SmallPool.With(("pgrouter.max_address_connections", "3")));
        await using var one = await RawClient.LoginAsync(router.Endpoint);
        await using var two = await RawClient.LoginAsync(router.Endpoint);
        var three = await RawClient.LoginAsync(router.Endpoint);

        Assert.That(await RefusalAsync(router, "postgres", "postgres"), Is.EqualTo("53300 too many connections from this address"));
        await using var local = await RawClient.LoginAsync(new Endpoint(Path.Combine(router.DirectoryPath, $".s.PGSQL.{router.Endpoint.Port}"), 0));
        await three.DisposeAsync();
        await Eventually.TrueAsync(async () => await RefusalAsync(router, "postgres", "postgres") is null, "the place of the one that left");
    }

    [Test]
    public async Task An_address_with_too_many_failed_logins_has_to_wait_whoever_comes_from_it()
    {
        var settings = WireBed.SmallPool.With(("enable_pool_hba", "on"), ("pgrouter.max_login_failures", "3"));
        await using var router = await WireBed.RouterAsync(settings, Files);
        await using var early = await RawClient.LoginAsync(router.Endpoint);
        for (var i = 0; i < 3; i++)
            Assert.That(await RefusalAsync(router, "limited", "wrong"), Does.StartWith("28P01"));

        Assert.That(await RefusalAsync(router, "postgres", "postgres"), Is.EqualTo("28000 too many failed logins from this address"));
        Assert.That(await early.ScalarAsync("SELECT 1"), Is.EqualTo("1"), "who is in stays in");
        await Eventually.TrueAsync(async () => await RefusalAsync(router, "postgres", "postgres") is null, "the end of the pause");
        Assert.That(await RefusalAsync(router, "limited", "wrong"), Does.StartWith("28P01"), "the next failure makes it twice as long");
        Assert.That(await RefusalAsync(router, "postgres", "postgres"), Does.StartWith("28000 too many failed logins"));
        await router.WaitForLogAsync("too many failed logins from this address");
    }

    /// <summary>Null when the login succeeded.</summary>
    private static async Task<string?> RefusalAsync(RouterProcessFixture router, string user, string password)
    {
        await using var client = await RawClient.ConnectAsync(router.Endpoint);
        try
        {
            await client.StartupAsync(user, "postgres", password);
            return null;
        }
        catch (RefusedException refused)
        {
            return $"{refused.Code} {refused.Text}";
        }
    }
}
