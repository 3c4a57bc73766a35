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

    /// <summary>For people and other routers: <c>1:0/3000148</c>; without a timeline when that is not known.</summary>
    public string ToToken() => Timeline == 0 ? Format(Lsn) : ToString();

    /// <summary>Reads a token, or an lsn alone, which is of any timeline; null when it is neither.</summary>
    public static WalPosition? ParseToken(ReadOnlySpan<char> text)
    {
        var timeline = 0u;
        var colon = text.IndexOf(':');
        if (colon >= 0 && (!uint.TryParse(text[..colon], NumberStyles.None, CultureInfo.InvariantCulture, out timeline) || timeline == 0))
            return null;
        return Parse(text[(colon + 1)..]) is { } lsn ? new WalPosition(timeline, lsn) : null;
    }

    /// <summary>
    /// Is everything here that stands in front of a token? On a later timeline the positions in front of the switch are the same; a token from behind it
    /// is of writes that the failover has lost.
    /// </summary>
    public bool Covers(WalPosition token) => Lsn >= token.Lsn && (token.Timeline == 0 || Timeline >= token.Timeline);

    /// <summary>Reads an lsn as PostgreSQL writes it; null when it is none.</summary>
    public static ulong? Parse(ReadOnlySpan<char> text)
    {
        var slash = text.IndexOf('/');
        return slash > 0 && uint.TryParse(text[..slash], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var high)
            && uint.TryParse(text[(slash + 1)..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var low)
                ? ((ulong)high << 32) | low
                : null;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Timeline}:{Format(Lsn)}";
}
