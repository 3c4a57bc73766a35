using PgRouter.Sql;

namespace PgRouter.Core.Catalog;

/// <summary>
/// Bodies read at the last load and at this one, so that a refresh reads only what changed. One load at a time.
/// </summary>
internal sealed class BodyMemory
{
    private Dictionary<(BodyLanguage Language, string Text), RoutineBody> _last = [];
    private Dictionary<(BodyLanguage Language, string Text), RoutineBody> _now = [];

    /// <summary>A load begins: what the one before the last read is forgotten.</summary>
    public void Begin()
    {
        _last = _now;
        _now = [];
    }

    public RoutineBody Read(BodyLanguage language, string text)
    {
        var key = (language, text);
        if (!_now.TryGetValue(key, out var body))
            _now.Add(key, body = _last.GetValueOrDefault(key) ?? BodyReader.Read(language, text));
        return body;
    }
}
