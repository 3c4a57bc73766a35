using System.Buffers.Binary;
using PgRouter.Testing;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Notifications;

/// <summary>What the tests of notifications share: reading them, and looking at the connection that listens.</summary>
internal static class Listening
{
    public const string SharedConnection = "FROM pg_stat_activity WHERE application_name = 'pgrouter listener'";

    /// <summary>The sender's pid in a NotificationResponse.</summary>
    public static int Sender(this RawMessage notification) => BinaryPrimitives.ReadInt32BigEndian(notification.Body);

    /// <summary>"channel=payload" of a NotificationResponse.</summary>
    public static string Note(this RawMessage notification)
    {
        var position = sizeof(int);
        var channel = notification.Text(position);
        return $"{channel}={notification.Text(position + System.Text.Encoding.UTF8.GetByteCount(channel) + 1)}";
    }

    /// <summary>The next notification, whatever else comes before it.</summary>
    public static async Task<RawMessage> NotificationAsync(this RawClient client) => (await client.ReadUntilAsync('A'))[^1];

    /// <summary>The notices among some messages, as code and message.</summary>
    public static IEnumerable<string> Notices(this IEnumerable<RawMessage> messages) =>
        messages.Where(message => message.Type == 'N').Select(message => $"{message.Field('C')} {message.Field('M')}");

    /// <summary>PostgreSQL's pid of the shared connection, 0 when there is none.</summary>
    public static Task<int> SharedPidAsync(this PgCluster cluster, int node = 0) =>
        cluster.ScalarAsync<int>(node, $"SELECT coalesce(max(pid), 0) {SharedConnection}");

    /// <summary>Returns when notifications arrive again: sends numbered ones until the client has one; leaves none unread.</summary>
    public static async Task HearsAgainAsync(RawClient listener, RawClient sender, string channel)
    {
        var round = 0;
        await Eventually.TrueAsync(
            async () =>
            {
                await sender.QueryAsync($"NOTIFY {channel}, 'again {round++}'");
                return (await listener.QueryAsync("SELECT 1")).Any(message => message.Type == 'A');
            },
            $"notifications on {channel} to arrive again");
    }

    /// <summary>A login to a router as the superuser.</summary>
    public static Task<RawClient> LoginAsync(this RouterProcessFixture router) => RawClient.LoginAsync(router.Endpoint);
}
