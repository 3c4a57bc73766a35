using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text;

namespace PgRouter.Core.Servers;

/// <summary>
/// The settings in which a session differs from a fresh connection of its user and database: name to value. Immutable; equal sets are
/// one object as long as the table of sets does not overflow, so that comparing a client's with a server's is comparing references.
/// </summary>
internal sealed class SettingsSet
{
    /// <summary>The setting that can make every transaction serializable, which a standby refuses.</summary>
    public const string Isolation = "default_transaction_isolation";

    private const string ReadOnly = "default_transaction_read_only";

    public const string SessionAuthorization = "session_authorization";

    public const string Role = "role";

    /// <summary>A value may say only a half of it: the other half stays what it was.</summary>
    public const string DateStyle = "datestyle";

    /// <summary>While it is on, SET puts every element of a list of names in quotes.</summary>
    private const string QuoteAll = "quote_all_identifiers";

    /// <summary>Who the session is, in the order to set: a new session authorization ends a role.</summary>
    private static readonly string[] Identity = [SessionAuthorization, Role];

    /// <summary>Settings that cannot change what the text of a statement means.</summary>
    private static readonly string[] Harmless =
    [
        "application_name", "client_min_messages", "deadlock_timeout", "extra_float_digits", "idle_in_transaction_session_timeout",
        "idle_session_timeout", "jit", "lock_timeout", "log_min_messages", "statement_timeout", "synchronous_commit", "work_mem",
    ];

    private const int MaxInterned = 16 * 1024;
    private static readonly ConcurrentDictionary<string, SettingsSet> Interned = new();

    private readonly ImmutableSortedDictionary<string, SettingValue> _values;
    private readonly string _key;

    private SettingsSet(ImmutableSortedDictionary<string, SettingValue> values, string key)
    {
        _values = values;
        _key = key;
        SetsIsolation = values.ContainsKey(Isolation);
        QuotesAllNames = values.TryGetValue(QuoteAll, out var quotes) && !IsOff(quotes.Text);
        DefaultIsolation = SetsIsolation ? PlainValue(values[Isolation]) : null;
        DefaultsToReadOnly = values.TryGetValue(ReadOnly, out var readOnly) ? IsOn(PlainValue(readOnly)) : null;
        Meaning = string.Concat(values.Where(v => !Harmless.Contains(v.Key)).Select(v => $"{v.Key}{(v.Value.IsExpression ? '=' : ':')}{v.Value.Text}\0"));
    }

    public static SettingsSet Empty { get; } = Intern(ImmutableSortedDictionary<string, SettingValue>.Empty);

    public int Count => _values.Count;

    /// <summary>Characters of all names and values.</summary>
    public int Length => _key.Length;

    /// <summary>
    /// A text that is the same for sets under which a statement's text means the same: search_path, but also how literals, dates and intervals
    /// in it are read, and its encoding. Only settings known to be harmless are left out; empty when nothing else is set.
    /// </summary>
    public string Meaning { get; }

    /// <summary>default_transaction_isolation is set.</summary>
    public bool SetsIsolation { get; }

    /// <summary>quote_all_identifiers is on.</summary>
    public bool QuotesAllNames { get; }

    /// <summary>The level of every transaction that does not say otherwise, in lower case; null when nothing is set.</summary>
    public string? DefaultIsolation { get; }

    /// <summary>Every transaction that does not say otherwise is READ ONLY, by default_transaction_read_only; null when it is not set.</summary>
    public bool? DefaultsToReadOnly { get; }

    public static SettingsSet Of(IEnumerable<KeyValuePair<string, string>> textValues)
    {
        var builder = ImmutableSortedDictionary.CreateBuilder<string, SettingValue>(StringComparer.Ordinal);
        foreach (var (name, value) in textValues)
            builder[name.ToLowerInvariant()] = new SettingValue(value, IsExpression: false);
        return Intern(builder.ToImmutable());
    }

    /// <summary>With one setting set by <c>SET name TO expression</c>.</summary>
    public SettingsSet With(string name, string expression) => Intern(_values.SetItem(name, new SettingValue(expression, IsExpression: true)));

    /// <summary>With one setting to a value as text.</summary>
    public SettingsSet WithText(string name, string value) => Intern(_values.SetItem(name, new SettingValue(value, IsExpression: false)));

    /// <summary>With one setting as it is in another set, or gone when it is not there (RESET to the start-up value).</summary>
    public SettingsSet WithFrom(string name, SettingsSet origin) =>
        Intern(origin._values.TryGetValue(name, out var value) ? _values.SetItem(name, value) : _values.Remove(name));

    public bool Contains(string name) => _values.ContainsKey(name);

