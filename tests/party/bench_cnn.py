#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: bench_cnn.py E3 [PARTIES [BATCH]]: the classifier, phase by phase.

Real parties over TCP on loopback that share this machine's cores; medians of RUNS. A phase
lasts from when the last party begins it until the last party ends it; figures that are quoted
count from when the last party has its shares of all inputs.
"""
import sys

from cells import Cells, median

RUNS = 7
CASES = ((3, 1), (3, 4), (5, 1), (7, 1), (10, 1))
INPUT = "input"


def line(name, cells, names):
    print(f"  {name:<14} {median(cells, lambda c: c.wall_ms(names)):9.2f} ms wall"
          f" {median(cells, lambda c: c.cpu_ms(names)):9.2f} ms CPU of all"
          f" {cells[0].rounds(names):4} exchanges {cells[0].bytes_a_party(names) / 1e6:9.3f} MB",
          flush=True)


def show(cells, parties, batch, of_phases):
    print(f"  {parties} parties, batch {batch}, median of {len(cells)} runs; at most"
          f" {max(c.rss_max_bytes() for c in cells) / 1e6:.0f} MB of memory a party")
    if of_phases:
        for name in cells[0].names():
            if any(cells[0].rounds([name]) or c.wall_ms([name]) > 0.05 for c in cells):
                line(name, cells, [name])
    line("after inputs", cells, cells[0].names(INPUT))
    line("with inputs", cells, cells[0].names())


def classify(all_cells, parties, batch=1, runs=RUNS, of_phases=False):
    """Run, show, and hand back the cells."""
    cells = all_cells.runs(runs, parties, workload="cnn-mnist", size=str(batch), mode="default")
    show(cells, parties, batch, of_phases)
    return cells


def main(program, parties=None, batch="1"):
    cases = CASES if parties is None else ((int(parties), int(batch)),)
    with Cells(program) as cells:
        for index, case in enumerate(cases):
            classify(cells, *case, of_phases=index == 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
