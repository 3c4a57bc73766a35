using PgRouter.Protocol;

namespace PgRouter.Core.Authentication;

/// <summary>One line of a password file: a user with or without a secret, or a mistake.</summary>
internal sealed record PasswordLine(string User, PasswordSecret? Secret, string? Mistake)
{
    public static PasswordLine Wrong(string mistake) => new("", null, mistake);

    /// <summary>
    /// Reads a secret in the forms pg_authid.rolpassword has: md5 hash, SCRAM verifier, and otherwise a plain password. A verifier that is
    /// damaged is a
    /// mistake rather than a plain password: nobody chose it as one.
    /// </summary>
    public static PasswordLine FromStored(string user, string secret)
    {
        if (Md5Password.IsHash(secret))
            return new PasswordLine(user, PasswordSecret.FromMd5(secret), null);
        if (!secret.StartsWith(ScramVerifier.Prefix, StringComparison.Ordinal))
            return new PasswordLine(user, PasswordSecret.FromPlain(secret), null);
        return ScramVerifier.TryParse(secret, out var verifier)
            ? new PasswordLine(user, PasswordSecret.FromScram(verifier!), null)
            : Wrong($"the SCRAM-SHA-256 verifier of user \"{user}\" is damaged (or has more than {ScramClient.MaxIterations} iterations); "
                + "copy rolpassword from pg_authid again");
    }

    public override string ToString() => Mistake ?? $"PasswordLine({User}, {Secret})";
}
