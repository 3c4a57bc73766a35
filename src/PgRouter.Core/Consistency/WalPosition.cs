using System.Globalization;

namespace PgRouter.Core.Consistency;

/// <summary>A position in the write-ahead log and the timeline it belongs to; 0 = not known. Positions of two timelines cannot be compared.</summary>
internal readonly record struct WalPosition(uint Timeline, ulong Lsn)
{
    private const ulong PageHeader = 24; // SizeOfXLogShortPHD
    private const ulong SegmentHeader = 40; // SizeOfXLogLongPHD

    /// <summary>
    /// An insert position as the end of the last record. When that record has filled its page, PostgreSQL says where the next one will begin, behind
    /// the header of the next page; a standby that has replayed everything says where the last one ended.
    /// </summary>
    public static ulong EndOfRecord(ulong insertLsn, ulong pageSize, ulong segmentSize)
    {
        if (segmentSize > 0 && insertLsn % segmentSize == SegmentHeader)
            return insertLsn - SegmentHeader;
        return pageSize > 0 && insertLsn % pageSize == PageHeader ? insertLsn - PageHeader : insertLsn;
    }

    /// <summary>As PostgreSQL writes an lsn.</summary>
    public static string Format(ulong lsn) => string.Create(CultureInfo.InvariantCulture, $"{lsn >> 32:X}/{(uint)lsn:X}");

    /// <summary>Reads an lsn as PostgreSQL writes it; null when it is none.</summary>
    public static ulong? Parse(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && uint.TryParse(text.AsSpan(0, slash), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var high)
            && uint.TryParse(text.AsSpan(slash + 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var low)
                ? ((ulong)high << 32) | low
                : null;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Timeline}:{Format(Lsn)}";
}
