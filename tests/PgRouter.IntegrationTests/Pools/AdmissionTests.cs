using PgRouter.Testing;

namespace PgRouter.IntegrationTests.Pools;

/// <summary>Limits on clients: of all, of a database, of a user.</summary>
[TestFixture]
public sealed class AdmissionTests
{
    [Test]
    public async Task Clients_of_a_database_and_of_a_user_are_limited()
    {
        await using var bed = await PoolsBed.StartAsync(
            ["pools_admission"],
            ("database.pools_admission.max_db_client_connections", "1"), ("user.postgres.max_user_client_connections", "2"));
        await using var client = await bed.LoginAsync("pools_admission");

        var database = await bed.RefusalAsync("pools_admission");
        Assert.That((database?.Severity, database?.SqlState, database?.MessageText, database?.Hint), Is.EqualTo(
            ("FATAL", "53300", "too many connections for database \"pools_admission\"", "max_db_client_connections is 1.")));

        await using var second = await bed.LoginAsync("postgres");
        var user = await bed.RefusalAsync("postgres");
        Assert.That((user?.SqlState, user?.MessageText, user?.Hint), Is.EqualTo(
            ("53300", "too many connections for role \"postgres\"", "max_user_client_connections is 2.")));
        await using var console = await bed.LoginAsync("pgbouncer");

        await client.DisposeAsync();
        await Eventually.TrueAsync(
            async () => await bed.RefusalAsync("pools_admission") is null, "room for another client of the database");
    }

    [Test]
    public async Task All_clients_are_limited_and_the_last_place_is_for_those_in_admin_users()
    {
        await using var bed = await PoolsBed.StartAsync([], ("max_client_conn", "3"), ("reserved_connections", "1"), ("admin_users", "boss"));
        await bed.Cluster.ExecuteAsync(0, "CREATE ROLE boss LOGIN SUPERUSER PASSWORD 'postgres'");
        await using var first = await Eventually.ValueAsync(() => bed.LoginAsync("postgres"), _ => true, "a first client");
        await using var second = await bed.LoginAsync("postgres");

        var refusal = await bed.RefusalAsync("postgres");

        Assert.That((refusal?.Severity, refusal?.SqlState, refusal?.MessageText), Is.EqualTo(
            ("FATAL", "53300", "remaining connection slots are reserved for the users in admin_users")));
        await using var third = await bed.LoginAsync("postgres", "boss");
        var last = await bed.RefusalAsync("postgres", "boss");
        Assert.That((last?.SqlState, last?.MessageText), Is.EqualTo(("53300", "sorry, too many clients already")));
    }
}
