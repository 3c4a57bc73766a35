using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;

namespace PgRouter.Sql;

/// <summary>
/// A 128-bit hash under a random key of this process, so that no client can choose texts that collide. Multiplies and folds, 16 bytes a
/// step.
/// </summary>
internal readonly record struct ShapeHash(ulong Low, ulong High)
{
    private const int Step = 16;
    private static readonly ulong KeyA = RandomKey();
    private static readonly ulong KeyB = RandomKey();
    private static readonly ulong KeyC = RandomKey();
    private static readonly ulong KeyD = RandomKey();

    public static ShapeHash Of(ReadOnlySpan<byte> text)
    {
        var whole = text;
        var low = KeyC ^ (ulong)text.Length;
        var high = KeyD;
        while (text.Length >= Step)
        {
            Mix(ref low, ref high, BinaryPrimitives.ReadUInt64LittleEndian(text), BinaryPrimitives.ReadUInt64LittleEndian(text[8..]));
            text = text[Step..];
        }

        if (text.Length > 0 && whole.Length >= Step)
        {
            var last = whole[^Step..]; // overlaps what was mixed already; the length is in the key
            Mix(ref low, ref high, BinaryPrimitives.ReadUInt64LittleEndian(last), BinaryPrimitives.ReadUInt64LittleEndian(last[8..]));
        }
        else if (text.Length > 0)
        {
            Span<byte> rest = stackalloc byte[Step];
            rest.Clear();
            text.CopyTo(rest);
            Mix(ref low, ref high, BinaryPrimitives.ReadUInt64LittleEndian(rest), BinaryPrimitives.ReadUInt64LittleEndian(rest[8..]));
        }

        Mix(ref low, ref high, KeyB, KeyA);
        return new ShapeHash(low, high);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Mix(ref ulong low, ref ulong high, ulong a, ulong b)
    {
        var upper = Math.BigMul(a ^ KeyA ^ low, b ^ KeyB ^ high, out var lower);
        low = lower ^ BitOperations.RotateLeft(high, 23) ^ a;
        high = upper ^ BitOperations.RotateLeft(low, 41) ^ b;
    }

    private static ulong RandomKey() => BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
}
