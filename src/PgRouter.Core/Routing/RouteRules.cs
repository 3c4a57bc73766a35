using PgRouter.Sql;

namespace PgRouter.Core.Routing;

/// <summary>Empty requests and the router's own commands: answered here.</summary>
internal sealed class LocalRule : RouteRule
{
    public override RouteReason Reason => RouteReason.Local;

    public override string When => "an empty query, `SHOW POOL_*`, `SHOW ROUTES`, `PGPOOL ...`, `EXPLAIN ROUTE ...`";

    public override string Where => "answered by PgRouter";

    public override int Decide(in RouteInput input) => input.Class <= StatementClass.Local ? Nowhere : Pass;
}

/// <summary>A server is held: open transaction, pin, session mode.</summary>
internal sealed class HeldRule : RouteRule
{
    public override RouteReason Reason => RouteReason.Held;

    public override string When => "a server is held: open transaction, pin";

    public override string Where => "that server";

    public override int Decide(in RouteInput input) => input.HeldNode >= 0 ? input.HeldNode : Pass;
}

/// <summary>A hint names the node or the role. It never sends a write to a standby.</summary>
internal sealed class HintRule : RouteRule
{
    public override RouteReason Reason => RouteReason.Hint;

    public override string When => "a comment in front says where, or `pgrouter.route` of the session does";

    public override string Where => "as it says; a write never goes to a standby, and a read to none that lacks what it must see";

    public override int Decide(in RouteInput input)
    {
        if (input.Place is not { } hint)
            return Pass;
        if (hint.Primary)
            return input.Cluster.PrimaryIndex;
        if (!OnlyReads(input))
            return Pass;
        if (!hint.Standby && hint.Node is null)
            return Pass;
        var node = hint.Node is { } id ? NodeChoice.ById(input, id) : NodeChoice.ForReadOnStandby(input);
        // A hint does not make a read stale: that the level of consistency must say.
        var isStale = node >= 0 ? !input.IsFresh(node) : NodeChoice.HasOnlyStaleStandbys(input);
        return isStale && input.CanUsePrimary ? input.Cluster.PrimaryIndex : isStale ? Nowhere : node;
    }

    private static bool OnlyReads(in RouteInput input) =>
        input.Class is <= StatementClass.Read or StatementClass.NeedsCatalog or StatementClass.PrimaryRead || input.BeginsReadOnly;
}

/// <summary>Writes, locks, DDL, and what the grammar does not know: the primary.</summary>
internal sealed class WriteRule : RouteRule
{
    public override RouteReason Reason => RouteReason.Write;

    public override string When => "classes `Write` and `Unknown`, and a primary is known";

    public override string Where => "primary";

    public override int Decide(in RouteInput input) =>
        input.Class >= StatementClass.Write && input.Cluster.PrimaryIndex >= 0 ? input.Cluster.PrimaryIndex : Pass;
}

/// <summary>Functions that the built-in table does not know: the primary, as long as there is one.</summary>
internal sealed class VolatileFunctionRule : RouteRule
{
    public override RouteReason Reason => RouteReason.VolatileFunction;

    public override string When => "class `NeedsCatalog`, and the primary can be used";

    public override string Where => "primary";

    public override int Decide(in RouteInput input) =>
        input.Class == StatementClass.NeedsCatalog && input.CanUsePrimary ? input.Cluster.PrimaryIndex : Pass;
}

/// <summary>What differs on a standby (system catalogs, SHOW, cursors): the primary, as long as there is one.</summary>
internal sealed class CatalogRule : RouteRule
{
    public override RouteReason Reason => RouteReason.Catalog;

    public override string When =>
        "class `PrimaryRead`, or it names what the [catalog](catalog.md) does not know, and the primary can be used";

    public override string Where => "primary";

    public override int Decide(in RouteInput input) =>
        (input.Class == StatementClass.PrimaryRead || (input.IsUncertain && input.RunsAnywhere)) && input.CanUsePrimary ? input.Cluster.PrimaryIndex : Pass;
}

