using System.Buffers.Binary;
using PgRouter.Testing.Protocol;

namespace PgRouter.Testing.Scripts;

/// <summary>
/// Numbers the tables and types that the database made itself in the order in which a transcript names them: an object that a script
/// makes has another OID each time. Objects of PostgreSQL's own keep theirs, and two different ones never become equal.
/// </summary>
internal sealed class ObjectNumbers
{
    // FirstNormalObjectId of PostgreSQL: lower OIDs belong to objects that every database has.
    private const int FirstNormal = 16384;
    private const int FixedPart = 18;

    private readonly Dictionary<int, int> _numbers = [];

    /// <summary>The message with its OIDs renumbered, if it is a RowDescription or a ParameterDescription; else the message itself.</summary>
    public RawMessage Renumber(RawMessage message) => message.Type switch
    {
        'T' => RenumberRow(message),
        't' => RenumberParameters(message),
        _ => message,
    };

    private RawMessage RenumberRow(RawMessage message)
    {
        var body = message.Body.ToArray();
        var at = 2;
        for (var left = BinaryPrimitives.ReadInt16BigEndian(body); left > 0; left--)
        {
            at = Array.IndexOf(body, (byte)0, at) + 1;
            Replace(body.AsSpan(at));
            Replace(body.AsSpan(at + 6));
            at += FixedPart;
        }

        return message with { Body = body };
    }

    private RawMessage RenumberParameters(RawMessage message)
    {
        var body = message.Body.ToArray();
        for (var at = 2; at < body.Length; at += 4)
            Replace(body.AsSpan(at));
        return message with { Body = body };
    }

    private void Replace(Span<byte> oid)
    {
        var value = BinaryPrimitives.ReadInt32BigEndian(oid);
        if (value < FirstNormal)
            return;
        if (!_numbers.TryGetValue(value, out var number))
            _numbers[value] = number = FirstNormal + _numbers.Count;
        BinaryPrimitives.WriteInt32BigEndian(oid, number);
    }
}
