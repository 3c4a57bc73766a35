namespace PgRouter.Core.Catalog;

/// <summary>
/// The queries of one load, in the order of the fields of <see cref="CatalogRows"/>. Objects with an oid from 16384 on were made by users
/// (FirstNormalObjectId, chapter 73 of PostgreSQL's documentation on the initial catalog contents).
/// </summary>
internal static class CatalogQueries
{
    /// <summary>One snapshot for all.</summary>
    public const string Begin = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY";

    /// <summary>With it every name of a user's is shown with its schema. Not at the start of the session: RESET would go back to it.</summary>
    public const string Path = "SET LOCAL search_path = pg_catalog";

    public const string End = "COMMIT";

    /// <summary>Functions, with those that a newer server brings and the built-in table does not know. $1: its names, between spaces.</summary>
    public static string Routines(int majorVersion) => $"""
        SELECT p.oid, n.nspname::text, p.proname::text, oidvectortypes(p.proargtypes), p.pronargs::int4, p.pronargdefaults::int4,
               p.provariadic <> 0, l.lanname::text, p.prokind::text, p.provolatile::text, p.prosecdef, p.proconfig::text,
               p.pronargs - p.pronargdefaults <= 1 AND p.pronargs >= 1
                   AND EXISTS (SELECT FROM pg_type t WHERE t.oid = p.proargtypes[0] AND (t.typtype = 'c' OR t.oid = 'record'::regtype)),
               e.extname::text,
               CASE WHEN l.lanname IN ('sql', 'plpgsql') THEN {(majorVersion >= 14 ? "COALESCE(pg_get_function_sqlbody(p.oid), p.prosrc)" : "p.prosrc")} END
          FROM pg_proc p
          JOIN pg_namespace n ON n.oid = p.pronamespace
          JOIN pg_language l ON l.oid = p.prolang
          LEFT JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
               AND d.refclassid = 'pg_extension'::regclass
          LEFT JOIN pg_extension e ON e.oid = d.refobjid
         WHERE p.oid >= 16384 OR p.proname::text NOT IN (SELECT unnest(string_to_array($1, ' ')))
        """;

    public const string Aggregates = """
        SELECT a.aggfnoid::oid, p.oid, p.proname::text
          FROM pg_aggregate a
         CROSS JOIN LATERAL (VALUES (a.aggtransfn::oid), (a.aggfinalfn), (a.aggcombinefn), (a.aggserialfn), (a.aggdeserialfn),
                                    (a.aggmtransfn), (a.aggminvtransfn), (a.aggmfinalfn)) f (oid)
          JOIN pg_proc p ON p.oid = f.oid
         WHERE a.aggfnoid >= 16384
        """;

    /// <summary>Functions that run without being named: behind operators, casts, types, index methods, conversions, text search.</summary>
    public const string Implicit = """
        SELECT DISTINCT p.oid, p.proname::text
          FROM (SELECT unnest(ARRAY[oprcode::oid, oprrest, oprjoin]) FROM pg_operator WHERE oid >= 16384
                UNION SELECT castfunc FROM pg_cast WHERE oid >= 16384
                UNION SELECT unnest(ARRAY[typinput::oid, typoutput, typreceive, typsend, typmodin, typmodout, typanalyze]) FROM pg_type
                       WHERE oid >= 16384 AND typtype NOT IN ('c', 'd') AND typcategory <> 'A'
                UNION SELECT unnest(ARRAY[rngcanonical::oid, rngsubdiff]) FROM pg_range WHERE rngtypid >= 16384
                UNION SELECT amproc FROM pg_amproc WHERE oid >= 16384
                UNION SELECT conproc FROM pg_conversion WHERE oid >= 16384
                UNION SELECT prosupport FROM pg_proc WHERE oid >= 16384
                UNION SELECT unnest(ARRAY[tmplinit::oid, tmpllexize]) FROM pg_ts_template WHERE oid >= 16384
                UNION SELECT unnest(ARRAY[prsstart::oid, prstoken, prsend, prsheadline, prslextype]) FROM pg_ts_parser WHERE oid >= 16384) f (oid)
          JOIN pg_proc p ON p.oid = f.oid
        """;

    public const string ImplicitTexts = """
        SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contypid <> 0 AND oid >= 16384
        UNION ALL SELECT typdefault FROM pg_type WHERE typtype = 'd' AND typdefault IS NOT NULL AND oid >= 16384
        """;

    /// <summary>A table of postgres_fdw is the same from every node, and counts as one of the database.</summary>
    public const string Relations = """
        SELECT c.oid, n.nspname::text, c.relname::text, CASE WHEN w.fdwname = 'postgres_fdw' THEN 'r' ELSE c.relkind::text END, c.relpersistence::text
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_foreign_table f ON f.ftrelid = c.oid
            LEFT JOIN pg_foreign_server s ON s.oid = f.ftserver LEFT JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
         WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname NOT LIKE 'pg\_toast%'
        """;

