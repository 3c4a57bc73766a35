using System.Runtime.CompilerServices;
using NUnit.Framework;
using PgRouter.Core.Configuration;

namespace PgRouter.Tests.Configuration;

/// <summary>A directory of configuration files that is removed at the end of a test.</summary>
internal sealed class ConfigFiles : IDisposable
{
    public static readonly IReadOnlyDictionary<string, string> NoEnvironment = new Dictionary<string, string>();

    private readonly DirectoryInfo _directory = System.IO.Directory.CreateTempSubdirectory("pgrouter-unit-");

    public string Directory => _directory.FullName;

    /// <summary>Path of a file of this repository, however deep the test assembly lies.</summary>
    public static string InRepository(string path, [CallerFilePath] string thisFile = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(thisFile)!, "../../..", path));

    public string Write(string name, params string[] lines)
    {
        var path = Path.Combine(Directory, name);
        System.IO.Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, string.Join('\n', lines) + "\n");
        return path;
    }

    /// <summary>Loads the lines as pgpool.conf.</summary>
    public ConfigResult Load(params string[] lines) => ConfigLoader.Load(Write("pgpool.conf", lines), NoEnvironment);

    /// <summary>Loads the lines with one node and fails the test when there is a mistake.</summary>
    public RouterConfig LoadGood(params string[] lines)
    {
        var result = Load(["backend_hostname0 = 'db0'", .. lines]);
        Assert.That(result.Mistakes, Is.Empty);
        return result.Config!;
    }

    public void Dispose() => _directory.Delete(recursive: true);
}
