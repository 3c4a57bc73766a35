using System.Text;
using NUnit.Framework;
using PgRouter.Protocol;

namespace PgRouter.Tests.Protocol;

public class Md5PasswordTests
{
    [Test]
    public void The_stored_hash_is_the_one_PostgreSQL_stores()
    {
        // create role bob password 'secret' with password_encryption = md5, PostgreSQL 15.
        var hash = new byte[Md5Password.Length];
        Md5Password.Hash("secret"u8, "bob"u8, hash);

        Assert.That(Encoding.ASCII.GetString(hash), Is.EqualTo("md521f3163f8f86fa10bdefbfbd502a8f06"));
    }

    [Test]
    public void The_answer_hashes_the_hexadecimal_digits_with_the_salt()
    {
        var answer = new byte[Md5Password.Length];
        Md5Password.Respond("md521f3163f8f86fa10bdefbfbd502a8f06"u8, [1, 2, 3, 4], answer);

        Assert.That(Encoding.ASCII.GetString(answer), Is.EqualTo("md5f21dfe33ff3a9e03dbc3e008251fe5cc"));
        Assert.That(Md5Password.Verify("md521f3163f8f86fa10bdefbfbd502a8f06"u8, [1, 2, 3, 4], answer));
        Assert.That(Md5Password.Verify("md521f3163f8f86fa10bdefbfbd502a8f06"u8, [1, 2, 3, 5], answer), Is.False);
        Assert.That(Md5Password.Verify("md521f3163f8f86fa10bdefbfbd502a8f06"u8, [1, 2, 3, 4], []), Is.False);
    }

    [TestCase("md521f3163f8f86fa10bdefbfbd502a8f06", true)]
    [TestCase("md521F3163F8F86FA10BDEFBFBD502A8F06", true)]
    [TestCase("md521f3163f8f86fa10bdefbfbd502a8f0", false)]
    [TestCase("md521f3163f8f86fa10bdefbfbd502a8f0g", false)]
    [TestCase("MD521f3163f8f86fa10bdefbfbd502a8f06", false)]
    public void A_hash_is_md5_and_32_hexadecimal_digits(string text, bool isHash)
    {
        Assert.That(Md5Password.IsHash(text), Is.EqualTo(isHash));
    }
}
