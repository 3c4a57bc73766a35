using System.Text.RegularExpressions;
using NUnit.Framework;

namespace PgRouter.Tests.Architecture;

/// <summary>The walls of docs/architecture.md. Each test names the files that cross one.</summary>
[TestFixture]
internal sealed class ArchitectureTests
{
    private static readonly IReadOnlyList<SourceFile> Files = SourceFile.All();
    private static readonly string[] ControlPlane = ["Catalog", "Consistency", "Health", "Failover", "Users"];

    /// <summary>Crossings that stand today, each with what would end it. A debt that was paid must be struck from this list.</summary>
    private static readonly Dictionary<string, string> KnownDebts = new()
    {
        ["PgRouter.Core/Servers/ServerConnection.cs -> Pooling"] = "holds its one lease object; an interface in Servers would do",
        ["PgRouter.Core/Servers/ServerDrain.cs -> Pooling"] = "ends a lease; it belongs into Pooling",
        ["PgRouter.Core/Authentication/ServerConnector.cs -> Pooling"] = "implements IServerConnector, whose place is Servers",
    };

    /// <summary>System calls outside Transport: one call each, of the process and not of the data path.</summary>
    private static readonly string[] SystemCallExceptions =
    [
        "PgRouter.Core/Hosting/ProcessSignal.cs", // kill(2) on the own process
        "PgRouter.Server/Demo/PostgresPrograms.cs", // geteuid(2): PostgreSQL does not start as root
        "PgRouter.Server/Processes/ISignalSender.cs", // kill(2) on the process in the pid file
        "PgRouter.Server/Processes/PidFile.cs", // open(2) with O_EXCL and a mode
        "PgRouter.Sql/LibPgQuery.cs", // the parser's binding
    ];

    /// <summary>Waits that are not on a loop.</summary>
    private static readonly string[] DelayExceptions =
    [
        "PgRouter.Core/Hosting/ConsoleVerbs.cs", // PAUSE, KILL, SUSPEND and WAIT_CLOSE look until it is so
        "PgRouter.Core/Hosting/RouterInstance.cs", // waits for the last client at shutdown
        "PgRouter.Core/Health/NodeWatch.cs", // the pause between two probes, on the given clock
        "PgRouter.Core/Consistency/TickKeeper.cs", // the pause between two questions for a position
        "PgRouter.Server/Processes/RunningRouter.cs", // waits for another process to end
    ];

    [Test]
    public void Every_room_is_seen() => Assert.That(
        Files.Where(file => file.Project == "PgRouter.Core").Select(file => file.Room).Distinct(),
        Is.SupersetOf("Transport Catalog Sessions Routing Pooling Servers Relay Cluster Health Admin Configuration".Split(' ')));

    [TestCase("PgRouter.Protocol")]
    [TestCase("PgRouter.Sql")]
    public void Protocol_and_Sql_know_the_base_library_only(string project) =>
        AssertNone(
            In(project),
            file => file.Names("System.Net.Sockets") || Usings(file).Any(name => !IsWithin(name, "System") && !IsWithin(name, project)));

    [TestCase("Routing", "Pooling")]
    [TestCase("Pooling", "Routing")]
    [TestCase("Pooling", "Sessions")]
    [TestCase("Pooling", "Relay")]
    [TestCase("Notifications", "Sessions")]
    [TestCase("Notifications", "Routing")]
    [TestCase("Notifications", "Relay")]
    [TestCase("Notifications", "Authentication")]
    [TestCase("Pooling", "Notifications")]
    [TestCase("Servers", "Notifications")]
    [TestCase("Relay", "Notifications")]
    [TestCase("Admin", "Notifications")]
    [TestCase("Servers", "Sessions")]
    [TestCase("Servers", "Routing")]
    [TestCase("Servers", "Relay")]
    [TestCase("Servers", "Pooling")]
    [TestCase("Authentication", "Sessions")]
    [TestCase("Authentication", "Routing")]
    [TestCase("Authentication", "Pooling")]
    [TestCase("Relay", "Sessions")]
    [TestCase("Relay", "Pooling")]
    [TestCase("Relay", "Routing")]
    [TestCase("Users", "Sessions")]
    [TestCase("Users", "Pooling")]
    [TestCase("Users", "Servers")]
    [TestCase("Users", "Transport")]
    [TestCase("Authentication", "Users")]
    [TestCase("Sessions", "Users")]
    [TestCase("Health", "Pooling")]
    [TestCase("Health", "Sessions")]
    [TestCase("Health", "Routing")]
    [TestCase("Admin", "Sessions")]
    [TestCase("Admin", "Pooling")]
    [TestCase("Admin", "Servers")]
    [TestCase("Admin", "Transport")]
    [TestCase("Admin", "Routing")]
    [TestCase("Listening", "Routing")]
    [TestCase("Listening", "Pooling")]
    public void A_room_does_not_see_another(string room, string other) => AssertNone(
        Core(room).Where(file => !KnownDebts.ContainsKey($"{file} -> {other}")), file => Sees(file, other));

    /// <summary>Rooms that know values only, and what values.</summary>
    [TestCase("Transport", "")]
    [TestCase("Configuration", "Cluster")]
    [TestCase("Cluster", "Configuration")]
    [TestCase("Routing", "Cluster Configuration")]
    [TestCase("Telemetry", "Cluster")]
    [TestCase("Catalog", "Cluster Configuration Encryption Telemetry")]
    [TestCase("Encryption", "Cluster Configuration Transport")]
    [TestCase("Consistency", "Catalog Cluster Encryption Telemetry")]
    public void A_low_room_sees_only_the_rooms_it_is_built_on(string room, string allowed)
    {
        var seen = allowed.Split(' ').Append(room).ToHashSet();
        AssertNone(Core(room), file => Rooms().Any(other => !seen.Contains(other) && Sees(file, other)));
    }

