using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;

namespace PgRouter.Sql;

/// <summary>
/// The native parser (libpg_query): PostgreSQL's own grammar as a C library. Thread-safe. Its stack use grows with the nesting of the
/// text and an overflow kills the process, so only <see cref="StatementParser"/> calls it, on threads with a large stack and below its
/// caps.
/// </summary>
public static unsafe partial class LibPgQuery
{
    private const string Library = "libpg_query";

    private const string MissingMessage =
        "The SQL parser library libpg_query was not found. Install it (Debian and Ubuntu: the package libpg-query1504.0 or " +
        "libpg-query-dev; " +
        "others: build github.com/pganalyze/libpg_query, branch 15-latest to 17-latest, as libpg_query.so and put it into " +
        "/usr/local/lib).";

    private static readonly string[] Directories =
    [
        AppContext.BaseDirectory,
        "/usr/local/lib",
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
        "/usr/lib64",
        "/usr/lib",
        "/lib64",
        "/lib",
    ];

    private static string _loadedFrom = "";

    static LibPgQuery() => NativeLibrary.SetDllImportResolver(typeof(LibPgQuery).Assembly, Resolve);

    /// <summary>What is done with a parse tree while its native memory is alive.</summary>
    internal delegate T TreeReader<out T>(ReadOnlySpan<byte> json);

    /// <summary>The file that was loaded and the version of its grammar.</summary>
    /// <exception cref="DllNotFoundException">The library is not installed; the message names the package.</exception>
    public static string Describe()
    {
        var version = Parse("\0"u8, static json =>
        {
            var match = VersionNumber().Match(Encoding.UTF8.GetString(json));
            return match.Success ? int.Parse(match.Groups[1].ValueSpan) : 0;
        }, static _ => 0);
        return $"libpg_query at {_loadedFrom}, grammar of PostgreSQL {version / 10000}.{version % 10000}";
    }

    /// <summary>
    /// Parses one text and hands the JSON tree, or the message of the syntax error, to a reader. The bytes given to the readers are only
    /// valid inside the call. Needs stack in proportion to the nesting of the text.
    /// </summary>
    /// <param name="zeroTerminated">SQL in UTF-8 whose last byte is zero.</param>
    /// <param name="onTree">Reads the tree.</param>
    /// <param name="onError">Reads the message of a syntax error.</param>
    internal static T Parse<T>(ReadOnlySpan<byte> zeroTerminated, TreeReader<T> onTree, TreeReader<T> onError)
    {
        if (zeroTerminated.IsEmpty || zeroTerminated[^1] != 0)
            throw new ArgumentException("The text must end with a zero byte.", nameof(zeroTerminated));
        fixed (byte* text = zeroTerminated)
        {
            var result = pg_query_parse(text);
            try
            {
                return result.Error != null
                    ? onError(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(result.Error->Message))
                    : onTree(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(result.ParseTree));
            }
            finally
            {
                pg_query_free_parse_result(result);
            }
        }
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? searchPath)
    {
        if (name != Library)
            return 0;
        foreach (var candidate in Candidates())
        {
            if (!NativeLibrary.TryLoad(candidate, out var handle))
                continue;
            _loadedFrom = candidate;
            return handle;
        }

        throw new DllNotFoundException(MissingMessage);
    }

    /// <summary>The plain name first, then every versioned file of a known grammar, the newest first.</summary>
    private static IEnumerable<string> Candidates()
    {
        foreach (var directory in Directories)
        {
            var plain = Path.Combine(directory, "libpg_query.so");
            if (File.Exists(plain))
                yield return plain;
        }

        var versioned = Directories
            .Where(Directory.Exists)
            .SelectMany(directory => Directory.EnumerateFiles(directory, "libpg_query.so.*"))
            .Where(file => KnownSoname().IsMatch(Path.GetFileName(file)))
            .OrderByDescending(file => Path.GetFileName(file)!, StringComparer.Ordinal);
        foreach (var file in versioned)
            yield return file;
        yield return "libpg_query.so";
    }

    [GeneratedRegex(@"^libpg_query\.so\.1[5-7]\d\d(\.\d+)*$")]
    private static partial Regex KnownSoname();

    [GeneratedRegex("\"version\":(\\d+)")]
    private static partial Regex VersionNumber();

    [LibraryImport(Library)]
    private static partial ParseResult pg_query_parse(byte* input);

    [LibraryImport(Library)]
    private static partial void pg_query_free_parse_result(ParseResult result);

    /// <summary>PgQueryParseResult of pg_query.h.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct ParseResult
    {
        public byte* ParseTree;
        public byte* StandardError;
        public ParseError* Error;
    }

    /// <summary>PgQueryError of pg_query.h.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct ParseError
    {
        public byte* Message;
        public byte* Function;
        public byte* File;
        public int Line;
        public int CursorPosition;
        public byte* Context;
    }
}