    /// <summary>The second column is a <see cref="RelationTextKind"/>.</summary>
    public const string Texts = """
        SELECT c.oid, 0, pg_get_viewdef(c.oid) FROM pg_class c WHERE c.oid >= 16384 AND c.relkind = 'v'
        UNION ALL SELECT polrelid, 1, concat_ws(', ', pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)) FROM pg_policy
        UNION ALL SELECT ev_class, 2, pg_get_ruledef(oid) FROM pg_rewrite WHERE oid >= 16384 AND rulename <> '_RETURN'
        UNION ALL SELECT adrelid, 3, pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid >= 16384
        UNION ALL SELECT conrelid, 3, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid >= 16384 AND contype IN ('c', 'x')
        UNION ALL SELECT indrelid, 3, pg_get_indexdef(indexrelid) FROM pg_index
                   WHERE indrelid >= 16384 AND (indexprs IS NOT NULL OR indpred IS NOT NULL)
        UNION ALL SELECT tgrelid, 3, pg_get_triggerdef(oid) FROM pg_trigger WHERE tgqual IS NOT NULL
        UNION ALL SELECT DISTINCT attrelid, 3, 'nextval()' FROM pg_attribute WHERE attrelid >= 16384 AND attidentity <> '' AND NOT attisdropped
        """;

    /// <summary>All but those that carry out foreign keys, which call nothing of a user's.</summary>
    public const string Triggers = """
        SELECT t.tgrelid, p.oid, p.proname::text
          FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
         WHERE t.tgenabled <> 'D' AND NOT (t.tgisinternal AND p.oid < 16384)
        """;

    public const string Edges = """
        SELECT inhparent, inhrelid FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE c.relkind IN ('r', 'p', 'f')
        UNION SELECT confrelid, conrelid FROM pg_constraint
               WHERE contype = 'f' AND (confdeltype IN ('c', 'n', 'd') OR confupdtype IN ('c', 'n', 'd'))
        """;

    public const string EventTriggers = """
        SELECT p.oid, p.proname::text FROM pg_event_trigger e JOIN pg_proc p ON p.oid = e.evtfoid WHERE e.evtenabled <> 'D'
        """;

    /// <summary>
    /// The third column is true for a function. What is behind an operator is its function. Not of a materialised view, whose query runs at REFRESH.
    /// </summary>
    public const string Dependencies = """
        WITH code (class, object, relation, kind) AS (
            SELECT 'pg_rewrite'::regclass, r.oid, r.ev_class, CASE WHEN r.rulename = '_RETURN' THEN 0 ELSE 2 END
              FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class WHERE r.oid >= 16384 AND c.relkind <> 'm'
            UNION ALL SELECT 'pg_policy'::regclass, oid, polrelid, 1 FROM pg_policy
            UNION ALL SELECT 'pg_attrdef'::regclass, oid, adrelid, 3 FROM pg_attrdef WHERE adrelid >= 16384
            UNION ALL SELECT 'pg_constraint'::regclass, oid, conrelid, 3 FROM pg_constraint WHERE conrelid >= 16384 AND contype IN ('c', 'x')
            UNION ALL SELECT 'pg_class'::regclass, indexrelid, indrelid, 3 FROM pg_index
                       WHERE indrelid >= 16384 AND (indexprs IS NOT NULL OR indpred IS NOT NULL)
            UNION ALL SELECT 'pg_trigger'::regclass, oid, tgrelid, 3 FROM pg_trigger WHERE tgqual IS NOT NULL)
        SELECT DISTINCT code.relation, code.kind, d.refclassid <> 'pg_class'::regclass, COALESCE(o.oprcode::oid, d.refobjid)
          FROM code
          JOIN pg_depend d ON d.classid = code.class AND d.objid = code.object
          LEFT JOIN pg_operator o ON d.refclassid = 'pg_operator'::regclass AND o.oid = d.refobjid
         WHERE d.refclassid IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_operator'::regclass) AND d.refobjid >= 16384
           AND NOT (d.refclassid = 'pg_class'::regclass AND d.refobjid = code.relation)
        """;

    public const string References = "SELECT DISTINCT confrelid, conrelid FROM pg_constraint WHERE contype = 'f'";

    /// <summary>The first column is a <see cref="DefaultLevel"/>.</summary>
    public const string Defaults = """
        SELECT CASE WHEN s.setrole = 0 AND s.setdatabase = 0 THEN 1 WHEN s.setrole = 0 THEN 2 WHEN s.setdatabase = 0 THEN 3 ELSE 4 END,
               r.rolname::text, lower(split_part(c.setting, '=', 1)), substr(c.setting, strpos(c.setting, '=') + 1)
          FROM pg_db_role_setting s
         CROSS JOIN unnest(s.setconfig) c (setting)
          LEFT JOIN pg_roles r ON r.oid = s.setrole
         WHERE s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
           AND (lower(split_part(c.setting, '=', 1)) IN ('search_path', 'default_transaction_isolation', 'default_transaction_read_only')
                OR lower(c.setting) LIKE 'pgrouter.%')
        UNION ALL SELECT 0, NULL, name, reset_val FROM pg_settings
                   WHERE name IN ('search_path', 'default_transaction_isolation', 'default_transaction_read_only')
        """;
}
