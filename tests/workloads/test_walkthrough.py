#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: test_walkthrough.py E3: docs/workloads.md says what the tree holds and what `e3` prints."""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

root = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(root / "tests"))
from tap import Tap  # noqa: E402

tap = Tap()
check = tap.check
e3 = sys.argv[1]
page = (root / "docs/workloads.md").read_text()
source = (root / "engine/millionaires.c").read_text()
test = (root / "tests/workloads/test_millionaires.c").read_text()
LINES_MAX = 79


def run(*args):
    done = subprocess.run([e3, *args], capture_output=True, text=True, timeout=100,
                          env={**os.environ, "E3_HOME": str(root)})
    check(done.returncode == 0, f"e3 {args[0]} succeeds {done.stderr.strip()!r}")
    return done.stdout


def blocks(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


def rounds_of(table):
    """(parties, size) -> rounds in what `e3 cost` printed."""
    found = re.findall(r"^  millionaires argmax (\w+) +(\d+) +61 bit +(\d+) ", table, re.MULTILINE)
    return {(parties, size): rounds for size, parties, rounds in found}


def scenario(folder):
    path = pathlib.Path(folder) / "richest.json"
    made = json.loads(blocks("json")[0])
    made["network"]["matrix"] = str(root / "scenarios" / made["network"]["matrix"])
    path.write_text(json.dumps(made))
    return str(path)


def main():
    lines = len(source.splitlines())
    check(lines <= LINES_MAX, f"the workload has {lines} lines, at most {LINES_MAX}")
    check(f"`engine/millionaires.c`, {lines} lines" in page, "the page says how many")
    for block in blocks("c"):
        check(block in source or block in test, f"the tree has: {block.splitlines()[0].strip()}")
    check("millionaires" in run("list", "workloads"), "e3 list shows it")
    with tempfile.TemporaryDirectory(prefix="e3-walkthrough-") as folder:
        path = scenario(folder)
        said = rounds_of(page)
        check(len(said) == 8, f"the page shows {len(said)} costs")
        check(rounds_of(run("cost", path)) == said, "e3 cost counts the rounds that the page shows")
        planned = re.findall(r"^ +(\d+)  millionaires +argmax +(\w+) +tcp +1 +(\d+) ", run("plan", path),
                             re.MULTILINE)
        check({(p, size): r for p, size, r in planned} == said, "e3 plan estimates these rounds")
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
