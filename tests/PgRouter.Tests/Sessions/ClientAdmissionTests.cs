using NUnit.Framework;
using PgRouter.Core.Configuration;
using PgRouter.Core.Pooling;
using PgRouter.Core.Servers;
using PgRouter.Core.Sessions;
using PgRouter.Protocol;

namespace PgRouter.Tests.Sessions;

[TestFixture]
internal sealed class ClientAdmissionTests
{
    [TestCase(0, 0, 1_000, "u", null)]
    [TestCase(5, 0, 5, "u", null)]
    [TestCase(5, 0, 6, "u", "sorry, too many clients already")]
    [TestCase(5, 0, 6, "boss", "sorry, too many clients already")]
    [TestCase(5, 2, 3, "u", null)]
    [TestCase(5, 2, 4, "u", "remaining connection slots are reserved for the users in admin_users")]
    [TestCase(5, 2, 5, "boss", null)]
    public void Connections_are_limited_and_the_last_ones_reserved(int most, int reserved, int connections, string user, string? message)
    {
        var config = new RouterConfig { MaxClientConn = most, ReservedConnections = reserved, AdminUsers = ["boss"] };
        var error = ClientAdmission.Check(config, connections, user);
        Assert.That((error?.Message, error?.Code), Is.EqualTo((message, message is null ? null : SqlStates.TooManyConnections)));
    }

    [Test]
    public void A_limit_of_a_database_or_user_is_told_in_PostgreSQLs_words()
    {
        var counts = new ClientCounts();
        var limits = SessionLimits.For(new RouterConfig { MaxDbClientConnections = 2, MaxUserClientConnections = 1 }, "d", "u");
        Assert.That(ClientAdmission.TryEnter(counts, Client("u"), limits), Is.Null);
        var user = ClientAdmission.TryEnter(counts, Client("u"), limits)!;
        Assert.That((user.Code, user.Message, user.Hint), Is.EqualTo(
            (SqlStates.TooManyConnections, "too many connections for role \"u\"", "max_user_client_connections is 1.")));
        ClientAdmission.TryEnter(counts, Client("v"), limits);
        var database = ClientAdmission.TryEnter(counts, Client("w"), limits)!;
        Assert.That((database.Code, database.Message, database.Hint), Is.EqualTo(
            (SqlStates.TooManyConnections, "too many connections for database \"d\"", "max_db_client_connections is 2.")));
    }

    [TestCase("reserved_connections = 2", 32)]
    [TestCase("reserved_connections = 2\nnum_init_children = 10", 10)]
    [TestCase("reserved_connections = 2\nnum_init_children = 10\nmax_client_conn = 50", 50)]
    [TestCase("num_init_children = 10", 0)]
    public void Reserved_connections_count_down_from_pgpools_limit_unless_there_is_another(string lines, int most)
    {
        using var files = new Configuration.ConfigFiles();
        Assert.That(files.LoadGood(lines.Split('\n')).MaxClientConn, Is.EqualTo(most));
    }

    private static ClientIdentity Client(string user) => new(user, "d", "", SettingsSet.Empty, ProtocolConstants.Version30);
}
