namespace PgRouter.Testing.Routers;

/// <summary>PGROUTER_TEST_IO: the pgrouter.io of every router that tests start; not set = as the router chooses.</summary>
public static class TestIo
{
    /// <summary>The value; empty when it is not set.</summary>
    public static string Choice { get; } = Environment.GetEnvironmentVariable("PGROUTER_TEST_IO") ?? "";

    /// <summary>Loops that tests make themselves run on io_uring.</summary>
    public static bool IsUring => Choice == "io_uring";
}