/// <summary>
/// pgpool's lists: a statement or a function that is named for the primary, then the node that the application, the database or the user
/// prefers.
/// </summary>
internal sealed class ListRule : RouteRule
{
    public override RouteReason Reason => RouteReason.List;

    public override string When =>
        "a list of functions or statements names it for the primary; or a redirect list names a node for the client, and it may run anywhere";

    public override string Where => "primary; or as listed, as long as that node can serve reads";

    public override int Decide(in RouteInput input)
    {
        if (input.IsListed && input.RunsAnywhere && input.CanUsePrimary)
            return input.Cluster.PrimaryIndex;
        if (input.Preference is not { } preference || !input.RunsAnywhere || !input.Config.LoadBalanceMode)
            return Pass;
        return NodeChoice.Preferred(input, preference);
    }
}

/// <summary>A read that no standby can serve yet: none has replayed what it must see (docs/consistency.md).</summary>
internal sealed class ConsistencyRule : RouteRule
{
    public override RouteReason Reason => RouteReason.Consistency;

    public override string When => "a read, and no standby has what it must see by its [level](consistency.md)";

    public override string Where => "primary";

    public override int Decide(in RouteInput input) =>
        input.RunsAnywhere && input.Config.LoadBalanceMode && input.CanUsePrimary && NodeChoice.HasOnlyStaleStandbys(input)
            ? input.Cluster.PrimaryIndex
            : Pass;
}

/// <summary>A transaction begins: on the primary, unless it says READ ONLY.</summary>
internal sealed class TransactionRule : RouteRule
{
    public override RouteReason Reason => RouteReason.Transaction;

    public override string When => "a transaction begins and is not said to be READ ONLY";

    public override string Where => "primary";

    public override int Decide(in RouteInput input) =>
        input.Class == StatementClass.Transaction && !input.BeginsReadOnly && input.Cluster.PrimaryIndex >= 0 ? input.Cluster.PrimaryIndex : Pass;
}

/// <summary>Reads go by weight to the nodes that may serve them; so does what only changes the session.</summary>
internal sealed class BalancedRule : RouteRule
{
    public override RouteReason Reason => RouteReason.Balanced;

    public override string When => "a read, a change of session state alone, or a READ ONLY transaction, while `load_balance_mode` is on";

    public override string Where => "a node chosen by `pgrouter.balance_policy` among those that may serve reads";

    public override int Decide(in RouteInput input)
    {
        if (!input.RunsAnywhere || !input.Config.LoadBalanceMode)
            return Pass;
        var node = NodeChoice.ForRead(input);
        return node >= 0 ? node : Pass;
    }
}

/// <summary>A read and no standby to serve it: the primary; and with no primary, a read of any kind is better served by a standby than not at all.</summary>
internal sealed class NoStandbyRule : RouteRule
{
    public override RouteReason Reason => RouteReason.NoStandby;

    public override string When =>
        "what may run anywhere and found no node above; with no primary also the reads of `volatile function` and `catalog`";

    public override string Where => "primary, else any usable node";

    public override int Decide(in RouteInput input)
    {
        if (input.Class >= StatementClass.Write || (input.Class == StatementClass.Transaction && !input.BeginsReadOnly))
            return Pass;
        if (input.CanUsePrimary)
            return input.Cluster.PrimaryIndex;
        var node = NodeChoice.AnyUsable(input);
        return node >= 0 ? node : Pass;
    }
}

/// <summary>A write and no primary.</summary>
internal sealed class NoPrimaryRule : RouteRule
{
    public override RouteReason Reason => RouteReason.NoPrimary;

    public override string When => "everything left: no node can take it";

    public override string Where => "waits up to `pgrouter.failover_hold` (default 0), then an error, SQLSTATE 57P03";

    public override int Decide(in RouteInput input) => Nowhere;
}
