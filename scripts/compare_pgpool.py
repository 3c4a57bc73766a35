#!/usr/bin/env python3
"""Prints the results of two runs of the tests of W1 to W32 side by side; fails when PgRouter failed in one."""

import re
import subprocess
import sys
import xml.etree.ElementTree as tree

TRX = "{http://microsoft.com/schemas/VisualStudio/TeamTest/2010}"
WIDTH = 72


def read(path):
    """Each test by its W, with 'pass' or what went wrong; of several cases under one name the worst."""
    results = {}
    for test in tree.parse(path).iter(TRX + "UnitTestResult"):
        name = test.get("testName").split("(")[0].split(".")[-1]
        if not re.match(r"W\d\d_", name):
            continue
        passed = test.get("outcome") == "Passed"
        if results.get(name, "pass") == "pass":
            results[name] = "pass" if passed else reason(test)
    return results


def reason(test):
    message = test.findtext(f".//{TRX}Message") or test.get("outcome")
    lines = [line.strip() for line in message.splitlines() if line.strip() and "Assert.That" not in line]
    wanted = [line for line in lines if line.startswith("But was")] or lines
    return shorten(re.sub(r"\b127\.0\.0\.1:\d+ ", "it ", wanted[0]))


def shorten(text):
    return text if len(text) <= WIDTH else text[: WIDTH - 2] + ".."


def title(name):
    number, words = name[1:3], name[4:].replace("_", " ")
    return f"W{int(number):<3}{words}"


def main():
    router, pgpool = (read(path) for path in sys.argv[1:3])
    version = subprocess.run(["/usr/sbin/pgpool", "--version"], check=False, capture_output=True, text=True)
    print(f"PgRouter beside {(version.stdout + version.stderr).strip().splitlines()[0]}\n")
    for name in sorted(router | pgpool):
        print(title(name))
        print(f"     PgRouter  {router.get(name, 'not run')}")
        print(f"     pgpool    {pgpool.get(name, 'not run')}")
    passed = [sum(result == "pass" for result in results.values()) for results in (router, pgpool)]
    print(f"\nPgRouter {passed[0]} of {len(router)}, pgpool {passed[1]} of {len(pgpool)}")
    sys.exit(passed[0] != len(router))


if __name__ == "__main__":
    main()
