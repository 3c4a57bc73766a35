using System.Globalization;
using System.Text;

namespace PgRouter.Server.Logging;

/// <summary>What the escapes of log_line_prefix stand for in one line.</summary>
internal readonly record struct LogPrefixValues(
    DateTimeOffset Time, int ProcessId, long LineNumber, string Application, string Database, string User);

/// <summary>log_line_prefix, pgpool's printf-like text in front of each line.</summary>
internal static class LogPrefix
{
    public static void Append(StringBuilder line, string format, in LogPrefixValues values)
    {
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%' || i + 1 == format.Length)
                line.Append(format[i]);
            else
                AppendEscape(line, format[++i], values);
        }
    }

    private static void AppendEscape(StringBuilder line, char escape, in LogPrefixValues values)
    {
        switch (escape)
        {
            case 't':
                line.Append(values.Time.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture));
                break;
            case 'm':
                line.Append(values.Time.ToString("yyyy-MM-dd HH:mm:ss.fff", CultureInfo.InvariantCulture));
                break;
            case 'p':
                line.Append(values.ProcessId);
                break;
            case 'P':
                line.Append("pgrouter");
                break;
            case 'l':
                line.Append(values.LineNumber);
                break;
            case 'a':
                line.Append(values.Application);
                break;
            case 'd':
                line.Append(values.Database);
                break;
            case 'u':
                line.Append(values.User);
                break;
            case '%':
                line.Append('%');
                break;
            default:
                // pgpool drops an escape that it does not know.
                break;
        }
    }
}
