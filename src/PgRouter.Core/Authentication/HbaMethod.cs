namespace PgRouter.Core.Authentication;

/// <summary>METHOD of pool_hba.conf.</summary>
internal enum HbaMethod : byte
{
    Trust,
    Reject,
    Md5,
    ScramSha256,
    Password,
    Cert,
    Ldap,
}

/// <summary>TYPE of pool_hba.conf.</summary>
internal enum HbaConnectionType : byte
{
    Local,
    Host,
    HostSsl,
    HostNoSsl,
}
