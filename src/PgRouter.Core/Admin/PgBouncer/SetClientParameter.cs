using PgRouter.Core.Admin.Pgpool;

namespace PgRouter.Core.Admin.PgBouncer;

/// <summary>
/// SET name TO value in the console: settings of a client that drivers send at connect are accepted and have no effect; those that would
/// change an answer are accepted with the one value the console has; settings of the router are refused.
/// </summary>
internal sealed class SetClientParameter() : AdminCommand(
    AdminDialect.PgBouncer, "SET", "for drivers: settings of the client, without effect")
{
    public override string Syntax => "SET name TO value";

    public override bool IsHidden => true;

    public override IReadOnlyList<AdminColumn>? Describe(AdminCall call) => null;

    public override ValueTask<AdminResult> RunAsync(AdminCall call, CancellationToken cancellationToken) =>
        ValueTask.FromResult(Refusal(call) is { } refusal ? AdminErrors.Refuse(refusal) : new AdminResult { Tag = "SET" });

    private AdminError? Refusal(AdminCall call)
    {
        var words = call.Arguments.Count > 0 && IsScope(call.Arguments[0]) ? call.Arguments.Skip(1).ToList() : call.Arguments;
        if (words.Count < 3 || !(words[1] == "=" || Is(words[1], "TO")))
            return new AdminError(AdminErrors.SyntaxError, "SET needs a name and a value", $"Write {Syntax}.");
        var (name, value) = (words[0], words[2]);
        if (ConsoleParameters.Settable.Contains(name, StringComparer.OrdinalIgnoreCase))
            return null;
        if (Is(name, "client_encoding"))
            return OnlyValue(name, value, "UTF8", Is(value.Replace("-", "", StringComparison.Ordinal), "UTF8") || Is(value, "UNICODE"));
        if (Is(name, "DateStyle"))
            return OnlyValue(name, value, "ISO", value.StartsWith("ISO", StringComparison.OrdinalIgnoreCase));
        if (Is(name, "standard_conforming_strings"))
            return OnlyValue(name, value, "on", Is(value, "on"));
        return PgpoolShow.Find(call, name) is null
            ? PgpoolShow.UnknownSetting(call, name)
            : new AdminError(AdminErrors.FeatureNotSupported,
                $"SET {name} is not supported in the console", "Change it in pgpool.conf, then RELOAD.");
    }

    private static AdminError? OnlyValue(string name, string value, string only, bool isAccepted) => isAccepted
        ? null
        : new AdminError(AdminErrors.InvalidParameterValue, $"the console cannot set {name} to \"{value}\"", $"It only knows {only}.");

    private static bool IsScope(string word) => Is(word, "SESSION") || Is(word, "LOCAL");

    private static bool Is(string word, string other) => word.Equals(other, StringComparison.OrdinalIgnoreCase);
}
