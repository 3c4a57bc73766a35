using PgRouter.Core.Admin;
using PgRouter.Core.Authentication;
using PgRouter.Core.Cluster;
using PgRouter.Core.Encryption;
using PgRouter.Core.Pooling;
using PgRouter.Core.Servers;
using PgRouter.Protocol;

namespace PgRouter.Core.Sessions;

/// <summary>Who the client is: the line of pool_hba.conf or what the server asks, the secret, the exchange.</summary>
internal sealed partial class ClientLogin
{
    private bool _isSecretLookedUp;

    /// <summary>How the client was let in and by which line, for the log.</summary>
    private string _method = "";
    private string _rule = "";

    private DatabaseGates Gates => _services.Pools.Context.Gates;

    private async Task<bool> AuthenticateAsync(StartupPacket startup, ClientIdentity identity)
    {
        var request = new HbaRequest
        {
            IsLocal = IsLocal,
            IsTls = _client.Tls is not null,
            Address = _address,
            Database = identity.Database,
            User = identity.User,
            IsReplication = identity.Replication == ReplicationKind.Physical,
            Certificate = _client.Tls?.PeerCertificate is { } certificate
                ? new ClientCertificateNames(CertificateName.CommonName(certificate), CertificateName.Distinguished(certificate))
                : null,
        };
        try
        {
            var decision = _config.EnablePoolHba ? await DecideByHbaAsync(request) : await DecideByServerAsync(startup, identity, request);
            return decision is not null && await ExchangeAsync(startup, identity, decision);
        }
        catch (UserLookupException e)
        {
            Refuse(startup, ErrorMessage.Fatal(SqlStates.CannotConnectNow, $"user \"{identity.User}\" could not be looked up", hint: "See the log of the router."), e.Message);
            return false;
        }
    }

    /// <summary>With enable_pool_hba. Roles and host names are looked up only when a line asks for them. Null = the time is over.</summary>
    private async Task<ClientAuthDecision?> DecideByHbaAsync(HbaRequest request)
    {
        while (true)
        {
            var (rule, need) = _services.Logins.Hba.Current.Match(request);
            if (need == HbaAnswer.No && rule is not null)
            {
                var names = ClientAuthentication.CheckCertificate(rule, request, _services.Logins.Idents);
                if (names != HbaAnswer.NeedsRoles)
                    return await DecideByRuleAsync(rule, request, names == HbaAnswer.Yes);
                need = names;
            }
            switch (need)
            {
                case HbaAnswer.NeedsRoles:
                    var roles = _services.Users.RolesOfAsync(request.User);
                    if (!await WaitForAsync(roles))
                        return null;
                    request = request with { Roles = await roles };
                    continue;
                case HbaAnswer.NeedsHostName:
                    var name = HostNames.OfAsync(request.Address!);
                    if (!await WaitForAsync(name))
                        return null;
                    request = request with { HostName = await name };
                    continue;
                default:
                    return ClientAuthentication.Decide(null, null, request);
            }
        }
    }

    private async Task<ClientAuthDecision?> DecideByRuleAsync(HbaRule rule, HbaRequest request, bool certificateFits)
    {
        if (rule.Method is HbaMethod.Reject or HbaMethod.Ldap)
            return ClientAuthentication.Decide(rule, null, request, certificateFits);
        var (isKnown, secret) = await StoredSecretAsync(request.User);
        var mocksScram = _services.Users.KnowsSecrets || _services.Logins.Passwords.Current.IsMostlyVerifiers;
        return isKnown ? ClientAuthentication.Decide(rule, secret, request, certificateFits, mocksScram) : null;
    }

    /// <summary>With enable_pool_hba off: does the server ask this user for a password? Null = the client has its answer.</summary>
    private async Task<ClientAuthDecision?> DecideByServerAsync(StartupPacket startup, ClientIdentity identity, HbaRequest request)
    {
        var (isKnown, secret) = await StoredSecretAsync(identity.User);
        if (!isKnown)
            return null;
        var asks = identity.IsRouted
            ? await ServerAsksAsync(identity, identity.IsConsole ? _config.SrCheckDatabase : identity.Database, secret)
            : await ServerAsksForReplicationAsync(startup, identity);
        if (asks.Error is { } error)
        {
            Refuse(startup, error, error.Message);
            return null;
        }
        return asks.Asks
            ? ClientAuthentication.DecideWithoutHba(secret, request, _config.AllowClearTextFrontendAuth)
            : new ClientAuthDecision { Kind = ClientAuthKind.Trust, User = identity.User };
    }

