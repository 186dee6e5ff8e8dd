#!/usr/bin/env python3
"""Every plugin exports one symbol and needs no library that its folder does not name."""
import pathlib
import re
import subprocess
import sys

ALLOWED = re.compile(r"^(libuv\.so\.1|libc\.so\.6|libm\.so\.6|libpthread\.so\.0|ld-linux.*|lib(asan|ubsan|clang_rt).*)$")


def lines(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def main():
    plugins = sorted(pathlib.Path(sys.argv[1]).glob("transports/**/e3-*.so"))
    failed = 0
    for number, plugin in enumerate(plugins, 1):
        symbols = [line.split()[-1] for line in lines("nm", "-D", "--defined-only", plugin)]
        needed = [line.split("[")[1].rstrip("]") for line in lines("readelf", "-d", plugin) if "(NEEDED)" in line]
        wrong = [name for name in needed if not ALLOWED.match(name)]
        good = symbols == ["e3_transport_entry"] and not wrong
        failed += not good
        print(f"{'' if good else 'not '}ok {number} - {plugin.name}")
        if not good:
            print(f"# exports {symbols}, needs {wrong}")
    print(f"1..{len(plugins)}")
    return bool(failed) or not plugins


if __name__ == "__main__":
    sys.exit(main())
