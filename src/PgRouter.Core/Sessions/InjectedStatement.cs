using System.Text;
using PgRouter.Core.Servers;
using PgRouter.Protocol;

namespace PgRouter.Core.Sessions;

/// <summary>
/// A statement of the router's own choice that goes in front of a client's request in one send with it, by Bind and Execute of a prepared
/// statement: should it fail, the server skips the request. Immutable. Any thread.
/// </summary>
internal sealed class InjectedStatement
{
    /// <param name="statement">The statement, without parameters and rows.</param>
    /// <param name="portal">Name of its portal.</param>
    public InjectedStatement(PreparedStatement statement, string portal)
    {
        Statement = statement;
        var writer = new MessageWriter();
        writer.Begin(FrontendMessage.Bind);
        writer.WriteCString(portal);
        writer.WriteBytes([.. statement.ServerName, 0, 0, 0, 0, 0, 0, 0]);
        writer.End();
        writer.Begin(FrontendMessage.Execute);
        writer.WriteCString(portal);
        writer.WriteInt32(0);
        writer.End();
        writer.Begin(FrontendMessage.Close);
        writer.WriteBytes("P"u8);
        writer.WriteCString(portal);
        writer.End();
        Messages = writer.WrittenSpan.ToArray();
    }

    public PreparedStatement Statement { get; }

    /// <summary>The same for a simple query.</summary>
    public string Text => Encoding.UTF8.GetString(Statement.Definition.AsSpan(0, Statement.Definition.AsSpan().IndexOf((byte)0)));

    /// <summary>The messages Bind and Execute, and Close: pg_cursors shows portals.</summary>
    public byte[] Messages { get; }
}
