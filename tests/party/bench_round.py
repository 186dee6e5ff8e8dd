#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: bench_round.py E3 BARE_ROUNDS: one round of one element beside its bare floor.

All parties share this machine's cores; TCP on loopback; floor and engine alternate, the
medians of RUNS are compared. The floor is the better of blocking and polling.
"""
import json
import statistics
import subprocess
import sys

from small_controller import Crew

RUNS = 5
ROUNDS = 3000


def floor_ns(bare, parties):
    out = subprocess.run([bare, str(parties), str(ROUNDS)], check=True, capture_output=True, text=True)
    return min(json.loads(out.stdout).values())


def round_ns(program, parties):
    crew = Crew(program, parties, workload="rounds", size=str(ROUNDS))
    if crew.run() != [0] * parties:
        raise SystemExit(f"a party failed: {crew.complaints()}")
    return max(p.said["report"]["phases_ns"]["run"] for p in crew.parties) / ROUNDS


def ratios(program, bare):
    """Print, and yield (parties, ratio)."""
    print(f"{'parties':>7} {'floor us':>9} {'e3 us':>9} {'ratio':>6}   bar 1.25")
    for parties in (3, 5, 7, 10):
        floors, rounds = [], []
        for _ in range(RUNS):
            floors.append(floor_ns(bare, parties))
            rounds.append(round_ns(program, parties))
        floor, own = statistics.median(floors), statistics.median(rounds)
        print(f"{parties:7} {floor / 1e3:9.1f} {own / 1e3:9.1f} {own / floor:6.2f}", flush=True)
        yield parties, own / floor


def main(program, bare):
    for _ in ratios(program, bare):
        pass


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
