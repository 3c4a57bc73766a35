using PgRouter.Testing.Protocol;

namespace PgRouter.Testing.Scripts;

/// <summary>One thing that came back.</summary>
/// <param name="Line">The script line that was waiting for it.</param>
/// <param name="Connection">The connection it came on.</param>
/// <param name="Message">The message; null for the end of the connection.</param>
/// <param name="AtStartup">Whether it belongs to the login.</param>
public sealed record Reply(int Line, string Connection, RawMessage? Message, bool AtStartup)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Connection}: {Message?.ToString() ?? "(end)"}";
}

/// <summary>Everything that came back while a script was played.</summary>
/// <param name="Replies">In the order the script read them.</param>
public sealed record Transcript(IReadOnlyList<Reply> Replies)
{
    /// <summary>The replies after the login, without the connection's name.</summary>
    public IEnumerable<RawMessage?> Messages => Replies.Where(reply => !reply.AtStartup).Select(reply => reply.Message);

    /// <summary>The type bytes of the replies after the login, as one text: easy to compare. '.' stands for the end of a connection.</summary>
    public string Types => string.Concat(Messages.Select(message => message?.Type ?? '.'));

    /// <inheritdoc/>
    public override string ToString() => string.Join('\n', Replies);
}
