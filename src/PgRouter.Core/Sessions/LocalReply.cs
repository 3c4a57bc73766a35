using System.Text;
using PgRouter.Core.Servers;
using PgRouter.Protocol;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>Bytes of the router's own at a place in the plan, and what to take back when an error before them makes them not happen.</summary>
internal sealed class LocalReply(byte[] bytes)
{
    public byte[] Bytes { get; } = bytes;

    /// <summary>It is an error: everything behind it up to Sync does not happen.</summary>
    public bool IsError { get; init; }

    /// <summary>The client's statement that this reply says was parsed.</summary>
    public byte[]? ParsedName { get; init; }

    /// <summary>The client's statement that this reply says was closed, to be put back.</summary>
    public byte[]? ClosedName { get; init; }

    public PreparedStatement? ClosedStatement { get; init; }

    /// <summary>The text that is carried out by this reply.</summary>
    public StatementInfo? Executed { get; init; }

    public static LocalReply Error(string code, string message, string? detail = null)
    {
        var writer = new MessageWriter();
        ErrorMessage.Error(code, message, detail).WriteErrorResponse(writer);
        return new LocalReply(writer.WrittenSpan.ToArray()) { IsError = true };
    }

    /// <summary>26000, in PostgreSQL's words.</summary>
    public static LocalReply UnknownStatement(ReadOnlySpan<byte> name) => Error(
        SqlStates.InvalidSqlStatementName,
        name.IsEmpty ? "unnamed prepared statement does not exist" : $"prepared statement \"{Encoding.UTF8.GetString(name)}\" does not exist");

    /// <summary>42P05, in PostgreSQL's words.</summary>
    public static LocalReply DuplicateStatement(ReadOnlySpan<byte> name) =>
        Error(SqlStates.DuplicatePreparedStatement, $"prepared statement \"{Encoding.UTF8.GetString(name)}\" already exists");
}
