using System.CommandLine;
using System.Globalization;
using Npgsql;
using PgRouter.Core.Configuration;

namespace PgRouter.Server.CommandLine;

/// <summary>
/// <c>pgrouter show pool_status</c>: asks the running router, as the check user of the configuration, and prints what it says: "name: value"
/// lines for settings, those of the file first, else one line per row.
/// </summary>
internal static class ShowCommand
{
    private const int ConnectSeconds = 5;

    public static Command Create(Func<ParseResult, ConfigResult> load)
    {
        var what = new Argument<string>("what") { Description = "pool_status, pool_nodes, pool_processes, pool_pools, pool_version ..." };
        var command = new Command("show", "Asks the running router: SHOW in the shell.") { what };
        command.SetAction((parsed, token) => RunAsync(load(parsed), parsed.GetRequiredValue(what), parsed.InvocationConfiguration, token));
        return command;
    }

    private static async Task<int> RunAsync(ConfigResult result, string what, InvocationConfiguration console, CancellationToken token)
    {
        if (result.Config is not { } config)
        {
            ConfigReport.Print(result, console.Error);
            return ExitCodes.BadConfiguration;
        }
        try
        {
            var builder = new NpgsqlSlimDataSourceBuilder(ConnectionString(config));
            builder.ConfigureTypeLoading(types => types.EnableTypeLoading(false)); // No node need be up to be asked for its state.
            await using var source = builder.Build();
            await using var command = source.CreateCommand($"SHOW {what}");
            await using var reader = await command.ExecuteReaderAsync(token).ConfigureAwait(false);
            await PrintAsync(reader, result, console.Output, token).ConfigureAwait(false);
            return ExitCodes.Ok;
        }
        catch (PostgresException e)
        {
            await console.Error.WriteLineAsync($"ERROR:  {e.MessageText}").ConfigureAwait(false);
            return ExitCodes.Usage;
        }
        catch (NpgsqlException e)
        {
            await console.Error.WriteLineAsync($"pgrouter: the router does not answer on port {config.Port}: {e.Message}").ConfigureAwait(false);
            return ExitCodes.NotRunning;
        }
    }

    private static string ConnectionString(RouterConfig config) => new NpgsqlConnectionStringBuilder
    {
        Host = config.UnixSocketDirectories.Count > 0 ? config.UnixSocketDirectories[0] : "127.0.0.1",
        Port = config.Port,
        Username = config.SrCheckUser.Length > 0 ? config.SrCheckUser : "postgres",
        Password = config.SrCheckPassword,
        Database = config.SrCheckDatabase,
        Timeout = ConnectSeconds,
        CommandTimeout = ConnectSeconds,
        Pooling = false,
        SslMode = SslMode.Disable,
    }.ConnectionString;

    private static async Task PrintAsync(NpgsqlDataReader reader, ConfigResult result, TextWriter output, CancellationToken token)
    {
        var columns = Enumerable.Range(0, reader.FieldCount).Select(reader.GetName).ToList();
        var rows = new List<string[]>();
        while (await reader.ReadAsync(token).ConfigureAwait(false))
            rows.Add([.. Enumerable.Range(0, reader.FieldCount).Select(i => Convert.ToString(reader[i], CultureInfo.InvariantCulture) ?? "")]);
        if (columns is ["item", "value", ..])
        {
            foreach (var row in rows.OrderBy(row => PlaceInFile(result, row[0])))
                await output.WriteLineAsync($"{row[0]}: {row[1]}").ConfigureAwait(false);
            return;
        }
        await output.WriteLineAsync(string.Join(" | ", columns)).ConfigureAwait(false);
        foreach (var row in rows)
            await output.WriteLineAsync(string.Join(" | ", row)).ConfigureAwait(false);
    }

    /// <summary>Settings of the file in its order, then the others.</summary>
    private static int PlaceInFile(ConfigResult result, string name)
    {
        var place = result.Values.Keys.TakeWhile(key => key != name).Count();
        return place < result.Values.Count ? place : int.MaxValue;
    }
}
