using PgRouter.Core.Configuration;

namespace PgRouter.Server.CommandLine;

/// <summary>Prints what a configuration came to.</summary>
internal static class ConfigReport
{
    public static void Print(ConfigResult result, TextWriter output)
    {
        foreach (var warning in result.Warnings)
            output.WriteLine($"WARNING:  {warning}");
        foreach (var mistake in result.Mistakes)
            output.WriteLine($"ERROR:  {mistake}");
        if (result.Mistakes.Count > 0)
            output.WriteLine($"HINT:  the configuration has {result.Mistakes.Count} mistake(s); nothing was changed");
    }
}
