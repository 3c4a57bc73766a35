using PgRouter.Core.Catalog;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>
/// Texts that a standby has refused and the primary has carried out: they run on the primary, whatever the grammar and the catalog say. What made it
/// so may change, so each is forgotten when the catalog has been read twice since (the refusal itself asks for the first time), and after some minutes
/// where it cannot be read. Of one loop; loop thread only. Bounded: the oldest goes first.
/// </summary>
internal sealed class RefusedTexts(int limit = RefusedTexts.DefaultLimit)
{
    private const int DefaultLimit = 1024;
    private const long LongestMs = 10 * 60 * 1000;

    private readonly Dictionary<StatementInfo, Refusal> _refusals = new(ReferenceEqualityComparer.Instance);
    private readonly Queue<StatementInfo> _order = new();

    /// <summary>Ask it first: mostly there is none.</summary>
    public bool IsEmpty => _refusals.Count == 0;

    public int Count => _refusals.Count;

    /// <param name="info">The text.</param>
    /// <param name="catalog">That of the database where it was refused.</param>
    /// <param name="message">The standby's words.</param>
    /// <param name="nowMs">The loop's clock.</param>
    public void Add(StatementInfo info, CatalogStore catalog, string message, long nowMs)
    {
        if (!_refusals.ContainsKey(info))
            _order.Enqueue(info);
        _refusals[info] = new Refusal(catalog, catalog.Loads + 1, nowMs + LongestMs, message);
        while (_order.Count > limit)
            _refusals.Remove(_order.Dequeue());
    }

    /// <summary>What the standby said of this text in this database; null when it may be asked, again.</summary>
    public string? Find(StatementInfo info, CatalogStore catalog, long nowMs)
    {
        if (!_refusals.TryGetValue(info, out var refusal) || !ReferenceEquals(refusal.Catalog, catalog))
            return null;
        if (catalog.Loads <= refusal.LastLoad && nowMs < refusal.UntilMs)
            return refusal.Message;
        _refusals.Remove(info);
        return null;
    }

    private readonly record struct Refusal(CatalogStore Catalog, long LastLoad, long UntilMs, string Message);
}
