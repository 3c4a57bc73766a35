using System.Collections.Frozen;

namespace PgRouter.Sql;

/// <summary>How a type of statement is read.</summary>
internal enum StatementReading : byte
{
    /// <summary>In a way of its own, see <see cref="StatementReader"/>.</summary>
    Own,

    /// <summary>A write that changes the schema; its expressions are carried out (ALTER TABLE, CREATE TABLE AS, CREATE INDEX).</summary>
    Ddl,

    /// <summary>DDL that stores its expressions and carries none of them out.</summary>
    Definition,

    /// <summary>Any other write.</summary>
    Write,

    /// <summary>Stands only inside other statements; by itself it would be a write that nobody knows.</summary>
    Part,
}

/// <summary>What is decided for a statement by its type alone.</summary>
/// <param name="Reading">How it is read.</param>
/// <param name="Cause">What people call it.</param>
/// <param name="Kind">Its kind for statistics and state.</param>
/// <param name="Effects">What it does to the session.</param>
/// <param name="NameField">The field of the tree that names what it works on.</param>
internal sealed record StatementType(
    StatementReading Reading, string Cause, StatementKind Kind, SessionEffects Effects = SessionEffects.None, string? NameField = null);

/// <summary>
/// The decision for every statement that PostgreSQL's grammar knows. What is not in here goes to the primary and is taken for DDL, so that a
/// statement of a later version is never missed.
/// </summary>
internal static class StatementTypes
{
    /// <summary>Read in ways of their own; each with what it is called.</summary>
    private const string Own = """
        SelectStmt SELECT
        InsertStmt INSERT
        UpdateStmt UPDATE
        DeleteStmt DELETE
        MergeStmt MERGE
        TransactionStmt TRANSACTION
        VariableSetStmt SET
        VariableShowStmt SHOW
        DiscardStmt DISCARD
        ConstraintsSetStmt SET CONSTRAINTS
        CopyStmt COPY
        ExplainStmt EXPLAIN
        PrepareStmt PREPARE
        ExecuteStmt EXECUTE
        DeallocateStmt DEALLOCATE
        DeclareCursorStmt DECLARE CURSOR
        FetchStmt FETCH
        ClosePortalStmt CLOSE
        """;

    /// <summary>Of the bodies of functions and of ALTER TABLE; the wrapper around each statement.</summary>
    private const string Parts = "PLAssignStmt ReturnStmt ReplicaIdentityStmt RawStmt";

    private const string Definitions = """
        ViewStmt CREATE VIEW
        CreateFunctionStmt CREATE FUNCTION
        RuleStmt CREATE RULE
        CreateTrigStmt CREATE TRIGGER
        CreatePolicyStmt CREATE POLICY
        AlterPolicyStmt ALTER POLICY
        CreateStmt CREATE TABLE
        CreateForeignTableStmt CREATE FOREIGN TABLE
        """;

