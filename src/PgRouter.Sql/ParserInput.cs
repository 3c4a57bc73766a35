using System.Text;
using System.Text.Unicode;

namespace PgRouter.Sql;

/// <summary>
/// Brings a text into what the native parser takes: UTF-8, standard_conforming_strings on, without comments, ended by a zero byte. Comments become
/// spaces because the library's scanner looks one word ahead (NOT IN, NULLS FIRST, WITH TIME) and takes a comment there for that word.
/// </summary>
internal static class ParserInput
{
    public static byte[] Create(ReadOnlySpan<byte> sql, bool standardConformingStrings)
    {
        if (sql.IndexOf("--"u8) >= 0 || sql.IndexOf("/*"u8) >= 0)
            sql = WithoutComments(sql, standardConformingStrings);
        if (!standardConformingStrings && sql.Contains((byte)'\\'))
            return Terminate(WithEscapeStrings(sql));
        return Terminate(sql);
    }

    /// <summary>As many bytes as before, so that places in the text stay.</summary>
    private static byte[] WithoutComments(ReadOnlySpan<byte> sql, bool standardConformingStrings)
    {
        var text = sql.ToArray();
        var lexer = new SqlLexer(sql, standardConformingStrings);
        var stop = 0;
        while (true)
        {
            var kind = lexer.Next();
            for (var i = SqlBytes.SkipSpace(sql, stop); i < lexer.Start; i = SqlBytes.SkipSpace(sql, i))
            {
                var end = SqlBytes.EndOfComment(sql, i);
                if (end < 0)
                    return text; // It does not end; the parser says so.
                text.AsSpan(i, end - i).Fill((byte)' ');
                i = end;
            }

            if (kind == TokenKind.End)
                return text;
            stop = lexer.Stop;
        }
    }

    /// <summary>Other encodings than UTF-8 are read as Latin-1: the grammar's own bytes are ASCII in all of them.</summary>
    private static byte[] Terminate(ReadOnlySpan<byte> sql)
    {
        if (!Utf8.IsValid(sql))
            return Encoding.UTF8.GetBytes(Encoding.Latin1.GetString(sql) + '\0');
        var text = new byte[sql.Length + 1];
        sql.CopyTo(text);
        return text;
    }

    /// <summary>With standard_conforming_strings off '..' means what E'..' says; the parser knows only the setting on.</summary>
    private static byte[] WithEscapeStrings(ReadOnlySpan<byte> sql)
    {
        var text = new List<byte>(sql.Length + 16);
        var lexer = new SqlLexer(sql, standardConformingStrings: false);
        var copied = 0;
        for (var kind = lexer.Next(); kind != TokenKind.End; kind = lexer.Next())
        {
            if (kind == TokenKind.NationalString)
            {
                text.AddRange(sql[copied..lexer.Start]);
                text.AddRange(" nchar E"u8); // N'..' is a cast to it.
                copied = lexer.Start + 1;
            }
            else if (kind == TokenKind.String && sql[lexer.Start] == '\'')
            {
                text.AddRange(sql[copied..lexer.Start]);
                text.AddRange(" E"u8);
                copied = lexer.Start;
            }
        }

        text.AddRange(sql[copied..]);
        return text.ToArray();
    }
}
