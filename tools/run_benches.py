#!/usr/bin/env python3
"""Run the benchmarks meson knows, one after the other, and show what they print.

usage: run_benches.py [NAME...]

Benchmarks are not tests: they print figures, mostly ratios of two things measured side by
side in one run, with the machine and its load above them.
"""
import json
import os
import pathlib
import subprocess
import sys

BUILD = pathlib.Path(__file__).resolve().parent.parent / "build"


def machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo")
                  if line.startswith("model name")), "unknown CPU")
    return (f"{model}, {os.cpu_count()} cores, Linux {os.uname().release}, "
            f"load {os.getloadavg()[0]:.2f}")


def main(names):
    listed = subprocess.run(["meson", "introspect", "--benchmarks", str(BUILD)], check=True,
                            capture_output=True, text=True).stdout
    chosen = [b for b in json.loads(listed) if not names or any(n in b["name"] for n in names)]
    if not chosen:
        print("no benchmark has such a name", file=sys.stderr)
        return 2
    failed = 0
    for bench in chosen:
        print(f"== {bench['name']} ({machine()})", flush=True)
        try:
            ended = subprocess.run(bench["cmd"], env={**os.environ, **bench["env"]}, cwd=BUILD,
                                   timeout=bench["timeout"] or None, check=False).returncode
        except subprocess.TimeoutExpired:
            ended = f"no end within {bench['timeout']} s"
        if ended:
            print(f"   {bench['name']} ended with {ended}")
            failed += 1
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
