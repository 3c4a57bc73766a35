using Npgsql;
using PgRouter.Sql;
using PgRouter.Testing.Clusters;

namespace PgRouter.IntegrationTests.Catalog;

/// <summary>The table of PostgreSQL's own functions against pg_proc of a real server of version 15.</summary>
[TestFixture]
public sealed class BuiltinFunctionTests
{
    /// <summary>Where the names of the table begin that PostgreSQL 15 does not have.</summary>
    private const string OtherVersions = "# Until PostgreSQL 14";

    /// <summary>Immutable in pg_proc, and an error all the same while a server is in recovery.</summary>
    private static readonly string[] NotInRecovery = ["pg_walfile_name", "pg_walfile_name_offset"];

    private Dictionary<string, string> _volatilities = null!;

    /// <summary>Per name the greatest volatility of its overloads: i, s or v.</summary>
    [OneTimeSetUp]
    public async Task ReadAsync()
    {
        var cluster = await SharedCluster.GetAsync();
        await using var connection = new NpgsqlConnection(cluster.ConnectionString(0));
        await connection.OpenAsync();
        Assume.That(connection.PostgreSqlVersion.Major, Is.EqualTo(15));
        await using var command = new NpgsqlCommand(
            "SELECT proname::text, max(provolatile::text) FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND oid < 16384 GROUP BY 1",
            connection);
        await using var reader = await command.ExecuteReaderAsync();
        _volatilities = [];
        while (await reader.ReadAsync())
            _volatilities.Add(reader.GetString(0), reader.GetString(1));
    }

    [Test]
    public void Every_function_of_the_server_has_a_kind() =>
        Assert.That(_volatilities.Keys.Where(name => !BuiltinTraits.IsBuiltin(name)), Is.Empty);

    [Test]
    public void Nothing_stands_in_the_table_that_the_server_does_not_have() =>
        Assert.That(NamesIn(TextOfTable().Split(OtherVersions)[0]).Where(name => !_volatilities.ContainsKey(name)), Is.Empty);

    [Test]
    public void What_only_other_versions_have_is_not_there() =>
        Assert.That(NamesIn(TextOfTable().Split(OtherVersions)[1]).Where(_volatilities.ContainsKey), Is.Empty);

    [Test]
    public void A_volatile_function_runs_anywhere_only_when_it_is_listed_as_harmless() =>
        Assert.That(
            _volatilities.Where(entry => entry.Value == "v" && KindOf(entry.Key) is FunctionKind.Anywhere).Select(entry => entry.Key),
            Is.SubsetOf(BuiltinFunctions.HarmlessVolatileNames));

    [Test]
    public void What_is_listed_as_harmless_though_volatile_is_volatile() =>
        Assert.That(BuiltinFunctions.HarmlessVolatileNames.Where(name => _volatilities.GetValueOrDefault(name, "v") != "v"), Is.Empty);

    [Test]
    public void The_exceptions_name_functions_that_there_are() =>
        Assert.That(BuiltinTraits.Names, Is.SubsetOf(NamesIn(TextOfTable())));

    /// <summary>An immutable function cannot depend on the node or change anything; a stable one may do the former.</summary>
    [Test]
    public void Immutable_functions_run_anywhere() =>
        Assert.That(
            _volatilities.Where(entry => entry.Value == "i" && KindOf(entry.Key) is not FunctionKind.Anywhere).Select(entry => entry.Key),
            Is.EquivalentTo(NotInRecovery));

    private static FunctionKind? KindOf(string name) => BuiltinFunctions.TryGetKind(name, out var kind) ? kind : null;

    private static HashSet<string> NamesIn(string text) =>
        [.. text.Split('\n').Where(line => !line.StartsWith('#')).SelectMany(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))];

    private static string TextOfTable()
    {
        using var stream = typeof(BuiltinTraits).Assembly.GetManifestResourceStream("BuiltinFunctions.txt")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
