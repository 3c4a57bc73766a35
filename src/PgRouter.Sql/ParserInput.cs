using System.Text;
using System.Text.Unicode;

namespace PgRouter.Sql;

/// <summary>Brings a text into what the native parser takes: UTF-8, standard_conforming_strings on, ended by a zero byte.</summary>
internal static class ParserInput
{
    public static byte[] Create(ReadOnlySpan<byte> sql, bool standardConformingStrings)
    {
        if (!standardConformingStrings && sql.Contains((byte)'\\'))
            return Terminate(WithEscapeStrings(sql));
        return Terminate(sql);
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
            if (kind != TokenKind.String || sql[lexer.Start] != '\'')
                continue;
            text.AddRange(sql[copied..lexer.Start]);
            text.AddRange(" E"u8);
            copied = lexer.Start;
        }

        text.AddRange(sql[copied..]);
        return text.ToArray();
    }
}
