#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: bench_multiplications.py E3 BARE_TRANSFERS: 10^6 products in batches of 10^5.

Real parties over TCP on loopback that share this machine's cores; medians of RUNS. The floor
is plain sockets that move the bytes of the mode `dealers` and compute nothing.
"""
import json
import statistics
import subprocess
import sys

from cells import Cells, median

RUNS = 9
N = 100000
BATCHES = 10
MODES = ("dealers", "kings", "auto")
PHASE = ["multiply"]


def floor_ms(bare, parties):
    out = subprocess.run([bare, str(parties), str(BATCHES), str(8 * N)], check=True,
                         capture_output=True, text=True).stdout
    return json.loads(out)["transfer_ns"] * BATCHES / 1e6


def multiply(all_cells, bare, parties, runs=RUNS):
    """Run, show, and hand back the wall time of `auto` in seconds."""
    walls = {mode: [] for mode in MODES}
    floors = []
    for _ in range(runs):
        floors.append(floor_ms(bare, parties))
        for mode in MODES:
            walls[mode].append(all_cells.run(parties, workload="multiplications", size=str(N), mode=mode))
    print(f"  {parties:7} {statistics.median(floors):9.1f}", end="")
    for mode in MODES:
        cells = walls[mode]
        print(f" {median(cells, lambda c: c.wall_ms(PHASE)):9.1f}"
              f" {median(cells, lambda c: c.cpu_ms(PHASE)):9.1f}"
              f" {cells[0].bytes_a_party(PHASE) / 1e6:6.1f}", end="")
    print(flush=True)
    return median(walls["auto"], lambda c: c.wall_ms(PHASE)) / 1e3


def head():
    print("  parties  floor ms" + "".join(f" {mode:>9} {'CPU ms':>9} {'MB':>6}" for mode in MODES))


def main(program, bare):
    with Cells(program) as cells:
        head()
        for parties in (3, 5, 7, 10):
            multiply(cells, bare, parties)


if __name__ == "__main__":
    main(*sys.argv[1:])
