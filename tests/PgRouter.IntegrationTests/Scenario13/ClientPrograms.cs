using System.Globalization;
using PgRouter.Testing;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Processes;
using PgRouter.Testing.Protocol;

namespace PgRouter.IntegrationTests.Scenario13;

/// <summary>PostgreSQL's own client programs, pointed at the router or at a server. All members are thread-safe.</summary>
internal sealed class ClientPrograms(PgCluster cluster, Endpoint endpoint)
{
    /// <summary>The environment that makes any libpq client talk to the endpoint as the superuser.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; } = new Dictionary<string, string>
    {
        ["PGHOST"] = endpoint.Host,
        ["PGPORT"] = endpoint.Port.ToString(CultureInfo.InvariantCulture),
        ["PGUSER"] = PgCluster.Superuser,
        ["PGPASSWORD"] = PgCluster.Superuser,
        ["PGCONNECT_TIMEOUT"] = "20",
        ["PATH"] = $"{cluster.Binaries.Directory}:/usr/bin:/bin",
    };

    /// <summary>Runs psql with one command and returns whatever it answered; rows unaligned, without headings.</summary>
    public Task<CommandResult> TryPsqlAsync(string sql, string database = "postgres") =>
        Command.RunAsync(cluster.Binaries.PathOf("psql"), ["-X", "-A", "-t", "-d", database, "-c", sql], Environment);

    /// <summary>Runs psql with one command that must succeed and returns its output without the last line break.</summary>
    public async Task<string> PsqlAsync(string sql, string database = "postgres") =>
        Require(await TryPsqlAsync(sql, database), sql).TrimEnd('\n');

    /// <summary>Runs psql with one command that must succeed and returns the fields of each row.</summary>
    public async Task<IReadOnlyList<string[]>> RowsAsync(string sql, string database = "postgres") =>
        [.. (await PsqlAsync(sql, database)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('|'))];

    /// <summary>Feeds a script to psql, as a shell's here-document does; it goes on after an error.</summary>
    public Task<CommandResult> TryScriptAsync(string script, string database = "postgres") =>
        Command.RunAsync(cluster.Binaries.PathOf("psql"), ["-X", "-A", "-t", "-d", database], Environment, script);

    /// <summary>Runs pgbench and returns whatever it answered.</summary>
    public Task<CommandResult> TryPgbenchAsync(TimeSpan deadline, params string[] arguments) =>
        Command.RunAsync(cluster.Binaries.PathOf("pgbench"), arguments, Environment, deadline: deadline);

    /// <summary>Runs pgbench, which must succeed, and returns its report.</summary>
    public async Task<string> PgbenchAsync(TimeSpan deadline, params string[] arguments) =>
        Require(await TryPgbenchAsync(deadline, arguments), $"pgbench {string.Join(' ', arguments)}");

    private static string Require(CommandResult result, string what) =>
        result.ExitCode == 0 ? result.Output : throw new TestBedException($"{what}: exit code {result.ExitCode}\n{result.Output}{result.Error}");
}
