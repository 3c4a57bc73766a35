namespace PgRouter.Testing;

/// <summary>The test bed itself could not do what was asked: the message says what failed and what to look at.</summary>
public class TestBedException : Exception
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

/// <summary>A server refused a login.</summary>
/// <param name="message">What happened.</param>
/// <param name="error">The server's ErrorResponse.</param>
public sealed class RefusedException(string message, Protocol.RawMessage error) : TestBedException(message)
{
    /// <summary>The SQLSTATE.</summary>
    public string? Code => error.Type == 'E' ? error.Field('C') : null;

    /// <summary>The message.</summary>
    public string? Text => error.Type == 'E' ? error.Field('M') : null;
}
