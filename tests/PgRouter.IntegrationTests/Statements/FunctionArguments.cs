using System.Text.RegularExpressions;

namespace PgRouter.IntegrationTests.Statements;

/// <summary>Values for the arguments of functions, from FunctionArguments.txt.</summary>
internal sealed class FunctionArguments
{
    private const string Separator = " ;; ";

    private readonly List<(Regex Pattern, Dictionary<string, string[]> Values)> _sections = [];

    public FunctionArguments()
    {
        foreach (var line in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Statements", "FunctionArguments.txt")))
        {
            if (line.StartsWith('['))
                _sections.Add((new Regex($"^({line[1..^1]})$"), []));
            else if (line.Length > 0 && !line.StartsWith('#'))
            {
                var equals = line.IndexOf(" = ", StringComparison.Ordinal);
                _sections[^1].Values.Add(line[..equals], line[(equals + 3)..].Split(Separator));
            }
        }
    }

    /// <summary>
    /// Calls of a function with different arguments. The values of a type are taken in their order; turned by one in the second call; turned for texts
    /// only in the third; the last has nulls alone.
    /// </summary>
    public IEnumerable<string> CallsOf(ServerRoutine routine)
    {
        var calls = new List<string> { Call(routine, _ => 0), Call(routine, _ => 1), Call(routine, type => type == "text" ? 1 : 0) };
        if (!routine.IsStrict || routine.Kind != 'f')
            calls.Add(routine.Write([.. routine.ArgumentTypes.Select(type => $"NULL::{CastType(type)}")]));
        return calls.Distinct();
    }

    private string Call(ServerRoutine routine, Func<string, int> turn)
    {
        var seen = new Dictionary<string, int>();
        var arguments = new List<string>();
        foreach (var type in routine.ArgumentTypes)
        {
            var index = seen.GetValueOrDefault(type);
            seen[type] = index + 1;
            var values = ValuesOf(routine.Name, type);
            arguments.Add(values.Length == 0 ? "NULL" : values[(index + turn(type)) % values.Length]);
        }

        return routine.Write(arguments);
    }

    private string[] ValuesOf(string name, string type)
    {
        foreach (var (pattern, values) in _sections)
        {
            if (pattern.IsMatch(name) && values.TryGetValue(type, out var found))
                return found;
        }

        return [];
    }

    /// <summary>A null of a pseudo-type cannot be written.</summary>
    private static string CastType(string type) => type switch
    {
        "\"any\"" or "internal" or "void" or "unknown" or "record" => "text",
        "anyelement" or "anynonarray" or "anycompatible" or "anycompatiblenonarray" => "int",
        "anyarray" or "anycompatiblearray" => "int[]",
        "anyrange" or "anycompatiblerange" => "int4range",
        "anymultirange" or "anycompatiblemultirange" => "int4multirange",
        "anyenum" => "mood",
        _ when type.StartsWith("any", StringComparison.Ordinal) || type.EndsWith("handler", StringComparison.Ordinal) => "text",
        "trigger" or "event_trigger" => "text",
        _ => type,
    };
}
