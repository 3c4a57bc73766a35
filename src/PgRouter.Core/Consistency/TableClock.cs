using PgRouter.Core.Catalog;

namespace PgRouter.Core.Consistency;

/// <summary>
/// When each table of one database was written last, as far as this router knows, and which tables are being written now. A table has one of a fixed
/// number of slots; two that share one count as one table, which can only make a read too careful. Any thread; no lock, no allocation.
/// </summary>
internal sealed class TableClock
{
    /// <summary>A power of two.</summary>
    public const int Slots = 4096;

    private readonly long[] _stamps = new long[Slots];
    private readonly int[] _inFlight = new int[Slots];
    private long _all;
    private long _latest;
    private int _allInFlight;
    private int _anyInFlight;

    /// <summary>These tables have been written; the stamp is of a moment after the commit.</summary>
    public void Mark(TableSet tables, long stamp)
    {
        Raise(ref _latest, stamp);
        if (tables.IsAll)
        {
            Raise(ref _all, stamp);
            return;
        }
        foreach (var oid in tables.Oids)
            Raise(ref _stamps[SlotOf(oid)], stamp);
    }

    /// <summary>The last write of any of these tables; 0 = none.</summary>
    public long StampOf(TableSet tables)
    {
        if (tables.IsAll)
            return Volatile.Read(ref _latest);
        var stamp = Volatile.Read(ref _all);
        foreach (var oid in tables.Oids)
            stamp = Math.Max(stamp, Volatile.Read(ref _stamps[SlotOf(oid)]));
        return stamp;
    }

    /// <summary>The last write of one table, or of all.</summary>
    public long StampOf(uint oid) => Math.Max(Volatile.Read(ref _all), Volatile.Read(ref _stamps[SlotOf(oid)]));

    /// <summary>A commit that writes these tables is sent.</summary>
    public void Enter(TableSet tables) => Count(tables, 1);

    /// <summary>Its outcome is known, and they are marked.</summary>
    public void Leave(TableSet tables) => Count(tables, -1);

    /// <summary>
    /// May a commit of any of these tables have happened whose answer has not come yet? A read that ends now may have seen it.
    /// </summary>
    public bool IsInFlight(TableSet tables)
    {
        if (Volatile.Read(ref _allInFlight) > 0)
            return true;
        if (tables.IsAll)
            return Volatile.Read(ref _anyInFlight) > 0;
        foreach (var oid in tables.Oids)
        {
            if (Volatile.Read(ref _inFlight[SlotOf(oid)]) > 0)
                return true;
        }
        return false;
    }

    private void Count(TableSet tables, int change)
    {
        if (!tables.IsEmpty)
            Interlocked.Add(ref _anyInFlight, change);
        if (tables.IsAll)
        {
            Interlocked.Add(ref _allInFlight, change);
            return;
        }
        foreach (var oid in tables.Oids)
            Interlocked.Add(ref _inFlight[SlotOf(oid)], change);
    }

    private static int SlotOf(uint oid) => (int)(oid * 2654435769u >> 20);

    private static void Raise(ref long stamp, long to)
    {
        var now = Volatile.Read(ref stamp);
        while (now < to)
        {
            var before = Interlocked.CompareExchange(ref stamp, to, now);
            if (before == now)
                return;
            now = before;
        }
    }
}
