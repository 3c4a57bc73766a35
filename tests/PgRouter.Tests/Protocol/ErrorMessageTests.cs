using NUnit.Framework;
using PgRouter.Protocol;

namespace PgRouter.Tests.Protocol;

public class ErrorMessageTests
{
    private static byte[] Body(ErrorMessage message)
    {
        var writer = new MessageWriter();
        message.WriteErrorResponse(writer);
        return writer.WrittenSpan[MessageHeader.Size..].ToArray();
    }

    [Test]
    public void All_fields_survive_writing_and_reading()
    {
        var message = new ErrorMessage
        {
            Severity = "ERROR",
            LocalizedSeverity = "FEHLER",
            Code = SqlStates.SyntaxError,
            Message = "m",
            Detail = "d",
            Hint = "h",
            Position = 12,
            InternalPosition = 3,
            InternalQuery = "q",
            Where = "w",
            SchemaName = "s",
            TableName = "t",
            ColumnName = "c",
            DataTypeName = "dt",
            ConstraintName = "n",
            File = "f.c",
            Line = "7",
            Routine = "r",
        };

        Assert.That(ErrorMessage.TryParse(Body(message), out var read));
        Assert.That(read, Is.EqualTo(message));
    }

    [Test]
    public void The_code_and_the_severity_are_found_without_reading_the_rest()
    {
        var fatal = Body(ErrorMessage.Fatal(SqlStates.AdminShutdown, "terminating"));
        var error = Body(ErrorMessage.Error(SqlStates.UndefinedTable, "FATAL"));

        Assert.That(ErrorMessage.TryGetCode(fatal, out var code) && code.SequenceEqual("57P01"u8));
        Assert.That(ErrorMessage.IsFatal(fatal));
        Assert.That(ErrorMessage.IsFatal(error), Is.False);
    }

    [Test]
    public void The_untranslated_severity_decides_over_the_translated_one()
    {
        Assert.That(ErrorMessage.IsFatal("SFATAL\0VERROR\0C00000\0\0"u8), Is.False);
        Assert.That(ErrorMessage.IsFatal("SFATAL\0C00000\0\0"u8));
    }

    [TestCase("")]
    [TestCase("S")]
    [TestCase("SERROR")]
    [TestCase("SERROR\0")]
    [TestCase("SERROR\0Cxx\0")]
    [TestCase("SERROR\0\0trailing")]
    public void A_malformed_body_is_not_parsed(string body)
    {
        var bytes = System.Text.Encoding.ASCII.GetBytes(body);

        Assert.That(ErrorMessage.TryParse(bytes, out _), Is.False);
        Assert.That(ErrorMessage.IsFatal(bytes), Is.False);
    }

    [Test]
    public void An_unknown_field_and_a_bad_position_are_left_out()
    {
        Assert.That(ErrorMessage.TryParse("SERROR\0C42601\0Mm\0P-1\0!x\0\0"u8, out var message));
        Assert.That((message.Severity, message.Code, message.Position), Is.EqualTo(("ERROR", "42601", 0)));
    }
}
