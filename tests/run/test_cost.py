#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: test_cost.py E3: what `e3 cost` predicts is what a run over the emulated WAN counts."""
import json
import os
import subprocess
import sys
import tempfile

from running import Run, residue, scenario
from held_hosts import Tap, skip_unless_root

PROGRAM = os.path.realpath(sys.argv[1])
TIME_TOLERANCE = 0.10
# Bulk: how fast windows grow is the kernel's congestion control, which path_model only sketches
# (measured 17 % above the prediction on a quiet machine).
BULK_TOLERANCE = 0.30
WORKLOADS = [{"name": "rounds", "sizes": ["20"]},
             {"name": "secret-santa", "mode": "mpyc", "sizes": ["low"]},
             {"name": "secret-santa", "mode": "min", "sizes": ["low"]},
             {"name": "cnn-mnist", "sizes": ["1"]}]


def key(cell):
    return cell["workload"], cell["mode"]


def compare(tap, predicted, measured):
    name = " ".join(key(predicted))
    block = [b for b in measured["blocks"] if b["status"] == "ok"][-1]
    parties = [block["hosts"][f"host{p}"]["report"]["measured"] for p in range(predicted["parties"])]
    for count in ("rounds", "messages", "bytes"):
        theirs = {"rounds": "rounds", "messages": "messages_out", "bytes": "app_bytes_out"}[count]
        said = [sent[count] for sent in predicted["sent"]]
        was = [party[theirs] for party in parties]
        tap.check(said == was, f"{name}: {count} of every party as predicted", f"{said} {was}")
    ratio = block["figures"]["wall_ns"] / predicted["predicted_ns"]
    pressure = block["pressure"]["psi_cpu_some_share"] or 0
    tolerance = BULK_TOLERANCE if predicted["workload"] == "cnn-mnist" else TIME_TOLERANCE
    if pressure > 0.10 and abs(ratio - 1) > tolerance:
        tap.skip(f"{name}: time as predicted", f"CPUs busy with other work {pressure:.0%} of the time")
    else:
        tap.check(abs(ratio - 1) <= tolerance, f"{name}: time within {tolerance:.0%} of the prediction",
                  f"measured / predicted = {ratio:.3f}")


def main():
    skip_unless_root()
    residue.enclose()
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="e3-cost-") as folder:
        path = scenario(folder, workloads=WORKLOADS,
                        parties={"count": 4, "regions": ["ams", "nyc", "sfo", "sgp"]})
        said = subprocess.run([PROGRAM, "cost", path, "--json"], check=True, capture_output=True, text=True)
        run = Run(PROGRAM, path, folder)
        end = run.end(300)
        if not tap.check(end[0] == 0, "the run succeeds", f"{end}"):
            return tap.end()
        cells = {key(cell["cell"]): cell for cell in run.result()["cells"]}
        for predicted in json.loads(said.stdout)["cells"]:
            compare(tap, predicted, cells[key(predicted)])
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
