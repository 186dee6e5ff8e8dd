#!/usr/bin/env python3
"""Each header of include/e3 compiles alone, as C17 and as C++17, and a table can be made in both."""
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLE = """
#include <e3/transport.h>
static const struct e3_transport mine = {E3_TRANSPORT_HEADER, .name = "mine"};
E3_TRANSPORT_ENTRY(mine);
"""
# C++17 has no designated initialisers outside of GNU's dialect.
DIALECTS = [("cc", "c", "-std=c17", "-std=c17"), ("c++", "c++", "-std=c++17", "-std=gnu++17")]


def compiles(compiler, language, standard, text):
    return subprocess.run(
        [compiler, "-x", language, standard, "-Wall", "-Wextra", "-Werror", "-Wno-missing-field-initializers",
         "-fsyntax-only", f"-I{ROOT / 'include'}", "-"],
        input=text, text=True, capture_output=True)


def main():
    number = failed = 0
    headers = sorted((ROOT / "include/e3").glob("*.h"))
    for compiler, language, strict, lenient in DIALECTS:
        cases = [(f"{h.name} as {strict[5:]}", strict, f"#include <e3/{h.name}>\n" * 2) for h in headers]
        cases.append((f"a table as {lenient[5:]}", lenient, TABLE))
        for name, standard, text in cases:
            number += 1
            if shutil.which(compiler) is None:
                print(f"# skip: no {compiler}: apt-get install g++\nok {number} - {name} # SKIP no {compiler}")
                continue
            done = compiles(compiler, language, standard, text)
            failed += done.returncode != 0
            print(f"{'not ' if done.returncode else ''}ok {number} - {name}")
            for line in done.stderr.splitlines():
                print("#", line)
    print(f"1..{number}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
