#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: bench_engine.py E3 LOCAL_COSTS BARE_ROUNDS BARE_TRANSFERS: what the engine costs.

First the costs of this machine and the floors that nothing can go below, then every measure
that has a bar, over TCP on loopback with all parties on this machine's cores, then a table of
all: figure, bar, met or not, and what others need (measured elsewhere: machines differ).
"""
import json
import os
import resource
import subprocess
import sys
import time

import bench_cnn
import bench_multiplications
import bench_round
from cells import Cells, median

PARTIES = (3, 5, 7, 10)
SANTA_RUNS = 15

# (measure, unit, digits, bar with AVX-512 IFMA and VAES, bar without, elsewhere with / without)
MEASURES = (
    ("CNN, one image, m = 3, after inputs, wall", "s", 3, 0.10, 0.15,
     "0.36 / 0.52 ring, 4.7 / 10.4 Shamir, 9.4 / 30 MPyC"),
    ("CNN, one image, CPU of all, m = 3", "s", 3, 0.15, 0.25, "0.9 / 1.7 ring, 5.0 / 18 Shamir"),
    ("CNN, one image, CPU of all, m = 5", "s", 3, 0.3, 0.5, "22 / 73 Shamir"),
    ("CNN, one image, CPU of all, m = 7", "s", 3, 0.6, 1, "53 / - Shamir"),
    ("CNN, one image, CPU of all, m = 10", "s", 3, 1.2, 2, ""),
    ("CNN, batch 4, m = 3, after inputs, wall", "s", 3, 0.30, 0.45, ""),
    ("CNN, dependent exchanges after inputs, m = 3", "", 0, 99, 99, "544 to 1971 ring"),
    ("CNN, one image, bytes a party, m = 3", "MB", 2, 15, 15, "1.9 ring, 26.8 Shamir, 35.5 MPyC"),
    ("CNN, batch 1, peak memory a party, m = 3", "MB", 0, 250, 250, ""),
    ("one round / floor, m = 3", "", 2, 1.25, 1.25, "23 us / 63 us"),
    ("one round / floor, m = 5", "", 2, 1.25, 1.25, "96 us / 206 us"),
    ("one round / floor, m = 7", "", 2, 1.25, 1.25, "173 us / 549 us"),
    ("one round / floor, m = 10", "", 2, 1.25, 1.25, "359 us / 792 us"),
    ("10^6 multiplications, m = 3", "s", 4, 0.0325, 0.0325, "- / 0.065 ring, - / 0.72 Shamir"),
    ("10^6 multiplications, m = 5", "s", 4, 1.2, 1.2, "- / 2.4 Shamir"),
    ("10^6 multiplications, m = 7", "s", 4, 2.75, 2.75, "- / 5.5 Shamir"),
    ("10^6 multiplications, m = 10", "s", 4, 5.2, 5.2, "- / 10.4 Shamir"),
    ("Secret Santa min, n = 8, m = 3, hops", "", 0, 2, 2, "16, 70 MPyC"),
    ("Secret Santa min, n = 8, m = 3, compute", "ms", 3, 0.2, 0.2, "- / 72 MPyC, an attempt"),
)


class Others:
    """How much of this machine's CPUs programs other than ours have had."""

    def __init__(self):
        self.began_s, self.busy_s, self.own_s = time.monotonic(), self._busy_s(), self._own_s()

    @staticmethod
    def _busy_s():
        user, nice, system, _idle, _iowait, irq, softirq, steal = (
            int(n) for n in open("/proc/stat").readline().split()[1:9])
        return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")

    @staticmethod
    def _own_s():
        return sum(sum(resource.getrusage(who)[:2])
                   for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))

    def percent(self):
        others_s = self._busy_s() - self.busy_s - (self._own_s() - self.own_s)
        return 100 * max(0, others_s) / (time.monotonic() - self.began_s) / os.cpu_count()


