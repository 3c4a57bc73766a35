using System.CommandLine;
using System.Globalization;
using System.Text;
using PgRouter.Core.Configuration;
using PgRouter.Core.Explaining;

namespace PgRouter.Server.CommandLine;

/// <summary>
/// <c>pgrouter explain 'SQL'</c>: where statements would run, by what the grammar and the configuration alone tell; no server is asked.
/// <c>--rules</c> prints the ladder as the table of docs/routing.md.
/// </summary>
internal static class ExplainCommand
{
    public static Command Create(Func<ParseResult, ConfigResult> load)
    {
        var statement = new Argument<string?>("SQL") { Description = "The statement.", Arity = ArgumentArity.ZeroOrOne };
        var rules = new Option<bool>("--rules") { Description = "The rules in their order, as a table." };
        var command = new Command("explain", "Tells where a statement would run and why, without a server.") { statement, rules };
        command.Validators.Add(result =>
        {
            if (result.GetValue(statement) is null && !result.GetValue(rules))
                result.AddError("explain: nothing to explain; give a statement, or --rules");
        });
        command.SetAction(parsed => parsed.GetValue(rules)
            ? PrintRules(parsed.InvocationConfiguration.Output)
            : Explain(load(parsed), parsed.GetRequiredValue(statement)!, parsed.InvocationConfiguration));
        return command;
    }

    private static int PrintRules(TextWriter output)
    {
        foreach (var line in OfflineExplanation.Rules())
            output.WriteLine(line);
        return ExitCodes.Ok;
    }

    private static int Explain(ConfigResult result, string sql, InvocationConfiguration console)
    {
        if (result.Config is not { } config)
        {
            ConfigReport.Print(result, console.Error);
            return ExitCodes.BadConfiguration;
        }
        var rows = OfflineExplanation.Of(sql, config);
        var widths = Enumerable.Range(0, 3).Select(column => rows.Max(row => row[column]?.Length ?? 0)).ToList();
        foreach (var row in rows)
        {
            var line = new StringBuilder();
            for (var i = 0; i < widths.Count; i++)
                line.Append(CultureInfo.InvariantCulture, $"{(row[i] ?? "").PadRight(widths[i])}  ");
            console.Output.WriteLine(line.Append(row[3]).ToString().TrimEnd());
        }
        return ExitCodes.Ok;
    }
}