    [TestCase("Routing")]
    [TestCase("Cluster")]
    public void Rooms_of_values_do_no_input_or_output(string room) => AssertNone(
        Core(room),
        file => file.Names("System.Net.Sockets") || file.Names("System.IO")
            || Regex.IsMatch(file.Code, @"\b(File|Directory|Socket|Task)\.|\basync\b"));

    [Test]
    public void Routing_reads_no_clock_and_draws_no_number() =>
        AssertNone(
            Core("Routing"),
            file => Regex.IsMatch(file.Code, @"\b(DateTime|DateTimeOffset|TimeProvider|Stopwatch|TickCount64?|Random)\b"));

    [Test]
    public void Npgsql_and_Polly_stay_in_the_control_plane() => AssertNone(
        // "pgrouter show" is a client of the router like any other; DriverTls tells the control plane's driver how to encrypt.
        Files.Where(file => (file.Project != "PgRouter.Core" || !ControlPlane.Contains(file.Room))
            && !file.Path.EndsWith("/ShowCommand.cs") && !file.Path.EndsWith("/Encryption/DriverTls.cs")),
        file => file.Names("Npgsql") || file.Names("Polly"));

    [Test]
    public void System_calls_and_unsafe_code_stay_in_Transport() => AssertNone(
        Files.Where(file => !(file.Project == "PgRouter.Core" && file.Room == "Transport") && !SystemCallExceptions.Contains(file.Path)),
        file => Regex.IsMatch(file.Code, @"\[\s*(DllImport|LibraryImport)\b|\bunsafe\b|\bfixed\s*\("));

    [Test]
    public void The_only_room_with_sockets_is_Transport() => AssertNone(
        // Health probes; Listening asks whether a Unix socket file that is there is alive.
        In("PgRouter.Core").Where(file => file.Room is not ("Transport" or "Health" or "Listening")),
        file => Regex.IsMatch(file.Code, @"\bnew (Socket|TcpClient|NetworkStream)\b"));

    [Test]
    public void Nothing_sleeps() => AssertNone(
        Files.Where(file => !DelayExceptions.Contains(file.Path)), file => Regex.IsMatch(file.Code, @"\bThread\.Sleep\b|\bTask\.Delay\b"));

    [Test]
    public void No_exception_is_swallowed_unseen() =>
        AssertNone(Files, file => Regex.IsMatch(file.Code, @"\bcatch\s*(\(\s*Exception\s*\))?\s*\{\s*\}"));

    [Test]
    public void The_namespace_of_a_file_is_its_folder() =>
        AssertNone(
            // This folder holds the class SaslPrep, which a namespace of the same name would hide.
            Files.Where(file => file.Folder != "PgRouter.Protocol/SaslPrep"),
            file => file.Namespace is not null && file.Namespace != file.Folder.Replace('/', '.'));

    [Test]
    public void A_file_has_fewer_than_700_lines() => AssertNone(Files, file => file.LineCount >= 700);

    [Test]
    public void A_debt_that_was_paid_is_struck_from_the_list()
    {
        var paid = KnownDebts.Keys.Where(debt =>
        {
            var (path, room) = (debt.Split(" -> ")[0], debt.Split(" -> ")[1]);
            return Files.FirstOrDefault(file => file.Path == path) is not { } file || !Sees(file, room);
        });
        Assert.That(paid, Is.Empty);
    }

    [Test]
    public void An_exception_that_is_not_needed_any_more_is_struck_from_its_list() =>
        Assert.That(SystemCallExceptions.Concat(DelayExceptions).Where(path => Files.All(file => file.Path != path)), Is.Empty);

    private static IEnumerable<SourceFile> In(string project) => Files.Where(file => file.Project == project);

    private static IEnumerable<SourceFile> Core(string room) => In("PgRouter.Core").Where(file => file.Room == room);

    /// <summary>By a using, by a full name, or by a name that begins with the room: Cluster.NodeConfig.</summary>
    private static bool Sees(SourceFile file, string room)
    {
        if (!file.Code.Contains(room + ".", StringComparison.Ordinal) && !file.Code.Contains("." + room, StringComparison.Ordinal))
            return false;
        var types = string.Join('|', Core(room).SelectMany(other => other.Types()).Distinct());
        return file.Names($"PgRouter.Core.{room}") || (types.Length > 0 && Regex.IsMatch(file.Code, $@"(?<![\w.]){room}\.({types})\b"));
    }

    private static IEnumerable<string> Rooms() => In("PgRouter.Core").Select(file => file.Room).Where(room => room.Length > 0).Distinct();

    private static bool IsWithin(string name, string space) => name == space || name.StartsWith(space + ".", StringComparison.Ordinal);

    private static IEnumerable<string> Usings(SourceFile file) =>
        Regex.Matches(file.Code, @"^(?:global )?using (?:static )?([\w.]+);", RegexOptions.Multiline)
            .Select(match => match.Groups[1].Value);

    private static void AssertNone(IEnumerable<SourceFile> files, Func<SourceFile, bool> crosses) =>
        Assert.That(files.Where(crosses).Select(file => file.Path), Is.Empty);
}
