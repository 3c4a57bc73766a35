using NUnit.Framework;
using PgRouter.Protocol;

namespace PgRouter.Tests.Protocol;

public class SaslPrepTests
{
    // The first five are the examples of RFC 4013, section 3 (ASCII controls stay, as in PostgreSQL).
    [TestCase("I\u00ADX", "IX")]
    [TestCase("user", "user")]
    [TestCase("USER", "USER")]
    [TestCase("\u00AA", "a")]
    [TestCase("\u2168", "IX")]
    [TestCase("e\u0301", "\u00E9")]
    [TestCase("\u212B", "\u00C5")]
    [TestCase("a\u0327\u0301", "\u00E1\u0327", TestName = "A_mark_of_another_class_does_not_block")]
    [TestCase("q\u0307\u0323", "q\u0323\u0307", TestName = "Marks_are_put_in_canonical_order")]
    [TestCase("\u1112\u1161\u11AB", "\uD55C", TestName = "Hangul_is_composed")]
    [TestCase("\uD55C", "\uD55C", TestName = "Hangul_syllables_come_back")]
    [TestCase("\uFB01", "fi")]
    [TestCase("a\u3000b", "a b")]
    [TestCase("\U0001D400", "A")]
    [TestCase("\u0627\u0628", "\u0627\u0628")]
    public void Passwords_are_prepared(string password, string expected)
    {
        Assert.That(SaslPrep.Normalise(password), Is.EqualTo(expected));
    }

    [TestCase("\u00AD", TestName = "Nothing_is_left")]
    [TestCase("\u2168\u0007\u0080", TestName = "Control_characters")]
    [TestCase("a\u0627b\u2168", TestName = "Mixed_directions")]
    [TestCase("\u0627\u2168\u0031", TestName = "Right_to_left_must_end_so")]
    [TestCase("\u2168\uE000", TestName = "Private_use")]
    [TestCase("\u2168\U0001F600", TestName = "Not_assigned_in_Unicode_3_2")]
    [TestCase("\u2168\uD800", TestName = "Half_a_surrogate_pair")]
    public void What_cannot_be_prepared_is_used_as_it_is(string password)
    {
        Assert.That(SaslPrep.Normalise(password), Is.EqualTo(password));
    }
}
