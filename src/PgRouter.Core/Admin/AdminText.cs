using System.Globalization;

namespace PgRouter.Core.Admin;

/// <summary>Writes values as PostgreSQL's output functions do (DateStyle ISO), whatever the culture of the process.</summary>
internal static class AdminText
{
    public static string Bool(bool value) => value ? "t" : "f";

    public static string Integer(long value) => value.ToString(CultureInfo.InvariantCulture);

    /// <summary>The shortest digits that read back as the same number.</summary>
    public static string Float8(double value) => value.ToString("R", CultureInfo.InvariantCulture).Replace('E', 'e');

    /// <summary>Six digits after the point, as pgpool-II prints weights and averages; still a valid float8.</summary>
    public static string Float8Fixed(double value) => value.ToString("F6", CultureInfo.InvariantCulture);

    /// <summary>A timestamp without time zone, to the second, in the zone given.</summary>
    public static string Timestamp(DateTimeOffset value, TimeZoneInfo zone) =>
        TimeZoneInfo.ConvertTime(value, zone).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    /// <summary>PgBouncer's text form of a moment, always in UTC: "2026-11-21 07:20:22 UTC".</summary>
    public static string Utc(DateTimeOffset value) => value.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);

    /// <summary>Whole microseconds of a duration: PgBouncer's unit for every time.</summary>
    public static long Microseconds(TimeSpan value) => value.Ticks / TimeSpan.TicksPerMicrosecond;
}
