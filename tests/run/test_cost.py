#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: test_cost.py E3: what `e3 cost` predicts is what a run over the emulated WAN counts and takes.

Counts are compared exactly, times within TIME_TOLERANCE, of blocks without taints: a cell that is off in a
disturbed block runs again, RUNS_MAX times in all, before it is given up as untestable on a machine this busy.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

from running import Run, residue, scenario
from held_hosts import Tap, skip_unless_root

PROGRAM = os.path.realpath(sys.argv[1])
TIME_TOLERANCE = 0.10
RUNS_MAX = 3
COUNTS = {"rounds": "rounds", "messages": "messages_out", "bytes": "app_bytes_out"}
CNN = {"name": "cnn-mnist", "sizes": ["1"]}
PLACES = [
    ({"count": 4, "regions": ["ams", "nyc", "sfo", "sgp"]},
     [{"name": "rounds", "sizes": ["20"]},
      {"name": "secret-santa", "mode": "mpyc", "sizes": ["low"]},
      {"name": "secret-santa", "mode": "min", "sizes": ["low"]},
      CNN, {"name": "cnn-mnist", "sizes": ["4"]}]),
    ({"count": 3, "regions": ["ams", "syd"]}, [CNN]),
    ({"count": 5, "regions": ["ams", "sgp", "nyc", "syd", "sfo"]}, [CNN]),
]


def key(cell):
    return cell["workload"], cell["mode"], cell["size"]


def best_block(cell):
    """Without taints if there is one, else the last."""
    blocks = [block for block in cell["blocks"] if block["status"] == "ok"]
    return ([block for block in blocks if not block["taints"]] or blocks or [None])[-1]


class Place:
    """One scenario: its predictions, and as many runs of a cell as it takes."""

    def __init__(self, tap, folder, parties, workloads):
        self.tap, self.folder, self.name = tap, folder, " ".join(parties["regions"])
        self.path = scenario(folder, workloads=workloads, parties=parties)
        said = subprocess.run([PROGRAM, "cost", self.path, "--json"], check=True, capture_output=True,
                              text=True)
        self.predicted = json.loads(said.stdout)["cells"]

    def run(self, *filters):
        """Cells by key; {} if the run failed."""
        shutil.rmtree(os.path.join(self.folder, "results"), ignore_errors=True)
        run = Run(PROGRAM, self.path, self.folder, *filters)
        end = run.end(300)
        if end[0] != 0:
            self.tap.check(False, f"{self.name}: the run succeeds", f"{end}")
            return {}
        return {key(cell["cell"]): cell for cell in run.result()["cells"]}

    def compare(self):
        cells = self.run()
        for predicted in self.predicted if cells else []:
            block = best_block(cells[key(predicted)])
            self.compare_counts(predicted, block)
            self.compare_time(predicted, block)

    def compare_counts(self, predicted, block):
        parties = [block["hosts"][f"host{p}"]["report"]["measured"] for p in range(predicted["parties"])]
        for count, theirs in COUNTS.items():
            said = [sent[count] for sent in predicted["sent"]]
            was = [party[theirs] for party in parties]
            self.tap.check(said == was, f"{self.name}: {' '.join(key(predicted))}: {count} of every party",
                           f"{said} {was}")

    def compare_time(self, predicted, block):
        name = f"{self.name}: {' '.join(key(predicted))}: time within {TIME_TOLERANCE:.0%} of the prediction"
        seen = []
        for attempt in range(RUNS_MAX):
            if attempt > 0:
                workload, mode, size = key(predicted)
                cells = self.run("--workload", workload, "--mode", mode, "--size", size)
                block = best_block(cells[key(predicted)]) if cells else None
            if block is None:
                return
            ratio = block["figures"]["wall_ns"] / predicted["predicted_ns"]
            seen.append(f"measured / predicted = {ratio:.3f}, taints {[t['code'] for t in block['taints']]}")
            print(f"# {self.name}: {' '.join(key(predicted))}: {seen[-1]}", flush=True)
            if abs(ratio - 1) <= TIME_TOLERANCE or not block["taints"]:
                self.tap.check(abs(ratio - 1) <= TIME_TOLERANCE, name)
                return
        self.tap.skip(name, "the machine was too busy in every run: " + "; ".join(seen))


def without_network(tap, folder):
    """No network, no capability, nobody's hosts: the same prediction."""
    path = scenario(folder, workloads=[{"name": "secret-santa", "mode": "min", "sizes": ["8"]}])
    command = [PROGRAM, "cost", path, "--json"]
    bare = ["unshare", "--net", "setpriv", "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs"]
    here, there = (subprocess.run(line, capture_output=True, text=True, timeout=60)
                   for line in (command, bare + command))
    if not tap.check(there.returncode == 0, "needs no network and no privilege", there.stderr):
        return
    cell, bare_cell = (json.loads(run.stdout)["cells"][0] for run in (here, there))
    tap.check(cell["sent"] == bare_cell["sent"] and cell["network_ns"] == bare_cell["network_ns"],
              "the network's part replays exactly", f"{cell} {bare_cell}")
    lone = json.loads(here.stdout)
    tap.check(lone["transport"] == "tcp" and lone["congestion_control"], "says what it stands for", lone)


def main():
    skip_unless_root()
    residue.enclose()
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="e3-cost-") as folder:
        without_network(tap, folder)
        for parties, workloads in PLACES:
            Place(tap, folder, parties, workloads).compare()
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
