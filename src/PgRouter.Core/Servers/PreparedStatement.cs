using System.Globalization;
using System.Text;
using PgRouter.Protocol;
using PgRouter.Sql;

namespace PgRouter.Core.Servers;

/// <summary>
/// One prepared statement as all clients and servers share it: the text and the parameter types as they stood in Parse. Immutable;
/// two statements are the same only when every byte is, and what the names in them mean.
/// </summary>
internal sealed class PreparedStatement
{
    public PreparedStatement(long id, string scope, long schemaVersion, byte[] definition, StatementInfo info)
    {
        Scope = scope;
        SchemaVersion = schemaVersion;
        Id = id;
        Definition = definition;
        Info = info;
        ServerName = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"pgrouter_{id}"));
    }

    /// <summary>How every shared name begins.</summary>
    public static ReadOnlySpan<byte> NamePrefix => "pgrouter_"u8;

    /// <summary>A name in the shared names' manner that no server ever has: ids begin at 1.</summary>
    public static ReadOnlySpan<byte> NoName => "pgrouter_0"u8;

    /// <summary>Unique in the process.</summary>
    public long Id { get; }

    /// <summary>Its name on every server, without the final zero.</summary>
    public byte[] ServerName { get; }

    /// <summary>How names in the text were resolved when it was prepared: see <see cref="PreparedStatementCache.Acquire"/>.</summary>
    public string Scope { get; }

    /// <summary>The <see cref="PreparedStatementCache"/>'s count of schema changes when it was made.</summary>
    public long SchemaVersion { get; }

    /// <summary>The body of Parse behind the name: query text, zero, and the parameter types.</summary>
    public byte[] Definition { get; }

    public StatementInfo Info { get; }

    /// <summary>
    /// Made by PREPARE, not by Parse: <see cref="Definition"/> is what stands behind the name there.
    /// </summary>
    public bool IsSql { get; init; }

    /// <summary>Prepared statements that its text executes or deallocates by their servers' names: they must be on the server too.</summary>
    public IReadOnlyList<PreparedStatement> Uses { get; set; } = [];

    /// <summary>For one made by PREPARE: the statement that makes it on a server.</summary>
    public byte[] SqlText() => [.. "PREPARE "u8, .. ServerName, .. Definition];

    /// <summary>The same under the name that a client has given to it.</summary>
    public byte[] SqlText(ReadOnlySpan<byte> ownName)
    {
        var name = Encoding.UTF8.GetString(ownName);
        var isPlain = name.All(c => c is (>= 'a' and <= 'z') or '_' || char.IsAsciiDigit(c)) && !char.IsAsciiDigit(name[0]);
        return [.. "PREPARE "u8, .. Encoding.UTF8.GetBytes(isPlain ? name : $"\"{name.Replace("\"", "\"\"")}\""), .. Definition];
    }

    /// <summary>For one made by Parse: the message that makes it on a server.</summary>
    public byte[] Parse() => ParseAndSync(ServerName)[..^MessageHeader.Size];

    /// <summary>For one made by Parse: the messages that make it on a server and ask what it gives.</summary>
    public byte[] ParseDescribeAndSync()
    {
        var writer = new MessageWriter();
        writer.WriteBytes(Parse());
        writer.Begin(FrontendMessage.Describe);
        writer.WriteBytes([(byte)'S', .. ServerName, 0]);
        writer.End();
        writer.Begin(FrontendMessage.Sync);
        writer.End();
        return writer.WrittenSpan.ToArray();
    }

    /// <summary>For one made by Parse: the messages Parse and Sync that make it on a server under a name.</summary>
    public byte[] ParseAndSync(ReadOnlySpan<byte> name)
    {
        var bodyLength = name.Length + 1 + Definition.Length;
        var messages = new byte[MessageHeader.Size + bodyLength + MessageHeader.Size];
        MessageHeader.Write(messages, FrontendMessage.Parse, MessageHeader.MinLength + bodyLength);
        name.CopyTo(messages.AsSpan(MessageHeader.Size));
        Definition.CopyTo(messages, MessageHeader.Size + name.Length + 1);
        MessageHeader.Write(messages.AsSpan(MessageHeader.Size + bodyLength), FrontendMessage.Sync, MessageHeader.MinLength);
        return messages;
    }

    /// <summary>
    /// What its result looks like (<see cref="ShapeOf"/>) since it was first prepared; 0 = not known yet. A client that has it may rely on it.
    /// </summary>
    public ulong ResultShape { get; set; }

    /// <summary>
    /// A number that is the same for results of the same names and types of columns (equalTupleDescs() in PostgreSQL), never 0.
    /// </summary>
    /// <param name="rowDescription">Body of RowDescription; empty for NoData.</param>
    public static ulong ShapeOf(ReadOnlySpan<byte> rowDescription)
    {
        var shape = 14695981039346656037UL; // FNV-1a
        var reader = new MessageReader(rowDescription);
        reader.TrySkip(2);
        while (reader.TryReadCString(out var name) && reader.TrySkip(6) && reader.Remaining >= 12)
        {
            var type = reader.Rest[..10]; // Type, its size, its modifier; the format behind them is not of the type.
            foreach (var b in name)
                shape = (shape ^ b) * 1099511628211UL;
            foreach (var b in type)
                shape = (shape ^ b) * 1099511628211UL;
            reader.TrySkip(12);
        }
        return shape | 1;
    }

    /// <summary>Database and user (<c>ClientIdentity.PoolName</c>) for which a server has last said ParseComplete; null = none yet. Any thread.</summary>
    public string? KnownGoodFor { get; set; }

    /// <summary>Clients that know it by some name; guarded by the cache.</summary>
    internal int References { get; set; }

    /// <summary>Stands in the cache's queue of unused statements; guarded by the cache.</summary>
    internal bool IsQueued { get; set; }
}
