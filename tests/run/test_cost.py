#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: test_cost.py E3: what `e3 cost` predicts is what a run over the emulated WAN counts and takes.

Counts are compared exactly. Times are judged on a quiet machine only: of blocks without taints, during which this
program itself was never kept waiting for PAUSE_MAX_S, each beside a prediction made just before. One run within
TIME_TOLERANCE shows the prediction to be right; it is wrong when QUIET_RUNS of them are outside. Without such a verdict
the check is skipped, and says what was in the way. Over long distances it holds for hosts of their own as well as for
emulated ones (predicted_ns, emulated_ns); nearby, where this machine is part of the time, for emulated ones.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from running import Run, residue, scenario
from held_hosts import Tap, skip_unless_root

PROGRAM = os.path.realpath(sys.argv[1])
TIME_TOLERANCE = 0.10
QUIET_RUNS = 3
RUNS_MAX = 5
RERUNS_S = 120  # of the whole test; no run is begun again after that
BEGAN_S = time.monotonic()
BEAT_S = 0.005
PAUSE_MAX_S = 0.02
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
NEARBY = [
    ({"count": 3, "regions": ["ams", "lon"]},
     [{"name": "rounds", "sizes": ["100"]}, {"name": "secret-santa", "mode": "mpyc", "sizes": ["low"]}]),
]


def key(cell):
    return cell["workload"], cell["mode"], cell["size"]


def best_block(cell):
    """Without taints if there is one, else the last."""
    blocks = [block for block in cell["blocks"] if block["status"] == "ok"]
    return ([block for block in blocks if not block["taints"]] or blocks or [None])[-1]


class Heart:
    """Beats while a run goes on; knows the longest pause between two beats."""

    def __enter__(self):
        self.pause_s, self.is_over = 0.0, threading.Event()
        self.thread = threading.Thread(target=self.beat)
        self.thread.start()
        return self

    def beat(self):
        last = time.monotonic()
        while not self.is_over.wait(BEAT_S):
            now = time.monotonic()
            self.pause_s, last = max(self.pause_s, now - last - BEAT_S), now

    def pauses(self, while_what):
        return [f"a pause of {self.pause_s:.3f} s while {while_what}"] if self.pause_s > PAUSE_MAX_S else []

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join()


class Times:
    """Measured / predicted of one cell, and the verdict: True, False, or None if it can't be told yet."""

    def __init__(self):
        self.n_off, self.seen = 0, []

    def add(self, ratios, disturbances):
        words = " and ".join(f"{ratio:.3f}" for ratio in ratios)
        self.seen.append(f"measured / predicted {words}, {', '.join(disturbances) or 'quiet'}")
        if disturbances:
            return None
        if all(abs(ratio - 1) <= TIME_TOLERANCE for ratio in ratios):
            return True
        self.n_off += 1
        return False if self.n_off == QUIET_RUNS else None


class Place:
    """One scenario: its predictions, and as many runs of a cell as it takes."""

    def __init__(self, tap, folder, parties, workloads, times):
        self.times = times  # keys of a prediction that are to hold
        self.tap, self.folder, self.name = tap, folder, " ".join(parties["regions"])
        self.path = scenario(folder, workloads=workloads, parties=parties)
        self.predicted = self.predict()

    def predict(self, *filters):
        with Heart() as heart:
            said = subprocess.run([PROGRAM, "cost", self.path, "--json", *filters], check=True,
                                  capture_output=True, text=True)
        self.predict_pauses = heart.pauses("predicting")
        return json.loads(said.stdout)["cells"]

    def run(self, *filters):
        """Cells by key; {} if the run failed."""
        shutil.rmtree(os.path.join(self.folder, "results"), ignore_errors=True)
        run = Run(PROGRAM, self.path, self.folder, *filters)
        with Heart() as heart:
            end = run.end(300)
        self.pauses = self.predict_pauses + heart.pauses("running")
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
        times, verdict = Times(), None
        for attempt in range(RUNS_MAX):
            if attempt > 0 and time.monotonic() > BEGAN_S + RERUNS_S:
                break
            if attempt > 0:
                workload, mode, size = key(predicted)
                this = ("--workload", workload, "--mode", mode, "--size", size)
                predicted = self.predict(*this)[0]
                cells = self.run(*this)
                block = best_block(cells[key(predicted)]) if cells else None
            if block is None:
                return
            verdict = times.add([block["figures"]["wall_ns"] / predicted[which] for which in self.times],
                                [taint["code"] for taint in block["taints"]] + self.pauses)
            print(f"# {self.name}: {' '.join(key(predicted))}: {times.seen[-1]}", flush=True)
            if verdict is not None:
                break
        if verdict is None:
            self.tap.skip(name, f"the machine was not quiet often enough in {len(times.seen)} runs: "
                          + "; ".join(times.seen))
        else:
            self.tap.check(verdict, name, "\n".join(times.seen))


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
    tap.check(lone["machine"]["cores"] == len(os.sched_getaffinity(0)) and
              all(value > 0 for value in lone["machine"].values()), "says what messages cost here", lone)
    tap.check(cell["emulated_ns"] > cell["network_ns"], "tells the time of hosts emulated here", cell)
    tap.check(json.loads(there.stdout)["machine"] is None and bare_cell["emulated_ns"] is None,
              "leaves it out where hosts can't be emulated", there.stdout)
    elsewhere = json.loads(subprocess.run(command + ["--elsewhere"], capture_output=True, text=True,
                                          timeout=60).stdout)
    tap.check(elsewhere["machine"] is None and elsewhere["cells"][0]["emulated_ns"] is None,
              "leaves it out when asked to", elsewhere)


def main():
    skip_unless_root()
    residue.enclose()
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="e3-cost-") as folder:
        without_network(tap, folder)
        for parties, workloads in PLACES:
            Place(tap, folder, parties, workloads, ["predicted_ns", "emulated_ns"]).compare()
        for parties, workloads in NEARBY:
            Place(tap, folder, parties, workloads, ["emulated_ns"]).compare()
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
