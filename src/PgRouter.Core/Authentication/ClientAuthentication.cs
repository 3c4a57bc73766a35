using PgRouter.Protocol;

namespace PgRouter.Core.Authentication;

/// <summary>
/// The table (HBA rule x what is known of the password) -> exchange with the client. Pure functions. What cannot succeed runs
/// as an exchange that fails at its end, so that a client cannot tell a user that is not known from a wrong password.
/// </summary>
internal static class ClientAuthentication
{
    /// <summary>
    /// Does the client's certificate name the user, as the line demands? Yes also where the line demands nothing of the kind; NeedsRoles when a map asks
    /// for them.
    /// </summary>
    public static HbaAnswer CheckCertificate(HbaRule rule, HbaRequest request, IdentMaps maps)
    {
        if (rule.Options.ClientCertificate != HbaClientCertificate.VerifyFull || request.Certificate is not { } names)
            return HbaAnswer.Yes; // A line that wants one and got none is refused for that.
        if ((rule.Options.ByDistinguishedName ? names.DistinguishedName : names.CommonName) is not { Length: > 0 } name)
            return HbaAnswer.No;
        if (rule.Options.Map.Length > 0)
            return maps.Allows(rule.Options.Map, name, request);
        return name == request.User ? HbaAnswer.Yes : HbaAnswer.No;
    }

    /// <summary>With enable_pool_hba: <paramref name="rule"/> is the first that matched, null = none, which rejects.</summary>
    /// <param name="rule">The line.</param>
    /// <param name="secret">What is stored of the user.</param>
    /// <param name="request">What the client wants.</param>
    /// <param name="certificateFits">Its certificate names the user, or need not.</param>
    /// <param name="mocksScram">Under method md5 a user that is not known looks like one with a verifier.</param>
    public static ClientAuthDecision Decide(
        HbaRule? rule, PasswordSecret? secret, HbaRequest request, bool certificateFits = true, bool mocksScram = false)
    {
        if (rule is null)
            return Reject(request, $"no pool_hba.conf entry for {Describe(request)}", "no line of pool_hba.conf matches");
        if (rule.Method == HbaMethod.Reject)
            return Reject(request, $"pool_hba.conf rejects {Describe(request, "connection for ")}", $"rejected by {rule}");
        if (rule.Options.ClientCertificate != HbaClientCertificate.None && request.Certificate is null)
            return Reject(request, "connection requires a valid client certificate", $"no certificate was shown; matched {rule}");
        if (!certificateFits)
            return RejectCertificate(rule, request);
        var decision = rule.Method switch
        {
            HbaMethod.Trust or HbaMethod.Cert => new ClientAuthDecision { Kind = ClientAuthKind.Trust, User = request.User, Secret = secret },
            HbaMethod.Password => Run(ClientAuthKind.ClearText, request.User, secret),
            HbaMethod.Md5 => DecideMd5(request.User, secret, mocksScram),
            HbaMethod.ScramSha256 => DecideScram(request.User, secret),
            HbaMethod.Ldap => new ClientAuthDecision { Kind = ClientAuthKind.ClearText, User = request.User, Ldap = rule.Options.Ldap },
            _ => throw new ArgumentOutOfRangeException(nameof(rule), rule.Method, "The method has no exchange."),
        };
        return decision with { Rule = rule };
    }

    /// <summary>
    /// Without enable_pool_hba: the strongest exchange the stored secret allows. Without a secret the password is asked for in clear text
    /// and
    /// tried on a server if <paramref name="allowClearText"/> (allow_clear_text_frontend_auth) says so; otherwise the login fails. It
    /// never trusts.
    /// </summary>
    public static ClientAuthDecision DecideWithoutHba(PasswordSecret? secret, HbaRequest request, bool allowClearText)
    {
        if (secret is null && allowClearText)
            return new ClientAuthDecision { Kind = ClientAuthKind.ClearText, User = request.User, IsVerifiedByServer = true };
        return secret?.Kind == PasswordSecretKind.Md5
            ? Run(ClientAuthKind.Md5, request.User, secret)
            : Run(ClientAuthKind.Scram, request.User, secret);
    }

    /// <summary>As in PostgreSQL, method md5 runs SCRAM for a user whose stored secret is a verifier.</summary>
    private static ClientAuthDecision DecideMd5(string user, PasswordSecret? secret, bool mocksScram)
    {
        var isScram = secret is null ? mocksScram : secret.Kind == PasswordSecretKind.Scram;
        return Run(isScram ? ClientAuthKind.Scram : ClientAuthKind.Md5, user, secret);
    }

    private static ClientAuthDecision DecideScram(string user, PasswordSecret? secret)
    {
        if (secret?.Kind != PasswordSecretKind.Md5)
            return Run(ClientAuthKind.Scram, user, secret);
        return Run(ClientAuthKind.Scram, user, null) with
        {
            LogReason = $"user \"{user}\" does not have a valid SCRAM secret: the password file has an md5 hash; "
                + "store the verifier or the password, or use method md5",
        };
    }

    private static ClientAuthDecision Run(ClientAuthKind kind, string user, PasswordSecret? secret) => new()
    {
        Kind = kind,
        User = user,
        Secret = secret,
        LogReason = secret is null ? $"user \"{user}\" has no password in the password file" : "",
    };

    /// <summary>The words PostgreSQL has for the method of the line.</summary>
    private static ClientAuthDecision RejectCertificate(HbaRule rule, HbaRequest request)
    {
        var what = rule.Method switch
        {
            HbaMethod.Trust => "\"trust\"",
            HbaMethod.Ldap => "LDAP",
            HbaMethod.Cert => "certificate",
            _ => "password",
        };
        var shown = rule.Options.ByDistinguishedName ? request.Certificate!.DistinguishedName : request.Certificate!.CommonName;
        var reason = rule.Options.Map.Length > 0 ? $"no line of the map \"{rule.Options.Map}\" lets \"{shown}\" be \"{request.User}\"" : $"the certificate is for \"{shown}\"";
        return Reject(request, $"{what} authentication failed for user \"{request.User}\"", $"{reason}; matched {rule}");
    }

    private static ClientAuthDecision Reject(HbaRequest request, string message, string logReason) => new()
    {
        Kind = ClientAuthKind.Reject,
        User = request.User,
        Refusal = ErrorMessage.Fatal(SqlStates.InvalidAuthorizationSpecification, message),
        LogReason = logReason,
    };

    /// <summary>The words of PostgreSQL's own messages on pg_hba.conf.</summary>
    private static string Describe(HbaRequest request, string connection = "")
    {
        var host = request.IsLocal ? "[local]" : request.Address?.ToString() ?? "???";
        var encryption = request.IsTls ? "SSL encryption" : "no encryption";
        if (request.IsReplication)
        {
            var words = connection.Length == 0 ? "connection from " : connection;
            return $"replication {words}host \"{host}\", user \"{request.User}\", {encryption}";
        }
        return $"{connection}host \"{host}\", user \"{request.User}\", database \"{request.Database}\", {encryption}";
    }
}
