using PgRouter.Testing.Processes;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Drivers;

/// <summary>Programs of other languages in Drivers/Programs, unchanged through the router.</summary>
[TestFixture]
public sealed class ProgramTests
{
    private const string Python = "/usr/bin/python3";
    private const string JdbcJar = "/usr/share/java/postgresql.jar";

    private static string Program(string language, string file) => Path.Combine(DriverProgram.Folder, language, file);

    private static string Artifacts => Path.GetDirectoryName(Path.GetDirectoryName(RouterProcessFixture.ExecutablePath()))!;

    [Test]
    public Task A_psql_script_prints_the_same() =>
        DriverProgram.CompareAsync(DriverBed.Cluster.Binaries.PathOf("psql"), ["-X", "-v", "schema={schema}", "-f", Program("psql", "session.sql")]);

    [Test]
    public async Task Interrupts_in_psql_cancel_what_runs_and_nothing_else()
    {
        await DriverProgram.RequireAsync(Python, "-c", "import psycopg");
        await DriverProgram.CompareAsync(Python, [Program("python", "psql_keys.py")]);
    }

    [TestCase("psycopg_sync.py", "psycopg")]
    [TestCase("psycopg_async.py", "psycopg")]
    [TestCase("asyncpg_pool.py", "asyncpg")]
    [TestCase("notifications.py", "asyncpg")]
    public async Task A_Python_program_prints_the_same(string file, string module)
    {
        await DriverProgram.RequireAsync(Python, "-c", $"import {module}");
        // PYTHONHASHSEED: the program makes lock numbers of its schema's name.
        var environment = new Dictionary<string, string> { ["PYTHONHASHSEED"] = "1", ["PYTHONDONTWRITEBYTECODE"] = "1" };
        await DriverProgram.CompareAsync(Python, [Program("python", file)], environment);
    }

    [TestCase("pg.js")]
    [TestCase("postgresjs.js")]
    [TestCase("sequelize.js")]
    public async Task A_Node_program_prints_the_same(string file)
    {
        await DriverProgram.RequireAsync("node", "--version");
        var environment = new Dictionary<string, string> { ["NODE_PATH"] = await InstallModulesAsync(), ["NODE_OPTIONS"] = "--no-deprecation" };
        await DriverProgram.CompareAsync("node", [Program("node", file)], environment);
    }

    [Test]
    public async Task A_Java_program_prints_the_same()
    {
        await DriverProgram.RequireAsync("javac", "-version");
        Assert.That(JdbcJar, Does.Exist, "run scripts/install-deps.sh");
        var classes = Directory.CreateTempSubdirectory("pgrouter-java-").FullName;
        try
        {
            await Command.RequireAsync("javac", ["-cp", JdbcJar, "-d", classes, Program("java", "JdbcProgram.java")]);
            await DriverProgram.CompareAsync("java", ["-cp", $"{classes}:{JdbcJar}", "JdbcProgram"]);
        }
        finally
        {
            Directory.Delete(classes, recursive: true);
        }
    }

    /// <summary>Installs what package-lock.json names, once; returns the node_modules folder.</summary>
    private static async Task<string> InstallModulesAsync()
    {
        var cache = Directory.CreateDirectory(Path.Combine(Artifacts, "driver-modules")).FullName;
        var modules = Path.Combine(cache, "node_modules");
        var lockFile = await File.ReadAllTextAsync(Program("node", "package-lock.json"));
        var installed = Path.Combine(cache, "package-lock.json");
        if (Directory.Exists(modules) && File.Exists(installed) && await File.ReadAllTextAsync(installed) == lockFile)
            return modules;
        File.Copy(Program("node", "package.json"), Path.Combine(cache, "package.json"), overwrite: true);
        await File.WriteAllTextAsync(installed, lockFile);
        await DriverProgram.RequireAsync("npm", "ci", "--prefix", cache, "--no-audit", "--no-fund", "--ignore-scripts");
        return modules;
    }
}
