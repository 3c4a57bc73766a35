namespace PgRouter.Core.Admin;

/// <summary>SQLSTATEs of the consoles (PostgreSQL manual, appendix A) and refusals made of them.</summary>
internal static class AdminErrors
{
    public const string SyntaxError = "42601";
    public const string UndefinedObject = "42704";
    public const string ObjectNotInPrerequisiteState = "55000";
    public const string InsufficientPrivilege = "42501";
    public const string FeatureNotSupported = "0A000";
    public const string InvalidParameterValue = "22023";
    public const string QueryCanceled = "57014";
    public const string ConfigFileError = "F0000";

    public static AdminResult Refuse(string sqlState, string message, string? hint = null) =>
        Refuse(new AdminError(sqlState, message, hint));

    public static AdminResult Refuse(AdminError error) => new() { Error = error };

    /// <summary>A word too many.</summary>
    public static AdminResult Unexpected(string word, string command) =>
        Refuse(SyntaxError, $"syntax error at or near \"{word}\"", $"The command ends after {command}.");
}