def is_fast_kind():
    flags = next((line.split() for line in open("/proc/cpuinfo") if line.startswith("flags")), ())
    return "avx512ifma" in flags and "vaes" in flags


def show_machine(local_costs, bare_rounds):
    subprocess.run([local_costs], check=True)
    out = subprocess.run([bare_rounds, "2", "5000"], check=True, capture_output=True, text=True).stdout
    print(f"bare TCP ping-pong on loopback: {json.loads(out)['ping_pong_ns'] / 1e3:.1f} us there and back")


def measure_rounds(figures, program, bare_rounds):
    print("\none round of one element, beside its bare floor (8 bytes all to all, plain sockets)")
    for parties, ratio in bench_round.ratios(program, bare_rounds):
        figures[f"one round / floor, m = {parties}"] = ratio


def measure_cnn(figures, cells):
    print("\nCNN")
    for parties in PARTIES:
        runs = bench_cnn.classify(cells, parties, of_phases=True)
        after = runs[0].names(bench_cnn.INPUT)
        figures[f"CNN, one image, CPU of all, m = {parties}"] = median(runs, lambda c: c.cpu_ms(after)) / 1e3
        if parties != 3:
            continue
        figures["CNN, one image, m = 3, after inputs, wall"] = median(runs, lambda c: c.wall_ms(after)) / 1e3
        figures["CNN, dependent exchanges after inputs, m = 3"] = runs[0].rounds(after)
        figures["CNN, one image, bytes a party, m = 3"] = runs[0].bytes_a_party(after) / 1e6
        figures["CNN, batch 1, peak memory a party, m = 3"] = max(c.rss_max_bytes() for c in runs) / 1e6
    runs = bench_cnn.classify(cells, 3, 4)
    figures["CNN, batch 4, m = 3, after inputs, wall"] = median(runs, lambda c: c.wall_ms(after)) / 1e3


def measure_multiplications(figures, cells, bare_transfers):
    print("\n10^6 multiplications in dependent batches of 10^5, ms; the mode `auto` counts")
    bench_multiplications.head()
    for parties in PARTIES:
        figures[f"10^6 multiplications, m = {parties}"] = bench_multiplications.multiply(
            cells, bare_transfers, parties)


def measure_santa(figures, cells):
    runs = [cells.run(3, workload="secret-santa", mode="min", size="8", seed=str(seed))
            for seed in range(SANTA_RUNS)]
    # Before the deal, keys are agreed on: once, however much is computed with them.
    names = ["deal", "multiply", "open"]
    figures["Secret Santa min, n = 8, m = 3, hops"] = median(runs, lambda c: c.rounds(names))
    figures["Secret Santa min, n = 8, m = 3, compute"] = median(runs, lambda c: c.compute_ms(names))


def show_table(figures):
    is_fast = is_fast_kind()
    print(f"\nbars are those of a CPU {'with' if is_fast else 'without'} AVX-512 IFMA and VAES;"
          " elsewhere: with / without, measured on other machines")
    print(f"{'measure':<46} {'figure':>10} {'bar':>8}       elsewhere")
    for key, unit, digits, fast, slow, elsewhere in MEASURES:
        bar = fast if is_fast else slow
        verdict = "met" if figures[key] <= bar else "NOT MET"
        print(f"{key:<46} {figures[key]:10.{digits}f} {bar:8g} {unit:<2} {verdict:<8} {elsewhere}")


def main(program, local_costs, bare_rounds, bare_transfers):
    figures = {}
    others = Others()
    show_machine(local_costs, bare_rounds)
    measure_rounds(figures, program, bare_rounds)
    with Cells(program) as cells:
        measure_cnn(figures, cells)
        measure_multiplications(figures, cells, bare_transfers)
        measure_santa(figures, cells)
    show_table(figures)
    print(f"other programs took {others.percent():.0f} % of the CPUs meanwhile; the bars are for an idle machine")


if __name__ == "__main__":
    main(*sys.argv[1:])
