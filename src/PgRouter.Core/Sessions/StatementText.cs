using System.Text;
using PgRouter.Protocol;

namespace PgRouter.Core.Sessions;

/// <summary>The SQL of a request, for logs.</summary>
internal static class StatementText
{
    private const int Longest = 8192;

    /// <summary>The text of a Query, or of the first Parse of a batch; empty when there is none.</summary>
    public static string Of(ReadOnlySpan<byte> request)
    {
        while (MessageHeader.TryRead(request, out var type, out var length) && length >= MessageHeader.MinLength)
        {
            var body = request[MessageHeader.Size..Math.Min(request.Length, length + 1)];
            if (type is FrontendMessage.Query or FrontendMessage.Parse)
            {
                if (type == FrontendMessage.Parse)
                    body = body[(body.IndexOf((byte)0) + 1)..];
                var end = body.IndexOf((byte)0);
                return Encoding.UTF8.GetString(body[..Math.Min(Longest, end < 0 ? body.Length : end)]);
            }
            if (request.Length <= length + 1)
                break;
            request = request[(length + 1)..];
        }
        return "";
    }

    /// <summary>The text up to its closing zero, cut after so many bytes.</summary>
    public static string Head(ReadOnlySpan<byte> text, int longest)
    {
        var end = text.IndexOf((byte)0);
        text = end < 0 ? text : text[..end];
        return text.Length <= longest ? Encoding.UTF8.GetString(text) : Encoding.UTF8.GetString(text[..longest]) + "...";
    }
}
