using Microsoft.Extensions.Logging.Abstractions;
using PgRouter.Core.Authentication;
using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;
using PgRouter.Core.Encryption;
using PgRouter.Core.Transport;

namespace PgRouter.Core.Hosting;

/// <summary>
/// With enable_pool_hba off the servers decide who gets in. A server that trusts the router's address lets in everybody who reaches the router:
/// this asks each node, as the check user and without a password, and says so. For <c>pgrouter check</c>; on no loop's thread.
/// </summary>
internal static class TrustCheck
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(3);

    /// <summary>One sentence for each node that trusts the router, or that could not be asked.</summary>
    public static async Task<IReadOnlyList<string>> FindAsync(RouterConfig config)
    {
        if (config.EnablePoolHba)
            return [];
        using var loop = new EventLoop(0, NullLogger.Instance);
        using var work = new WorkThreads(1);
        loop.Start();
        var connector = new ServerConnector(new LoginBook(), new ServerTlsStore(), work, () => config with { ServerConnectTimeout = Limit });
        var user = config.SrCheckUser.Length > 0 ? config.SrCheckUser : "postgres";
        var findings = await Task.WhenAll(config.Nodes.Select(node => AskAsync(loop, connector, node, config.SrCheckDatabase, user)));
        return [.. findings.OfType<string>()];
    }

    private static async Task<string?> AskAsync(EventLoop loop, ServerConnector connector, NodeConfig node, string database, string user)
    {
        var attempt = await (await loop.InvokeAsync(() => connector.LogInAsync(loop, node, database, user, secret: null)));
        if (attempt.Server is { } server)
        {
            await loop.InvokeAsync(() =>
            {
                server.Close();
                return true;
            });
            return $"{node} lets the router's address in as \"{user}\" without a password (trust in its pg_hba.conf), and enable_pool_hba is off: "
                + "whoever reaches the router gets in. Turn enable_pool_hba on, or ask for scram-sha-256 there.";
        }
        return attempt.AskedForPassword || attempt.Error is not { IsUnreachable: true } error
            ? null
            : $"{node} could not be asked whether it trusts the router: {error.Message.Message}";
    }
}
