using Npgsql;
using PgRouter.Sql;
using PgRouter.Testing.Clusters;

namespace PgRouter.IntegrationTests.Catalog;

/// <summary>The table of PostgreSQL's own functions against pg_proc of a real server of version 15.</summary>
[TestFixture]
public sealed class BuiltinFunctionTests
{
    /// <summary>Immutable in pg_proc, and an error all the same while a server is in recovery.</summary>
    private static readonly string[] NotInRecovery = ["pg_walfile_name", "pg_walfile_name_offset"];

    private List<ServerFunction> _functions = null!;
    private HashSet<string> _behindOtherObjects = null!;

    [OneTimeSetUp]
    public async Task ReadAsync()
    {
        var cluster = await SharedCluster.GetAsync();
        await using var connection = new NpgsqlConnection(cluster.ConnectionString(0));
        await connection.OpenAsync();
        Assume.That(connection.PostgreSqlVersion.Major, Is.EqualTo(15));
        _functions = await ReadAsync(connection, """
            SELECT nspname::text, proname::text, provolatile::text, pronargs::int FROM pg_proc JOIN pg_namespace n ON n.oid = pronamespace
            WHERE nspname IN ('pg_catalog', 'information_schema') AND pg_proc.oid < 16384
            """);
        _behindOtherObjects = [.. (await ReadAsync(connection, BehindOtherObjects)).Select(function => function.Name)];
    }

    /// <summary>Functions that run though no statement names them.</summary>
    private const string BehindOtherObjects = """
        SELECT 'pg_catalog', proname::text, provolatile::text, pronargs::int FROM pg_proc WHERE oid < 16384 AND oid IN (
            SELECT unnest(ARRAY[oprcode, oprrest, oprjoin]::oid[]) FROM pg_operator
            UNION ALL SELECT castfunc FROM pg_cast
            UNION ALL SELECT unnest(ARRAY[typinput, typoutput, typreceive, typsend, typmodin, typmodout, typanalyze, typsubscript]::oid[]) FROM pg_type
            UNION ALL SELECT unnest(ARRAY[aggtransfn, aggfinalfn, aggcombinefn, aggserialfn, aggdeserialfn, aggmtransfn, aggminvtransfn,
                aggmfinalfn]::oid[]) FROM pg_aggregate
            UNION ALL SELECT amproc FROM pg_amproc
            UNION ALL SELECT amhandler FROM pg_am
            UNION ALL SELECT unnest(ARRAY[rngcanonical, rngsubdiff]::oid[]) FROM pg_range
            UNION ALL SELECT conproc FROM pg_conversion
            UNION ALL SELECT unnest(ARRAY[tmplinit, tmpllexize]::oid[]) FROM pg_ts_template
            UNION ALL SELECT unnest(ARRAY[prsstart, prstoken, prsend, prsheadline, prslextype]::oid[]) FROM pg_ts_parser
            UNION ALL SELECT oid FROM pg_proc WHERE prorettype = 'tsm_handler'::regtype
            UNION ALL SELECT prosupport FROM pg_proc)
        """;

    [Test]
    public void Every_function_of_the_server_has_a_kind() =>
        Assert.That(_functions.Where(function => KindOf(function) is null).Select(function => function.Key), Is.Empty);

    [Test]
    public void Nothing_stands_in_the_table_that_the_server_does_not_have()
    {
        var keys = _functions.SelectMany(function => new[] { function.Key, $"{function.Key}/{function.Arguments}" }).ToHashSet();
        Assert.That(Entries(isOfOtherVersions: false).Where(key => !keys.Contains(key)), Is.Empty);
    }

    [Test]
    public void What_only_other_versions_have_is_not_there()
    {
        var keys = _functions.Select(function => function.Key).ToHashSet();
        Assert.That(Entries(isOfOtherVersions: true).Where(keys.Contains), Is.Empty);
    }

    [Test]
    public void A_volatile_function_runs_anywhere_only_when_it_is_listed_as_harmless() =>
        Assert.That(
            _functions.Where(function => function.Volatility == "v" && KindOf(function) is FunctionKind.Anywhere && !IsHarmlessVolatile(function.Key))
                .Select(function => function.Key),
            Is.Empty);

    [Test]
    public void What_is_listed_as_harmless_though_volatile_is_volatile() =>
        Assert.That(
            _functions.Where(function => function.Volatility != "v" && IsHarmlessVolatile(function.Key)).Select(function => function.Key), Is.Empty);

    /// <summary>An immutable function cannot depend on the node or change anything; a stable one may do the former.</summary>
    [Test]
    public void Immutable_functions_run_anywhere() =>
        Assert.That(
            _functions.Where(function => function.Volatility == "i" && KindOf(function) is not FunctionKind.Anywhere)
                .Select(function => function.Key).Distinct(),
            Is.EquivalentTo(NotInRecovery));

    /// <summary>Nobody judges what an operator, a cast, an aggregate or a type calls, so all of it must be harmless.</summary>
    [Test]
    public void Functions_behind_operators_casts_aggregates_types_and_indexes_run_anywhere()
    {
        Assert.That(_behindOtherObjects, Has.Count.GreaterThan(1500));
        Assert.That(
            _behindOtherObjects.Where(name => !(BuiltinFunctions.TryGetKind(name, out var kind) && kind == FunctionKind.Anywhere)), Is.Empty);
    }

    [Test]
    public void An_overload_is_told_apart_by_its_number_of_arguments()
    {
        Assert.That(KindOf(new ServerFunction("pg_catalog", "ts_rewrite", "i", 3)), Is.EqualTo(FunctionKind.Anywhere));
        Assert.That(KindOf(new ServerFunction("pg_catalog", "ts_rewrite", "v", 2)), Is.EqualTo(FunctionKind.PrimaryOnly));
    }

    private static IEnumerable<string> Entries(bool isOfOtherVersions) =>
        BuiltinFunctions.Entries.Where(entry => entry.Value.IsOfOtherVersions == isOfOtherVersions).Select(entry => entry.Key);

    private static bool IsHarmlessVolatile(string key) => BuiltinFunctions.Entries.TryGetValue(key, out var entry) && entry.IsHarmlessVolatile;

    private static FunctionKind? KindOf(ServerFunction function) =>
        BuiltinFunctions.TryGetKind(function.Schema, function.Name, function.Arguments, out var kind) ? kind : null;

    private static async Task<List<ServerFunction>> ReadAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        var functions = new List<ServerFunction>();
        while (await reader.ReadAsync())
            functions.Add(new ServerFunction(reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.GetInt32(3)));
        return functions;
    }

    /// <summary>A row of pg_proc; the volatility is i, s or v.</summary>
    private sealed record ServerFunction(string Schema, string Name, string Volatility, int Arguments)
    {
        /// <summary>As the table writes it.</summary>
        public string Key => Schema == "pg_catalog" ? Name : $"{Schema}.{Name}";
    }
}
