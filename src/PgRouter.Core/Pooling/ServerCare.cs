using PgRouter.Core.Configuration;
using PgRouter.Core.Servers;
using PgRouter.Core.Transport;

namespace PgRouter.Core.Pooling;

/// <summary>What a server is asked while no client has it: the reset after a session, and whether it still lives. Its loop.</summary>
internal static class ServerCare
{
    private static readonly TimeSpan ResetTimeout = TimeSpan.FromSeconds(30);

    /// <summary>A node that answers at all answers an empty query in this time; clients wait meanwhile.</summary>
    private static readonly TimeSpan CheckTimeout = TimeSpan.FromSeconds(3);

    /// <summary>
    /// Runs the reset queries. What is known of the server is forgotten as far as they clear it: what their list leaves out is cleared
    /// first, or kept as known. Null, or why the server must be closed.
    /// </summary>
    public static async Task<string?> ResetAsync(ServerConnection server, IReadOnlyList<string> queries)
    {
        var signal = Own(server);
        while (server.CancelsUnderWay > 0)
        {
            server.AfterCancels = signal.Set; // It would hit the reset.
            await signal;
        }
        var discardsAll = queries.Any(q => Is(q, "DISCARD ALL"));
        if (!discardsAll && server.Settings.Count > 0)
            queries = [.. queries.TakeWhile(IsRollback), server.Settings.ScriptTo(SettingsSet.Empty), .. queries.SkipWhile(IsRollback)];
        foreach (var query in queries)
        {
            if (await server.ExecuteAsync(query, signal, ResetTimeout) is { } error)
                return $"reset failed: {error.Message}";
        }
        server.Settings = SettingsSet.Empty;
        if (discardsAll || queries.Any(q => Is(q, "DEALLOCATE ALL")))
        {
            server.Prepared.Clear();
            server.HasClientsNames = false;
        }
        return server.HasClientsNames ? "reset_query_list leaves prepared statements of its client" : null;
    }

    /// <summary>Runs server_check_query. Null, or why the server must be closed.</summary>
    public static async Task<string?> CheckAsync(ServerConnection server, string query)
    {
        var text = query == RouterConfig.EmptyQuery ? "" : query;
        return await server.ExecuteAsync(text, Own(server), CheckTimeout) is { } error ? $"check failed: {error.Message}" : null;
    }

    private static bool IsRollback(string query) => Is(query, "ABORT") || Is(query, "ROLLBACK");

    private static bool Is(string query, string command) =>
        query.Trim().TrimEnd(';').TrimEnd().Equals(command, StringComparison.OrdinalIgnoreCase);

    private static Signal Own(ServerConnection server)
    {
        var signal = new Signal(server.Socket.Loop);
        server.Socket.Owner = signal;
        return signal;
    }
}
