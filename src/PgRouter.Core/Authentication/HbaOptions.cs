namespace PgRouter.Core.Authentication;

/// <summary>What a line demands of a client's certificate besides its method (clientcert).</summary>
internal enum HbaClientCertificate : byte
{
    None,

    /// <summary>A valid one.</summary>
    VerifyCa,

    /// <summary>A valid one that names the user.</summary>
    VerifyFull,
}

/// <summary>The options behind a method. Immutable.</summary>
internal sealed record HbaOptions
{
    public static readonly HbaOptions None = new();

    public HbaClientCertificate ClientCertificate { get; init; }

    /// <summary>clientname=DN: the distinguished name counts, and not the common name.</summary>
    public bool ByDistinguishedName { get; init; }

    /// <summary>map: the map of pg_ident.conf that turns names of certificates into users; empty = they must be equal.</summary>
    public string Map { get; init; } = "";

    public LdapOptions? Ldap { get; init; }
}

/// <summary>The ldap* options of a line, by PostgreSQL's names. Immutable.</summary>
internal sealed record LdapOptions
{
    /// <summary>ldapserver: one or several, tried in order.</summary>
    public IReadOnlyList<string> Servers { get; init; } = [];

    /// <summary>ldapport; 0 = 389, or 636 with ldaps.</summary>
    public int Port { get; init; }

    /// <summary>ldapscheme=ldaps.</summary>
    public bool IsLdaps { get; init; }

    /// <summary>ldaptls=1: StartTLS.</summary>
    public bool StartTls { get; init; }

    /// <summary>ldapprefix and ldapsuffix, around the user's name: simple bind.</summary>
    public string Prefix { get; init; } = "";

    public string Suffix { get; init; } = "";

    /// <summary>ldapbasedn: search and bind.</summary>
    public string BaseDn { get; init; } = "";

    public string BindDn { get; init; } = "";

    public string BindPassword { get; init; } = "";

    /// <summary>ldapsearchattribute.</summary>
    public string SearchAttribute { get; init; } = "";

    /// <summary>ldapsearchfilter, with $username.</summary>
    public string SearchFilter { get; init; } = "";

    /// <summary>base, one or sub (ldapurl).</summary>
    public string Scope { get; init; } = "sub";

    /// <summary>Without the password.</summary>
    public override string ToString() => $"ldap at {string.Join(", ", Servers)}";
}
