using PgRouter.Protocol;

namespace PgRouter.Core.Authentication;

/// <summary>Which exchange to run with a client.</summary>
internal enum ClientAuthKind : byte
{
    Trust,
    Reject,
    ClearText,
    Md5,
    Scram,
}

/// <summary>How one client has to show who it is; made by <see cref="ClientAuthentication"/>. Immutable.</summary>
internal sealed record ClientAuthDecision
{
    public required ClientAuthKind Kind { get; init; }

    public required string User { get; init; }

    /// <summary>
    /// What the answer is checked against. Null with ClearText, Md5 or Scram: the exchange runs and fails at its end, like that of a
    /// wrong password.
    /// </summary>
    public PasswordSecret? Secret { get; init; }

    /// <summary>
    /// With ClearText: nothing is known of the user, so the password is right when a server takes it
    /// (allow_clear_text_frontend_auth). The session must log in to a server before it tells the client that it is in.
    /// </summary>
    public bool IsVerifiedByServer { get; init; }

    /// <summary>With ClearText: the password is right when this directory takes it.</summary>
    public LdapOptions? Ldap { get; init; }

    /// <summary>The line of pool_hba.conf that decided; null when none did.</summary>
    public HbaRule? Rule { get; init; }

    /// <summary>With Reject: what the client is told.</summary>
    public ErrorMessage? Refusal { get; init; }

    /// <summary>For the log, never for the client: why the login cannot succeed; empty when it can.</summary>
    public string LogReason { get; init; } = "";
}
