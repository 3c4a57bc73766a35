"""Writes saslprep.bin, the tables behind SaslPrep.cs, from the Unicode data in Python's standard library.

Run: python3 generate.py
The file is a zlib stream of variable-length integers (7 bits a byte, low first); a list of code points is stored as differences.
"""
import pathlib
import stringprep
import unicodedata
import zlib

LAST = 0x10FFFF
HANGUL = range(0xAC00, 0xD7A4)
SURROGATES = range(0xD800, 0xE000)


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def code_points():
    return (c for c in range(LAST + 1) if c not in SURROGATES)


def keyed(entries):
    """[(code point, [values])] in order of code points."""
    out, last = bytearray(varint(len(entries))), 0
    for point, values in entries:
        out += varint(point - last) + varint(len(values)) + b"".join(varint(v) for v in values)
        last = point
    return out


def decompositions():
    result = []
    for point in code_points():
        full = unicodedata.normalize("NFKD", chr(point))
        if point not in HANGUL and full != chr(point):
            result.append((point, [ord(c) for c in full]))
    return result


def combining_classes():
    return [(p, [unicodedata.combining(chr(p))]) for p in code_points() if unicodedata.combining(chr(p))]


def compositions():
    """[(composite, [first, second])], without the pairs that Unicode excludes from composition."""
    result = []
    for point in code_points():
        parts = unicodedata.decomposition(chr(point)).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            first, second = (int(p, 16) for p in parts)
            if unicodedata.normalize("NFC", chr(first) + chr(second)) == chr(point):
                result.append((point, [first, second]))
    return result


def ranges(predicate):
    """Bounds where membership changes: start, end (exclusive), start, end."""
    bounds, inside = [], False
    for point in range(LAST + 1):
        if predicate(chr(point)) != inside:
            bounds.append(point)
            inside = not inside
    if inside:
        bounds.append(LAST + 1)
    out, last = bytearray(varint(len(bounds))), 0
    for bound in bounds:
        out += varint(bound - last)
        last = bound
    return out


def prohibited(c):
    """RFC 4013, 2.3, and 2.5: code points that Unicode 3.2 does not assign."""
    return any(
        table(c)
        for table in (
            stringprep.in_table_c12, stringprep.in_table_c21_c22, stringprep.in_table_c3, stringprep.in_table_c4,
            stringprep.in_table_c5, stringprep.in_table_c6, stringprep.in_table_c7, stringprep.in_table_c8,
            stringprep.in_table_c9, stringprep.in_table_a1,
        )
    )


def main():
    data = b"".join([
        keyed(decompositions()),
        keyed(combining_classes()),
        keyed(compositions()),
        ranges(stringprep.in_table_c12),
        ranges(stringprep.in_table_b1),
        ranges(prohibited),
        ranges(stringprep.in_table_d1),
        ranges(stringprep.in_table_d2),
    ])
    pathlib.Path(__file__).with_name("saslprep.bin").write_bytes(zlib.compress(data, 9))
    print(f"Unicode {unicodedata.unidata_version}: {len(data)} bytes")


main()