    /// <summary>pool_passwd first, then auth_query. Not known = the time is over.</summary>
    private async Task<(bool IsKnown, PasswordSecret? Secret)> StoredSecretAsync(string user)
    {
        if (_services.Logins.Passwords.Current.Find(user) is { } stored)
            return (true, stored);
        // auth_user's own password is in the file or nowhere.
        if (!_services.Users.KnowsSecrets || user == _config.AuthUser)
            return (true, null);
        _isSecretLookedUp = true;
        var asked = _services.Users.SecretOfAsync(user);
        return await WaitForAsync(asked) ? (true, await asked) : (false, null);
    }

    /// <summary>Asked of a server once a minute at most.</summary>
    private async Task<(bool Asks, ErrorMessage? Error)> ServerAsksAsync(ClientIdentity identity, string database, PasswordSecret? secret)
    {
        if (identity.IsConsole && secret is not null)
            return (true, null);
        if (_services.Logins.AsksForPassword(database, identity.User) is { } known)
            return (known, null);
        if (!await PassGateAsync(identity))
            return (false, ClientSession.PausedTooLong(identity.Database));
        var attempt = await TryServersAsync(database, identity.User, _services.Logins.SecretFor(identity.User));
        if (attempt.Server is null && !attempt.AskedForPassword)
            return (false, attempt.Error!.Message);
        _services.Logins.NoteDemand(database, identity.User, attempt.AskedForPassword);
        return (attempt.AskedForPassword, null);
    }

    /// <summary>The same for a replication connection, for which a server may ask more; not remembered, for it is rare.</summary>
    private async Task<(bool Asks, ErrorMessage? Error)> ServerAsksForReplicationAsync(StartupPacket startup, ClientIdentity identity)
    {
        if (ReplicationStartup.ChooseNode(startup, _services.Cluster.View, out var error) is not { } node)
            return (false, error);
        var attempt = await _connector.LogInAsync(
            _host.Loop, node.Config, identity.Database, identity.User, _services.Logins.SecretFor(identity.User), ReplicationStartup.ParametersOf(startup));
        attempt.Server?.Close();
        return (attempt.AskedForPassword, attempt.Server is null && !attempt.AskedForPassword ? attempt.Error!.Message : null);
    }

    /// <summary>Waits while the database is paused, for no server is asked then; false when the client has gone or the time is over.</summary>
    private async Task<bool> PassGateAsync(ClientIdentity identity)
    {
        var gate = identity.IsConsole ? DatabaseGate.OfConsole : Gates.Find(identity.Database);
        var place = gate.Enter(_signal);
        while (gate.IsPaused && !_client.PeerClosed && !_deadline.HasPassed)
            await _signal;
        gate.Leave(place);
        return !gate.IsPaused;
    }

    /// <summary>Logs in to the first node that answers, the primary before others; a server that was opened goes to its pool.</summary>
    private async Task<ServerLoginAttempt> TryServersAsync(string database, string user, PasswordSecret? secret)
    {
        var view = _services.Cluster.View;
        var attempt = new ServerLoginAttempt(null, new PoolError(NoNode(), IsUnreachable: true), false);
        foreach (var node in view.Nodes.OrderBy(n => n.Index == view.PrimaryIndex ? -1 : n.Index))
        {
            if (!node.IsUsable)
                continue;
            attempt = await _connector.LogInAsync(_host.Loop, node.Config, database, user, secret);
            if (attempt.Server is { } server)
                _services.Pools.Get(node.Config, database, user).Adopt(server);
            if (attempt.Error is not { IsUnreachable: true })
                return attempt;
            _services.Pools.Context.ReportFault(node.Id, attempt.Error.Fault);
        }
        return attempt;
    }

    private async Task<bool> ExchangeAsync(StartupPacket startup, ClientIdentity identity, ClientAuthDecision decision)
    {
        var exchange = new ClientAuthExchange(decision, _services.Logins.Mock) { Binding = _binding };
        _method = MethodOf(decision);
        _rule = decision.Rule?.ToString() ?? "none";
        var step = exchange.Start(_writer);
        while (step == ClientAuthStep.Continue)
        {
            Flush();
            if (await ReadPasswordMessageAsync() is not { } body)
                return false;
            if (exchange.MayTakeLong)
                await _services.Work.RunAsync(() => step = exchange.Feed(body, _writer), _signal);
            else
                step = exchange.Feed(body, _writer);
        }
        Flush();
        if (step == ClientAuthStep.Failure)
        {
            NoteFailure(identity);
            Refuse(startup, exchange.Error!, ReasonOf(exchange.LogReason, decision));
            return false;
        }
        if (decision.Ldap is { } ldap && !await LdapTakesAsync(startup, identity, decision, ldap, exchange.ServerSecret!))
            return false;
        if (decision.IsVerifiedByServer && !await ServerTakesAsync(startup, identity, exchange.ServerSecret!))
            return false;
        if (decision is { Kind: not ClientAuthKind.Trust, IsVerifiedByServer: false } && exchange.ServerSecret is { } shown)
            _services.Logins.Learn(identity.User, shown);
        return true;
    }

