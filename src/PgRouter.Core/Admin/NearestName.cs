namespace PgRouter.Core.Admin;

/// <summary>Finds the name that a mistyped word probably meant.</summary>
internal static class NearestName
{
    // A longer word is not a name mistyped, and the distance costs the product of both lengths.
    private const int LongestWord = 64;

    /// <summary>
    /// The name with the fewest edits, if at most a third of its letters differ; case does not matter. Null when none is near.
    /// </summary>
    public static string? Find(string word, IEnumerable<string> names)
    {
        if (word.Length > LongestWord)
            return null;
        string? nearest = null;
        var fewest = int.MaxValue;
        foreach (var name in names)
        {
            var edits = Edits(word.ToUpperInvariant(), name.ToUpperInvariant());
            if (edits < fewest && edits <= name.Length / 3)
                (nearest, fewest) = (name, edits);
        }
        return nearest;
    }

    /// <summary>Levenshtein distance, one row at a time.</summary>
    private static int Edits(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var above = row[j];
                row[j] = Math.Min(Math.Min(above, row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }
        return row[b.Length];
    }
}
