#!/usr/bin/env python3
"""House rules that a machine can check: layers, unique file names, formatting."""
import collections
import pathlib
import subprocess
import sys

import check_layers


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    bad = list(check_layers.violations(root))
    listed = subprocess.run(["git", "-C", str(root), "ls-files", "--cached", "--others",
                             "--exclude-standard", "*.c", "*.h"], check=True,
                            capture_output=True, text=True).stdout.split()
    names = collections.Counter(pathlib.Path(name).name for name in listed)
    bad += [f"{name}: {count} files have this name" for name, count in names.items() if count > 1]
    formatted = subprocess.run(["clang-format", "--dry-run", "-Werror", *listed], cwd=root,
                               capture_output=True, text=True)
    if formatted.returncode:
        bad += ["not formatted (./dev fmt): " + line for line in formatted.stderr.splitlines()
                if "error:" in line][:20]
    print("\n".join(bad) if bad else f"{len(listed)} files: clean")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
