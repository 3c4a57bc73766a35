namespace PgRouter.Testing;

/// <summary>The test bed itself could not do what was asked: the message says what failed and what to look at.</summary>
public sealed class TestBedException : Exception
{
    /// <summary>A failure with its explanation.</summary>
    public TestBedException(string message)
        : base(message)
    {
    }

    /// <summary>A failure with its explanation and cause.</summary>
    public TestBedException(string message, Exception cause)
        : base(message, cause)
    {
    }
}