    private const string Ddl = """
        AlterCollationStmt ALTER COLLATION
        AlterDatabaseRefreshCollStmt ALTER DATABASE
        AlterDatabaseSetStmt ALTER DATABASE
        AlterDatabaseStmt ALTER DATABASE
        AlterDefaultPrivilegesStmt ALTER DEFAULT PRIVILEGES
        AlterDomainStmt ALTER DOMAIN
        AlterEnumStmt ALTER TYPE
        AlterEventTrigStmt ALTER EVENT TRIGGER
        AlterExtensionContentsStmt ALTER EXTENSION
        AlterExtensionStmt ALTER EXTENSION
        AlterFdwStmt ALTER FOREIGN DATA WRAPPER
        AlterForeignServerStmt ALTER SERVER
        AlterFunctionStmt ALTER FUNCTION
        AlterObjectDependsStmt ALTER DEPENDS ON EXTENSION
        AlterObjectSchemaStmt ALTER SET SCHEMA
        AlterOpFamilyStmt ALTER OPERATOR FAMILY
        AlterOperatorStmt ALTER OPERATOR
        AlterOwnerStmt ALTER OWNER
        AlterPublicationStmt ALTER PUBLICATION
        AlterRoleSetStmt ALTER ROLE
        AlterRoleStmt ALTER ROLE
        AlterSeqStmt ALTER SEQUENCE
        AlterStatsStmt ALTER STATISTICS
        AlterSubscriptionStmt ALTER SUBSCRIPTION
        AlterSystemStmt ALTER SYSTEM
        AlterTSConfigurationStmt ALTER TEXT SEARCH CONFIGURATION
        AlterTSDictionaryStmt ALTER TEXT SEARCH DICTIONARY
        AlterTableMoveAllStmt ALTER ALL IN TABLESPACE
        AlterTableSpaceOptionsStmt ALTER TABLESPACE
        AlterTableStmt ALTER TABLE
        AlterTypeStmt ALTER TYPE
        AlterUserMappingStmt ALTER USER MAPPING
        CommentStmt COMMENT
        CompositeTypeStmt CREATE TYPE
        CreateAmStmt CREATE ACCESS METHOD
        CreateCastStmt CREATE CAST
        CreateConversionStmt CREATE CONVERSION
        CreateDomainStmt CREATE DOMAIN
        CreateEnumStmt CREATE TYPE
        CreateEventTrigStmt CREATE EVENT TRIGGER
        CreateExtensionStmt CREATE EXTENSION
        CreateFdwStmt CREATE FOREIGN DATA WRAPPER
        CreateForeignServerStmt CREATE SERVER
        CreateOpClassStmt CREATE OPERATOR CLASS
        CreateOpFamilyStmt CREATE OPERATOR FAMILY
        CreatePLangStmt CREATE LANGUAGE
        CreatePublicationStmt CREATE PUBLICATION
        CreateRangeStmt CREATE TYPE
        CreateRoleStmt CREATE ROLE
        CreateSchemaStmt CREATE SCHEMA
        CreateSeqStmt CREATE SEQUENCE
        CreateStatsStmt CREATE STATISTICS
        CreateSubscriptionStmt CREATE SUBSCRIPTION
        CreateTableAsStmt CREATE TABLE AS
        CreateTableSpaceStmt CREATE TABLESPACE
        CreateTransformStmt CREATE TRANSFORM
        CreateUserMappingStmt CREATE USER MAPPING
        CreatedbStmt CREATE DATABASE
        DefineStmt CREATE
        DropOwnedStmt DROP OWNED
        DropRoleStmt DROP ROLE
        DropStmt DROP
        DropSubscriptionStmt DROP SUBSCRIPTION
        DropTableSpaceStmt DROP TABLESPACE
        DropUserMappingStmt DROP USER MAPPING
        DropdbStmt DROP DATABASE
        GrantRoleStmt GRANT
        GrantStmt GRANT
        ImportForeignSchemaStmt IMPORT FOREIGN SCHEMA
        IndexStmt CREATE INDEX
        ReassignOwnedStmt REASSIGN OWNED
        RefreshMatViewStmt REFRESH MATERIALIZED VIEW
        RenameStmt ALTER RENAME
        SecLabelStmt SECURITY LABEL
        """;

    private static readonly FrozenDictionary<string, StatementType> Table = Build();

    public static IReadOnlyDictionary<string, StatementType> All => Table;

    /// <summary>The decision for a type; for one that is not known a write that may be DDL.</summary>
    public static StatementType Of(string type) =>
        Table.TryGetValue(type, out var known) && known.Reading != StatementReading.Part
            ? known
            : new StatementType(StatementReading.Ddl, type, StatementKind.Ddl);

    private static FrozenDictionary<string, StatementType> Build()
    {
        var table = new Dictionary<string, StatementType>(StringComparer.Ordinal)
        {
            ["TruncateStmt"] = new(StatementReading.Write, "TRUNCATE", StatementKind.Truncate),
            ["ListenStmt"] = new(StatementReading.Write, "LISTEN", StatementKind.Listen, SessionEffects.Listens, "conditionname"),
            ["UnlistenStmt"] = new(StatementReading.Write, "UNLISTEN", StatementKind.Unlisten, SessionEffects.Unlistens, "conditionname"),
            ["NotifyStmt"] = new(StatementReading.Write, "NOTIFY", StatementKind.Notify, SessionEffects.Notifies, "conditionname"),
            ["LockStmt"] = new(StatementReading.Write, "LOCK", StatementKind.Lock),
            ["LoadStmt"] = new(StatementReading.Write, "LOAD", StatementKind.Load, SessionEffects.ChangesSessionOpaquely),
            ["DoStmt"] = new(StatementReading.Write, "DO", StatementKind.Do, SessionEffects.RunsOpaqueCode),
            ["CallStmt"] = new(StatementReading.Write, "CALL", StatementKind.Call, SessionEffects.RunsOpaqueCode),
            ["VacuumStmt"] = new(StatementReading.Write, "VACUUM", StatementKind.Other),
            ["ReindexStmt"] = new(StatementReading.Write, "REINDEX", StatementKind.Other),
            ["ClusterStmt"] = new(StatementReading.Write, "CLUSTER", StatementKind.Other),
            ["CheckPointStmt"] = new(StatementReading.Write, "CHECKPOINT", StatementKind.Other),
        };
        foreach (var name in Parts.Split(' '))
            table.Add(name, new StatementType(StatementReading.Part, name, StatementKind.Other));
        Add(table, Own, StatementReading.Own, StatementKind.Other);
        Add(table, Ddl, StatementReading.Ddl);
        Add(table, Definitions, StatementReading.Definition);
        return table.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private static void Add(Dictionary<string, StatementType> table, string lines, StatementReading reading, StatementKind kind = StatementKind.Ddl)
    {
        foreach (var line in lines.Split('\n'))
        {
            var space = line.IndexOf(' ');
            table.Add(line[..space], new StatementType(reading, line[(space + 1)..], kind));
        }
    }
}
