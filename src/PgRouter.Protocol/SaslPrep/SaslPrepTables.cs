using System.IO.Compression;

namespace PgRouter.Protocol;

/// <summary>
/// The Unicode tables of <see cref="SaslPrep"/>, read from the resource that generate.py writes, when first needed. Immutable.
/// </summary>
internal sealed class SaslPrepTables
{
    private static readonly Lazy<SaslPrepTables> LazyInstance = new(Load);

    private readonly Dictionary<int, int[]> _combiningClasses;

    private SaslPrepTables(Stream stream)
    {
        Decompositions = ReadKeyed(stream);
        _combiningClasses = ReadKeyed(stream);
        Compositions = ReadKeyed(stream).ToDictionary(entry => (entry.Value[0], entry.Value[1]), entry => entry.Key);
        NonAsciiSpace = ReadRanges(stream);
        MappedToNothing = ReadRanges(stream);
        Prohibited = ReadRanges(stream);
        RightToLeft = ReadRanges(stream);
        LeftToRight = ReadRanges(stream);
    }

    public static SaslPrepTables Instance => LazyInstance.Value;

    /// <summary>Full compatibility decomposition of each code point that has one, without Hangul syllables.</summary>
    public Dictionary<int, int[]> Decompositions { get; }

    /// <summary>Canonical composites by their two parts.</summary>
    public Dictionary<(int First, int Second), int> Compositions { get; }

    /// <summary>RFC 3454, table C.1.2.</summary>
    public CodePointSet NonAsciiSpace { get; }

    /// <summary>RFC 3454, table B.1.</summary>
    public CodePointSet MappedToNothing { get; }

    /// <summary>RFC 4013, 2.3 and 2.5.</summary>
    public CodePointSet Prohibited { get; }

    /// <summary>RFC 3454, table D.1.</summary>
    public CodePointSet RightToLeft { get; }

    /// <summary>RFC 3454, table D.2.</summary>
    public CodePointSet LeftToRight { get; }

    public int CombiningClass(int point) => _combiningClasses.TryGetValue(point, out var value) ? value[0] : 0;

    private static SaslPrepTables Load()
    {
        const string Name = "PgRouter.Protocol.SaslPrep.saslprep.bin";
        using var resource = typeof(SaslPrepTables).Assembly.GetManifestResourceStream(Name)
            ?? throw new InvalidOperationException($"The resource {Name} is missing from the assembly.");
        using var stream = new BufferedStream(new ZLibStream(resource, CompressionMode.Decompress));
        return new SaslPrepTables(stream);
    }

    private static Dictionary<int, int[]> ReadKeyed(Stream stream)
    {
        var count = ReadNumber(stream);
        var result = new Dictionary<int, int[]>(count);
        var point = 0;
        for (var i = 0; i < count; i++)
        {
            point += ReadNumber(stream);
            result.Add(point, ReadNumbers(stream));
        }
        return result;
    }

    private static CodePointSet ReadRanges(Stream stream)
    {
        var bounds = ReadNumbers(stream);
        for (var i = 1; i < bounds.Length; i++)
            bounds[i] += bounds[i - 1];
        return new CodePointSet(bounds);
    }

    private static int[] ReadNumbers(Stream stream)
    {
        var numbers = new int[ReadNumber(stream)];
        for (var i = 0; i < numbers.Length; i++)
            numbers[i] = ReadNumber(stream);
        return numbers;
    }

    private static int ReadNumber(Stream stream)
    {
        var result = 0;
        for (var shift = 0; ; shift += 7)
        {
            var next = stream.ReadByte();
            if (next < 0)
                throw new EndOfStreamException("The tables of SASLprep are cut short.");
            result |= (next & 0x7F) << shift;
            if (next < 0x80)
                return result;
        }
    }

    /// <summary>Code points as sorted bounds: start, end (exclusive), start, end.</summary>
    internal sealed class CodePointSet(int[] bounds)
    {
        public bool Contains(int point)
        {
            var index = Array.BinarySearch(bounds, point);
            // On a bound: even = a start. Between bounds: inside when the bound after it is an end.
            return index >= 0 ? index % 2 == 0 : ~index % 2 == 1;
        }
    }
}
