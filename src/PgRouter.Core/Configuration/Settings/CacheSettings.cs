using static PgRouter.Core.Configuration.Settings.SettingRows;

namespace PgRouter.Core.Configuration.Settings;

/// <summary>pgpool's relation cache and query cache.</summary>
internal static class CacheSettings
{
    private const string NoQueryCache = "results are not cached: every answer comes from PostgreSQL";
    private const string OwnCatalog = "what is known of tables is kept per database and follows DDL";

    public static IEnumerable<Setting> Rows { get; } = In(
        SettingGroup.Cache,
        Seconds("relcache_expire", "60", "What is known of functions and tables is read again after this time; 0 = only after DDL that was seen.")
            .To((c, v) => c with { RelcacheExpire = v.Duration }),
        Integer("relcache_size", "256", 0, int.MaxValue, "Tables remembered.").Restart().Accepted(OwnCatalog),
        Bool("enable_shared_relcache", true, "Processes share what they know of tables.").Restart().Accepted(OwnCatalog),
        Word("check_temp_table", "catalog", ["catalog", "trace", "none", "on", "off"], "How temporary tables are found.")
            .Accepted("temporary tables are always found; their reads stay with their session"),
        Bool("check_unlogged_table", true, "Unlogged tables are read on the primary.")
            .Accepted("unlogged tables are always read on the primary"),
        Bool("memory_cache_enabled", false, "Results are cached.").Restart().Accepted(NoQueryCache),
        Word("memqcache_method", "shmem", ["shmem", "memcached"], "Where results are cached.").Restart().Accepted(NoQueryCache),
        Text("memqcache_memcached_host", "localhost", "Host of memcached.").Restart().Accepted(NoQueryCache),
        Port("memqcache_memcached_port", "11211", "Port of memcached.").Restart().Accepted(NoQueryCache),
        Bytes("memqcache_total_size", "67108864", "Size of the cache.").Restart().Accepted(NoQueryCache),
        Integer("memqcache_max_num_cache", "1000000", 0, int.MaxValue, "Results cached at most.").Restart().Accepted(NoQueryCache),
        Seconds("memqcache_expire", "0", "A result is forgotten after this time.").Restart().Accepted(NoQueryCache),
        Bytes("memqcache_maxcache", "409600", "Largest result cached.").Restart().Accepted(NoQueryCache),
        Bytes("memqcache_cache_block_size", "1048576", "Block of the cache.").Restart().Accepted(NoQueryCache),
        Text("memqcache_oiddir", "/var/log/pgpool/oiddir", "Directory of the cache's table numbers.").Restart().Accepted(NoQueryCache),
        Bool("memqcache_auto_cache_invalidation", true, "A write removes results of its table.").Accepted(NoQueryCache),
        List("cache_safe_memqcache_table_list", "", "Tables that are cached.").Once("white_memqcache_table_list").Accepted(NoQueryCache),
        List("cache_unsafe_memqcache_table_list", "", "Tables that are not cached.").Once("black_memqcache_table_list")
            .Accepted(NoQueryCache));
}
