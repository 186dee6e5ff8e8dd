#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: bench_run.py E3: whole runs beside what they should be: start, delays, efficiency."""
import os
import sys
import tempfile
import time

from running import Run, scenario

NINE = ["ams", "lon", "fra", "nyc", "sfo", "tor", "sgp", "blr", "syd"]
FOUR = ["ams", "nyc", "sfo", "sgp"]


def run(program, **changes):
    """(result document, seconds from start to end)"""
    with tempfile.TemporaryDirectory(prefix="e3-bench-") as folder:
        began = time.monotonic()
        held = Run(program, scenario(folder, **changes), folder, "--quiet")
        code, out, err = held.end(300)
        took = time.monotonic() - began
        if code != 0:
            raise SystemExit(f"the run ended with {code}:\n{out}{err}")
        return held.result(), took


def start(program):
    result, took = run(program, parties={"count": 4, "regions": FOUR},
                       workloads=[{"name": "rounds", "sizes": ["1"]}])
    block = result["cells"][0]["blocks"][0]
    after = sum(block["phases_ns"][phase] for phase in ("run", "close", "down", "finalise")) / 1e9
    print(f"start of e3 run to the first round, four hosts: at most {took - after:.2f} s "
          "(teardown included; bar 2 s)")


def delays(program):
    result, _ = run(program, parties={"count": 10, "regions": NINE},
                    workloads=[{"name": "rounds", "sizes": ["1"]}])
    excess = [(pair["rtt_ns"]["p50"] - pair["configured_rtt_ns"],
               max(500_000, pair["configured_rtt_ns"] / 100)) for pair in result["calibration"]["pairs"]]
    worst = max(abs(off) for off, _ in excess)
    within = sum(abs(off) <= allowed for off, allowed in excess)
    print(f"round trips of nine cities and within one: {within} of {len(excess)} ordered pairs within "
          f"max(0.5 ms, 1 %) of what was configured, worst {worst / 1e6:.3f} ms off")


def efficiency(program):
    result, _ = run(program, parties={"count": 4, "regions": FOUR},
                    workloads=[{"name": "secret-santa", "mode": "mpyc", "sizes": ["low"]},
                               {"name": "cnn-mnist", "sizes": ["low"]}], runs={"blocks": 3, "timeout_s": 120})
    for cell in result["cells"]:
        parts = cell["figures"]["decomposition"]
        total = sum(parts[part] for part in ("latency_ns", "transfer_ns", "compute_ns", "rest_ns"))
        shares = ", ".join(f"{part[:-3]} {parts[part] / total:.1%}"
                           for part in ("latency_ns", "transfer_ns", "compute_ns", "rest_ns"))
        print(f"{cell['cell']['workload']} over tcp, ams nyc sfo sgp: "
              f"network_efficiency {cell['figures']['network_efficiency']['median']:.3f}, "
              f"wall {cell['figures']['wall_ns']['median'] / 1e9:.2f} s = {shares}")


def main(program):
    if os.geteuid() != 0:
        print("needs root: hosts are namespaces")
        return
    start(program)
    delays(program)
    efficiency(program)


if __name__ == "__main__":
    main(os.path.realpath(sys.argv[1]))
