using Npgsql;
using PgRouter.Core.Catalog;
using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;
using PgRouter.Core.Encryption;
using PgRouter.Testing.Clusters;

namespace PgRouter.IntegrationTests.Catalog;

/// <summary>Databases of the catalog tests on the shared cluster, and loaders that read them.</summary>
internal static class CatalogBed
{
    /// <summary>A new database with the given objects; dropped first if an earlier test left it.</summary>
    public static async Task<PgCluster> DatabaseAsync(string name, string sql)
    {
        var cluster = await SharedCluster.GetAsync();
        await cluster.ExecuteAsync(0, $"DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        await cluster.ExecuteAsync(0, $"CREATE DATABASE {name}");
        await cluster.ExecuteAsync(0, sql, name);
        return cluster;
    }

    /// <summary>The loader of a router in front of the cluster, with sr_check_user as given.</summary>
    public static CatalogLoader Loader(
        PgCluster cluster, string user = PgCluster.Superuser, string password = PgCluster.Superuser, Func<string, string?>? passwordOf = null)
    {
        var updater = new ClusterUpdater();
        updater.Configure([new NodeConfig { Id = 0, Host = cluster.Nodes[0].Host, Port = cluster.Nodes[0].Port }]);
        updater.Update(0, state => state with { Status = NodeStatus.Up, Role = NodeRole.Primary });
        var config = new RouterConfig { SrCheckUser = user, SrCheckPassword = password };
        return new CatalogLoader(() => updater.View, () => config, passwordOf ?? (_ => null), (_, given) => given, new ServerTlsStore());
    }

    public static async Task<DatabaseCatalog> CatalogAsync(PgCluster cluster, string database) =>
        CatalogBuilder.Build(await Loader(cluster).LoadAsync(database, [], CancellationToken.None), 1, new BodyMemory());

    /// <summary>A session of its own on the primary.</summary>
    public static async Task<NpgsqlConnection> SessionAsync(PgCluster cluster, string database)
    {
        var connection = new NpgsqlConnection(cluster.ConnectionString(0, database) + ";No Reset On Close=true");
        await connection.OpenAsync();
        return connection;
    }
}