    /// <summary>allow_clear_text_frontend_auth: the password is right if it was right before, or if a server takes it.</summary>
    private async Task<bool> ServerTakesAsync(StartupPacket startup, ClientIdentity identity, PasswordSecret shown)
    {
        shown.TryGetPlain(out var password);
        if (_services.Logins.LearnedSecret(identity.User) is { } learned && learned.Fits(identity.User, password))
            return true;
        if (!await PassGateAsync(identity))
        {
            Refuse(startup, ClientSession.PausedTooLong(identity.Database), "paused");
            return false;
        }
        var database = identity.IsConsole || identity.Replication == ReplicationKind.Physical ? _config.SrCheckDatabase : identity.Database;
        var attempt = await TryServersAsync(database, identity.User, shown);
        if (attempt.Error is { } error)
        {
            if (!error.IsUnreachable)
                NoteFailure(identity);
            Refuse(startup, error.Message, error.Message.Message);
            return false;
        }
        _services.Logins.Learn(identity.User, shown);
        return true;
    }

    private async Task<bool> LdapTakesAsync(
        StartupPacket startup, ClientIdentity identity, ClientAuthDecision decision, LdapOptions options, PasswordSecret shown)
    {
        shown.TryGetPlain(out var password);
        var asked = LdapBind.CheckAsync(options, identity.User, password);
        if (!await WaitForAsync(asked))
            return false;
        if (await asked is not { } reason)
            return true;
        NoteFailure(identity);
        Refuse(
            startup, ErrorMessage.Fatal(SqlStates.InvalidAuthorizationSpecification, $"LDAP authentication failed for user \"{identity.User}\""),
            ReasonOf(reason, decision));
        return false;
    }

    private static string MethodOf(ClientAuthDecision decision) => decision switch
    {
        { Rule.Method: HbaMethod.Cert } => "cert",
        { Ldap: not null } => "ldap",
        { IsVerifiedByServer: true } => "password, verified by a server",
        { Kind: ClientAuthKind.ClearText } => "password",
        { Kind: ClientAuthKind.Scram } => "scram-sha-256",
        _ => decision.Kind.ToString().ToLowerInvariant(),
    };

    private void NoteFailure(ClientIdentity identity)
    {
        if (_isSecretLookedUp)
            _services.Users.Doubt(identity.User);
        if (_address is not null)
            _services.Addresses.NoteFailure(_address, _config.MaxLoginFailures);
    }

    /// <summary>Waits for what is done elsewhere. False when the client has gone, or the time is over and the client was told.</summary>
    private async Task<bool> WaitForAsync(Task task)
    {
        _ = task.ContinueWith(
            static (_, state) => ((Transport.Signal)state!).Loop.Post(static signal => ((Transport.Signal)signal!).Set(), state),
            _signal, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        while (!task.IsCompleted)
        {
            if (_client.PeerClosed)
                return false;
            if (_deadline.HasPassed)
            {
                SendTimeout();
                return false;
            }
            await _signal;
        }
        return true;
    }

    /// <summary>For the log: also the line that decided.</summary>
    private static string ReasonOf(string reason, ClientAuthDecision decision) => decision.Rule is { } rule ? $"{reason}; matched {rule}" : reason;

    private async Task<byte[]?> ReadPasswordMessageAsync()
    {
        while (true)
        {
            if (MessageHeader.TryRead(_input.Span, out var type, out var length))
            {
                if (type != FrontendMessage.PasswordMessage || length is < MessageHeader.MinLength or > ClientAuthExchange.MaxPasswordLength + 4)
                {
                    Send(ErrorMessage.Fatal(SqlStates.ProtocolViolation, $"expected password response, got message type {type}"));
                    return null;
                }
                if (_input.Count > length)
                {
                    var body = _input.Span.Slice(MessageHeader.Size, length - 4).ToArray();
                    _input.Consume(length + 1);
                    return body;
                }
            }
            if (!await ReadAsync())
                return null;
        }
    }
}