    public bool SameAs(SettingsSet other) => ReferenceEquals(this, other) || _key == other._key;

    /// <summary>Only role and session authorization of this set, the rest from another.</summary>
    public SettingsSet OnlyIdentity(SettingsSet others)
    {
        var values = others._values;
        foreach (var name in Identity)
            values = _values.TryGetValue(name, out var value) ? values.SetItem(name, value) : values.Remove(name);
        return Intern(values);
    }

    /// <summary>
    /// The text that brings a session with these settings to <paramref name="wanted"/>: one simple query, one implicit transaction. Who the session
    /// is goes back first and forward last, so that everything else is set with the rights of the login.
    /// </summary>
    public string ScriptTo(SettingsSet wanted)
    {
        var script = new StringBuilder();
        var identityDiffers = Identity.Any(name => ValueOf(name) != wanted.ValueOf(name));
        if (identityDiffers)
        {
            foreach (var name in Identity.Reverse().Where(Contains))
                AppendReset(script, name);
        }
        foreach (var name in _values.Keys.Where(name => !Identity.Contains(name) && !wanted.Contains(name)))
            AppendReset(script, name);
        if (QuotesAllNames && wanted.Contains(QuoteAll))
            AppendReset(script, QuoteAll); // Lists that were set without it are set without it.
        if (ValueOf(DateStyle) is { } others && wanted.ValueOf(DateStyle) is { } own && own != others)
            AppendReset(script, DateStyle);
        foreach (var (name, value) in wanted._values)
        {
            if (!Identity.Contains(name) && name != QuoteAll && ValueOf(name) != value)
                AppendSet(script, name, value);
        }
        if (wanted.ValueOf(QuoteAll) is { } quoteAll && (QuotesAllNames || ValueOf(QuoteAll) != quoteAll))
            AppendSet(script, QuoteAll, quoteAll);
        if (identityDiffers)
        {
            foreach (var name in Identity.Where(wanted.Contains))
                AppendSet(script, name, wanted._values[name]);
        }
        return script.ToString();
    }

    private static bool IsOff(string text) => text.Trim('\'').ToLowerInvariant() is "off" or "of" or "false" or "fals" or "fal" or "fa" or "f" or "no" or "n" or "0";

    /// <summary>A boolean that is certainly true, in lower case.</summary>
    public static bool IsOn(string value) => value is "on" or "true" or "yes" or "1" or "t" or "y";

    /// <summary>The value as text, or what stands behind SET name TO; null when it is not set.</summary>
    public string? TextOf(string name) => _values.TryGetValue(name, out var value) ? value.Text : null;

    private SettingValue? ValueOf(string name) => _values.TryGetValue(name, out var value) ? value : null;

    /// <summary>A value of one word or literal, in lower case.</summary>
    private static string PlainValue(SettingValue value) => (value.IsExpression ? value.Text.Trim('\'') : value.Text).Trim().ToLowerInvariant();

    private static void AppendReset(StringBuilder script, string name) => script.Append("RESET ").Append(QuoteName(name)).Append(';');

    private static void AppendSet(StringBuilder script, string name, SettingValue value)
    {
        if (value.IsExpression)
            script.Append("SET ").Append(QuoteName(name)).Append(" TO ").Append(value.Text).Append(';');
        else
            script.Append("SELECT pg_catalog.set_config(").Append(QuoteLiteral(name)).Append(',').Append(QuoteLiteral(value.Text)).Append(",false);");
    }

    private static SettingsSet Intern(ImmutableSortedDictionary<string, SettingValue> values)
    {
        var key = new StringBuilder();
        foreach (var (name, value) in values)
            key.Append(name).Append(value.IsExpression ? '\u0001' : '\u0002').Append(value.Text).Append('\0');
        var text = key.ToString();
        if (Interned.TryGetValue(text, out var known))
            return known;
        if (Interned.Count >= MaxInterned)
            Interned.Clear();
        return Interned.GetOrAdd(text, static (k, v) => new SettingsSet(v, k), values);
    }

    /// <summary>Each part of a name (extension.setting) as a quoted identifier.</summary>
    public static string QuoteName(string name) => string.Join('.', name.Split('.').Select(part => $"\"{part.Replace("\"", "\"\"")}\""));

    /// <summary>A literal that reads the same whatever standard_conforming_strings is.</summary>
    private static string QuoteLiteral(string text)
    {
        var quoted = text.Replace("'", "''");
        return text.Contains('\\') ? $"E'{quoted.Replace("\\", "\\\\")}'" : $"'{quoted}'";
    }

    private readonly record struct SettingValue(string Text, bool IsExpression);
}
