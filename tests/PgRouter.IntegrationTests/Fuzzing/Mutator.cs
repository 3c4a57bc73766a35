using System.Buffers.Binary;
using System.Text;

namespace PgRouter.IntegrationTests.Fuzzing;

/// <summary>Spoils messages and statements, by a seed. Not thread-safe.</summary>
internal sealed class Mutator(Random random)
{
    private const int LongestGrowth = 200_000;
    private static readonly int[] Numbers = [0, 1, -1, 4, 5, 255, 65535, int.MaxValue, int.MinValue, 1 << 16, 1 << 30];
    private static readonly string[] Snippets =
    [
        "'", "\"", "$$", "$1", "/*", "*/", "--", "(", ")", ";", "\\", "E'", "U&'", "::", "--\n", " EXPLAIN ", " FROM ", " SELECT ", " UNION ", "[", "]",
        "/*NO LOAD BALANCE*/", "PREPARE a AS ", "EXECUTE ", "DECLARE c CURSOR FOR ", "COPY (", ") TO STDOUT", "BEGIN;", "COMMIT;", "\0", "\u00e9", "\ud83d\ude00", "1e999999", "0x",
    ];

    public bool Chance(double probability) => random.NextDouble() < probability;

    public T Pick<T>(IReadOnlyList<T> all) => all[random.Next(all.Count)];

    public int Number(int below) => random.Next(below);

    /// <summary>One to three changes to a whole message of a type byte, a length and a body.</summary>
    public byte[] Message(byte[] frame, byte[] other)
    {
        for (var i = random.Next(3); i >= 0; i--)
            frame = Change(frame, other);
        return frame;
    }

    private byte[] Change(byte[] frame, byte[] other) => random.Next(11) switch
    {
        0 => Flip(frame, 1 + random.Next(8)),
        1 => Overwrite(frame),
        2 => WithLength(frame[..Math.Min(frame.Length, 5 + random.Next(Math.Max(1, frame.Length - 5)))]),
        3 => frame[..random.Next(frame.Length + 1)],
        4 => WithLength(Insert(frame, Bytes(1 + random.Next(20)))),
        5 => Lie(frame),
        6 => Retyped(frame),
        7 => WithLength(Grow(frame)),
        8 => WithLength(Insert(frame, other)),
        9 => [.. frame, .. other.AsSpan(random.Next(other.Length + 1))],
        _ => WithLength([.. frame.Where((value, at) => at < 5 || value != 0)]),
    };

    /// <summary>A statement as somebody might send it who means harm, or who cannot type.</summary>
    public string Statement(string sql, string other)
    {
        for (var i = random.Next(4); i > 0; i--)
        {
            var at = random.Next(sql.Length + 1);
            sql = random.Next(8) switch
            {
                0 => sql.Remove(at, Math.Min(sql.Length - at, 1 + random.Next(6))),
                1 => sql.Insert(at, Pick(Snippets)),
                2 => sql.Insert(at, Pick(Snippets) + Pick(Snippets)),
                3 => $"{sql}; {other}",
                4 => sql[..at] + other[random.Next(other.Length + 1)..],
                5 => sql.Insert(at, new string((char)random.Next(1, 128), random.Next(50))),
                6 => Bomb(sql),
                _ => sql[..at],
            };
        }
        return sql;
    }

    /// <summary>What makes a parser recurse or copy.</summary>
    private string Bomb(string sql)
    {
        var deep = 1 << random.Next(3, Chance(0.05) ? 14 : 9);
        return random.Next(7) switch
        {
            0 => $"SELECT {new string('(', deep)}1{new string(')', deep)}",
            1 => $"SELECT {string.Concat(Enumerable.Repeat("-", deep))}1",
            2 => $"SELECT 1{string.Concat(Enumerable.Repeat(" + 1", deep))}",
            3 => $"SELECT * FROM t WHERE a IN ({string.Join(',', Enumerable.Range(0, deep))})",
            4 => string.Concat(Enumerable.Repeat("SELECT 1;", deep)),
            5 => $"{string.Concat(Enumerable.Repeat("SELECT * FROM (", deep))}SELECT 1{string.Concat(Enumerable.Repeat(") x", deep))}",
            _ => string.Concat(Enumerable.Repeat("EXPLAIN ", deep)) + sql,
        };
    }

    public byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }

    private byte[] Flip(byte[] frame, int count)
    {
        frame = [.. frame];
        for (var i = 0; i < count && frame.Length > 0; i++)
            frame[random.Next(frame.Length)] ^= (byte)(1 << random.Next(8));
        return frame;
    }

    private byte[] Overwrite(byte[] frame)
    {
        frame = [.. frame];
        var width = 1 << random.Next(3);
        if (frame.Length < width)
            return frame;
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, Pick(Numbers));
        number[(4 - width)..].CopyTo(frame.AsSpan(random.Next(frame.Length - width + 1)));
        return frame;
    }

    private byte[] Lie(byte[] frame)
    {
        frame = [.. frame];
        if (frame.Length >= 5)
            BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), Chance(0.5) ? Pick(Numbers) : frame.Length - 1 + random.Next(-5, 6));
        return frame;
    }

    private byte[] Retyped(byte[] frame)
    {
        frame = [.. frame];
        if (frame.Length > 0)
            frame[0] = Chance(0.8) ? (byte)"QPBDECSHFdcfpXRKTtZANGW12ns3Iv"[random.Next(30)] : (byte)random.Next(256);
        return frame;
    }

    private byte[] Insert(byte[] frame, byte[] more)
    {
        var at = frame.Length < 5 ? frame.Length : random.Next(5, frame.Length + 1);
        return [.. frame.AsSpan(0, at), .. more, .. frame.AsSpan(at)];
    }

    private byte[] Grow(byte[] frame)
    {
        var part = frame.Length > 5 ? frame[5..] : Encoding.ASCII.GetBytes("x");
        var times = Math.Min(LongestGrowth / part.Length, 1 << random.Next(12));
        return [.. frame, .. Enumerable.Repeat(part, times).SelectMany(bytes => bytes)];
    }

    private static byte[] WithLength(byte[] frame)
    {
        if (frame.Length >= 5)
            BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), frame.Length - 1);
        return frame;
    }
}
